#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "operators/plan.h"
#include "schemas/decoder.h"

namespace kappa::replay {

// A product's logic as one version of its files says it. Both outlive this.
struct Logic {
  const operators::Plan& plan;
  const schemas::ProductFiles& protos;
};

enum class Change : uint8_t {
  kNone,      // the same rows, from the same rows
  kAdded,     // new
  kChanged,   // its own statement is another
  kUpstream,  // its statement is the same, something that it reads or calls is not
  kRemoved,   // there no more
};

// What becomes of a view, or of an output (the rows that one INSERT INTO writes).
struct PartChange {
  enum class Kind : uint8_t { kView, kOutput } kind = Kind::kView;
  // The view's name; an output's topic, with " (2)" behind it for the second INSERT INTO of a
  // topic.
  std::string name;
  Change change = Change::kNone;
  // Whether it has to be computed from history. The others keep what they have; an output that
  // keeps nothing between two rows has nothing to compute.
  bool replayed = false;
  std::string because;  // why it changes or is replayed: "reads limits, which has changed"
  std::string before;   // its statement in the old files; empty: it was not there
  std::string after;    // in the new ones; empty: it is no longer there
  operators::NodeId node = operators::kNoNode;  // in the new plan; kNoNode: removed
};

struct LogicChange {
  // In the order of the new files; then what is removed, in the order of the old ones.
  std::vector<PartChange> parts;
  // What a replay reads: indexes into the new plan's sources, ascending.
  std::vector<int> sources;

  bool none() const;
};

// The nodes of the new plan, by node, that none of what is replayed needs: they keep what they
// have.
std::vector<bool> kept_nodes(const operators::Plan& after, const LogicChange& change);

// Compares two versions of a product. A view keeps its state only if its plan and everything
// upstream of it are equal (operators: PlanNode::fingerprint; sources: their declarations, and of
// Protobuf the product's .proto files) and nothing that is replayed reads it: a view that is
// recomputed needs its input's history, not its input's present rows.
LogicChange compare(const Logic& before, const Logic& after);

}  // namespace kappa::replay
