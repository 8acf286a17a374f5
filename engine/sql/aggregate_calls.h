#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "operators/plan.h"

namespace kappa::sql {

// An aggregate by its name in SQL, and what it takes beside the value that it is about.
struct AggregateSignature {
  enum class Second : uint8_t {
    kNone,
    kEventTime,  // nothing in the text, and the rows' event time
    kBy,         // what is to be the least or greatest
    kHalfLife,   // a constant interval, and the rows' event time
    kQuantile,   // a constant from 0 to 1
  };
  std::string_view name;
  operators::AggregateKind kind;
  Second second = Second::kNone;

  size_t arguments() const {
    return second == Second::kNone || second == Second::kEventTime ? 1 : 2;
  }
};

// Null: no aggregate has the name.
const AggregateSignature* find_aggregate(std::string_view name);

// An aggregate of a SELECT, over the columns of its FROM.
struct AggregateExpr {
  operators::AggregateKind kind;
  operators::ExprRef argument = nullptr;  // null: count(*)
  operators::ExprRef filter = nullptr;    // null: none
  Type result = Type::null();
  operators::SqlPosition position = {};
  // See AggregateCall.
  operators::ExprRef by = nullptr;
  int64_t half_life_us = 0;
  double quantile = 0;
};

// The aggregates of a SELECT in the order in which they are met, equal ones once.
class AggregateCalls {
 public:
  // `event_time` is that of the rows; null: they have none. Nothing at all: a read, whose rows have
  // no time of their own.
  explicit AggregateCalls(std::optional<operators::ExprRef> event_time)
      : event_time_(std::move(event_time)) {}

  // Its index.
  int add(AggregateExpr aggregate);
  const std::optional<operators::ExprRef>& event_time() const { return event_time_; }
  const std::vector<AggregateExpr>& all() const { return all_; }

 private:
  std::optional<operators::ExprRef> event_time_;
  std::vector<AggregateExpr> all_;
};

}  // namespace kappa::sql
