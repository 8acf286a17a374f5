#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "operators/operator.h"
#include "operators/record_key.h"
#include "schemas/encoder.h"

namespace kappa::operators {

// INSERT INTO an output topic of mode 'upsert': what a keyed relation becomes, as a changelog for a
// compacted topic. At each place, for each key that changes there, what comes of all its changes
// leaves, where the last of them stands:
//
//   before the place   after it    leaves
//   none, or a row     a row       the row's payload, under its key; nothing if they are the same
//   a row              none        a tombstone: the key without a payload
//   none               none        nothing
//
// A row that has no payload (a value that its Protobuf field cannot hold), or no key (a single
// column that is NULL; compacted topics take no records without one), is an error of the row and
// counts as none. Of an append-only input it is not known what was before, so every row leaves.
//
// Stateless: a place lies in one epoch, and all rows of a key come to one worker. What leaves is
// therefore a function of the order, however it is cut into epochs.
class UpsertOutput final : public Operator {
 public:
  // The encoder is one of the output topic's table, which has a primary key.
  UpsertOutput(const Plan& plan, NodeId node, std::unique_ptr<schemas::RowEncoder> encoder);
  void process(const Batch& input, const OperatorContext& context,
               std::vector<Batch>* out) override;

 private:
  // What rows of one key of one place come to: the first and the last of them.
  struct KeyChange {
    std::optional<std::string> key;
    size_t first;
    size_t last;
  };
  // The changes of rows [begin, end), which are all of one place, ascending by `last`.
  std::vector<KeyChange> changes_of(std::span<const ColumnRef> key, size_t begin, size_t end) const;
  void leave(const Batch& input, KeyChange change, const OperatorContext& context) const;

  NodeId node_;
  SqlPosition position_;  // of the INSERT
  std::unique_ptr<schemas::RowEncoder> encoder_;
  RecordKey key_;
};

}  // namespace kappa::operators
