#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sql/parser/tree.h"
#include "operators/plan.h"

namespace kappa::sql {

// A call with OVER, over the columns of its SELECT's FROM.
struct OverExpr {
  operators::FrameFunction function;
  operators::ExprRef argument = nullptr;  // null: count(*)
  operators::ExprRef filter = nullptr;    // null: none
  std::vector<operators::ExprRef> partition = {};
  operators::Frame frame = {};
  int64_t distance = 0;  // of lag
  Type result = Type::null();
  operators::SqlPosition position = {};
};

// In which order rows are numbered, over the columns of FROM: PARTITION BY and ORDER BY of
// ROW_NUMBER(), or ORDER BY of DISTINCT ON, whose columns are outputs.
struct RankOrder {
  operators::ExprRef expr;
  bool descending = false;
  bool nulls_first = false;
};
struct Ranking {
  std::vector<operators::ExprRef> partition = {};
  std::vector<RankOrder> order = {};
  operators::SqlPosition position = {};
};

// The calls with OVER of a SELECT in the order in which they are met, equal ones once; and the
// WINDOW clause that they may name.
class OverCalls {
 public:
  // `event_times`: the columns of FROM that the rows' event time is. The SELECT is borrowed.
  OverCalls(const Node& select, std::vector<int> event_times)
      : select_(&select), event_times_(std::move(event_times)) {}

  // Its index.
  int add(OverExpr call);
  const std::vector<OverExpr>& all() const { return all_; }
  // ROW_NUMBER(), of which a SELECT has one.
  void set_row_number(Ranking ranking) { row_number_ = std::move(ranking); }
  const std::optional<Ranking>& row_number() const { return row_number_; }
  const std::vector<int>& event_times() const { return event_times_; }
  // The definition in the WINDOW clause, or nullptr.
  const Node* find_window(std::string_view name);
  // A definition that find_window() was not asked for, or nullptr.
  const Node* unused_window() const;
  std::vector<std::string> window_names() const;

 private:
  const Node* select_;
  std::vector<int> event_times_;
  std::vector<OverExpr> all_;
  std::optional<Ranking> row_number_;
  std::set<std::string, std::less<>> found_;
};

}  // namespace kappa::sql
