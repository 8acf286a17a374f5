#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/log/log.h"
#include "operators/plan.h"

namespace kappa::cli {

// How far back a plan reads a source: the age that a record may have and still count for a row that
// comes now. Out-of-orderness, the frames, windows, grace and join bounds behind it add up.
struct Reach {
  int64_t us = 0;
  // The first view or output, in the order of the files, for which records count however old they
  // are: a recomputation needs all of them. Empty: there is none.
  std::string for_ever;
};

// A topic that a plan reads or writes.
struct TopicNeed {
  enum class Role : uint8_t { kSource, kOutput, kDeadLetters, kLate, kOutboxPlace };
  std::string topic;
  std::string product;
  Role role = Role::kSource;
  int32_t partitions = 1;  // to make it with
  Reach reach;             // of a source
  bool compacted =
      false;  // the last record of each key must stay: mode 'upsert', the outbox's place
};
// "source", "output", "dead letters", "late rows", "the outbox's place".
std::string role_text(TopicNeed::Role role);

// The topics of a product, sources first. Sources are made with `partitions`, all others with one.
// What fails at a tick, for no record's sake, has topics too: of views and outputs that are fed by
// something that gives out rows when time passes.
std::vector<TopicNeed> topic_needs(const std::string& product, const operators::Plan& plan,
                                   int32_t partitions);
// The topic that Kafka needs besides: where the product's outbox keeps its place.
TopicNeed outbox_place_need(const std::string& product);

// How far back the plan reads the source with that index in Plan::sources.
Reach reach_of(const operators::Plan& plan, int source);

}  // namespace kappa::cli
