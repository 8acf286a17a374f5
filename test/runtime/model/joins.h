#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "test/runtime/model/plan.h"

namespace kappa::model {

// What the watermark gives out at one place comes from all nodes in this order; what a record
// causes has none of its own.
struct Cause {
  uint32_t depth = 0;
  int64_t due_us = 0;
  uint32_t node = 0;
  size_t ordinal = 0;  // of what the node gives out at the place

  auto operator<=>(const Cause&) const = default;
};

struct Change {
  int sign;
  Row row;
  bool expired = false;  // nobody but the view takes this retraction
  Cause cause = {};
};

// Both sides of a join, as bags of rows.
struct JoinedBags {
  std::vector<Row> left;
  std::vector<Row> right;

  // Applies a change of one side; what becomes of the join, in order.
  std::vector<Change> apply(const RelationJoinNode& op, bool of_left, const Change& given);
  // The same, of a row whose key is in no other row of its side.
  std::vector<Change> apply_one(const RelationJoinNode& op, bool of_left, const Change& change);
};

// Both sides of an interval join: every row that was not late.
struct TimedBags {
  struct Left {
    Row row;
    bool done = false;  // it was given out, with a match or without
  };
  std::vector<Left> left;
  std::vector<Row> right;

  // A row arrives on one side; the pairs that it makes, in order.
  std::vector<Change> apply(const IntervalJoinNode& op, bool of_left, const Row& row,
                            int64_t watermark_us);
  // The left rows that can find no match any more and had none.
  std::vector<Change> give_up(const IntervalJoinNode& op, int64_t watermark_us);
};

}  // namespace kappa::model
