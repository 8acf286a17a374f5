#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "engine/sql/nested_queries.h"
#include "engine/sql/parser/tree.h"
#include "engine/sql/scope.h"
#include "engine/sql/source_text.h"
#include "operators/plan.h"

namespace kappa::sql {

// tumble(t, event_time, …) and its like: t's rows, each in the windows that its event time falls
// into, as the columns window_start, window_end and window_time behind t's own.
struct WindowFrom {
  operators::GroupWindow::Kind kind = operators::GroupWindow::Kind::kTumble;
  operators::ExprRef event_time;  // over t's columns
  // As in GroupWindow.
  int64_t size_us = 0;
  int64_t step_us = 0;
  int64_t offset_us = 0;
  const Node* node = nullptr;

  std::string name() const { return std::string(operators::window_name(kind)); }
  // Whether all its windows are as long as `size_us`, so that the start says where one ends.
  bool fixed_size() const {
    return kind == operators::GroupWindow::Kind::kTumble ||
           kind == operators::GroupWindow::Kind::kHop;
  }
};

// One item of FROM: rows under a name, maybe in windows.
struct FromItem {
  const Relation* relation = nullptr;
  std::string alias = {};
  std::optional<WindowFrom> window = std::nullopt;
  const Node* node = nullptr;
};

// The FROM of a view: one item.
struct FromClause {
  const Relation* relation = nullptr;
  std::optional<WindowFrom> window;
  Scope scope;
  bool joined_by_time = false;

  int window_start() const { return static_cast<int>(relation->columns.size()); }
  int window_end() const { return window_start() + 1; }
  int window_time() const { return window_start() + 2; }

  // The bound of the window, window_start or window_end, by which a window's column tells groups
  // apart.
  int key_bound(int window_column) const;
  // Whether that column alone does: windows of cumulate() share their starts.
  bool tells_windows_apart(int window_column) const {
    return window->kind != operators::GroupWindow::Kind::kCumulate ||
           window_column != window_start();
  }
};

// Everything is borrowed for the call, but what `queries` has and the nodes outlive the result.
// `grace_us` is that of joins by time.
absl::StatusOr<FromClause> bind_from(const Node& select, NestedQueries& queries,
                                     const SourceText& text, int64_t grace_us);
// A table, view, window function or subquery, as it stands in FROM by itself or in a join.
absl::StatusOr<FromItem> bind_from_item(const Node& item, NestedQueries& queries,
                                        const SourceText& text);

// window_end - 1 µs, the event time of a window's row; of window_end or, given the size, of
// window_start.
absl::StatusOr<operators::ExprRef> window_time_of_end(const operators::ExprRef& window_end,
                                                      const Node& at);
absl::StatusOr<operators::ExprRef> window_time_of_start(const operators::ExprRef& window_start,
                                                        int64_t size_us, const Node& at);

// The word before JOIN that PostgreSQL's grammar takes for an alias: FROM l ASOF JOIN r. OK if the
// join has none.
absl::Status refuse_join_words(const Node& join);

}  // namespace kappa::sql
