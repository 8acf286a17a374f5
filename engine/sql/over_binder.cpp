#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "engine/sql/construct.h"
#include "engine/sql/expression_binder.h"
#include "engine/sql/expression_tree.h"
#include "engine/sql/fault.h"
#include "engine/sql/over_frame.h"
#include "engine/sql/suggest.h"
#include "engine/types/status_macros.h"
#include "operators/frame_result.h"

// Calls with OVER: f(…) FILTER (WHERE …) OVER (PARTITION BY … ORDER BY event_time RANGE …).
namespace kappa::sql {

using operators::ExprRef;
using operators::FrameFunction;

namespace {

// What there is over frames. (row_number() is none of it.)
std::optional<FrameFunction> find_function(const std::string& name, bool star, bool distinct) {
  if (name == "count") {
    return star       ? FrameFunction::kCountStar
           : distinct ? FrameFunction::kCountDistinct
                      : FrameFunction::kCount;
  }
  if (name == "sum") return FrameFunction::kSum;
  if (name == "avg") return FrameFunction::kAvg;
  if (name == "min") return FrameFunction::kMin;
  if (name == "max") return FrameFunction::kMax;
  if (name == "stddev" || name == "stddev_samp") return FrameFunction::kStddev;
  if (name == "stddev_pop") return FrameFunction::kStddevPop;
  if (name == "first_value") return FrameFunction::kFirstValue;
  if (name == "last_value") return FrameFunction::kLastValue;
  if (name == "lag") return FrameFunction::kLag;
  if (name == "is_late") return FrameFunction::kIsLate;
  return std::nullopt;
}

bool is_value_function(FrameFunction function) {
  return function == FrameFunction::kFirstValue || function == FrameFunction::kLastValue ||
         function == FrameFunction::kLag || function == FrameFunction::kIsLate;
}

// How many rows back lag(x, n) looks.
absl::StatusOr<int64_t> lag_distance(const Node& node, const ExpressionBinder& binder) {
  KAPPA_ASSIGN_OR_RETURN(const Operand operand, binder.bind_operand(node));
  const ExprRef& rows = operand.expr;
  const bool constant = rows->kind == operators::ExprKind::kConstant && rows->type.is_integer() &&
                        !rows->constant.is_null();
  if (!constant) return fault(node, "lag looks a constant number of rows back", "write lag(x, 1)");
  KAPPA_ASSIGN_OR_RETURN(const ExprRef whole, coerce(operand, Type::bigint()));
  const int64_t distance = std::get<int64_t>(whole->constant.data);
  if (distance < 0) return fault(node, "lag does not look ahead", "write lag(x, 1)");
  return distance;
}

}  // namespace

// What `OVER w` and `OVER (…)` mean: the window's definition.
absl::StatusOr<const Node*> ExpressionBinder::find_window(const Node& call) const {
  const Node* over = call.child("over");
  if (over->has("refname")) {
    return fault(call, "OVER (w …), a window made from another, is not supported yet",
                 "write OVER w, or the whole window in the parentheses");
  }
  if (!over->has("name")) return over;
  const std::string name(over->text("name"));
  const Node* window = over_->find_window(name);
  if (!window) {
    return fault(call, absl::StrCat("window \"", name, "\" does not exist"),
                 suggestion(name, over_->window_names()));
  }
  if (window->has("refname")) {
    return fault(*window, "a window made from another is not supported yet",
                 "write the whole window in the parentheses");
  }
  return window;
}

absl::Status ExpressionBinder::check_window_order(const Node& window, const Node& call) const {
  const auto order = window.list("orderClause");
  const std::vector<int>& event_times = over_->event_times();
  const std::string right =
      event_times.empty()
          ? ""
          : absl::StrCat("write ORDER BY ", scope_.column(event_times.front()).name);
  if (order.empty()) {
    return fault(call, "OVER needs ORDER BY the event time", right);
  }
  if (event_times.empty()) {
    return fault(order[0], "OVER is ordered by the event time, and these rows have none",
                 "declare the source with OPTIONS (event_time 'column'), and select that column in "
                 "the views between");
  }
  if (order.size() > 1) return fault(order[1], "OVER is ordered by the event time alone", right);
  KAPPA_RETURN_IF_ERROR(
      expect_only(order[0], {{"node"}, {"sortby_dir"}, {"sortby_nulls", "SORTBY_NULLS_DEFAULT"}}));
  const std::string_view direction = order[0].text("sortby_dir");
  if (direction != "SORTBY_DEFAULT" && direction != "SORTBY_ASC") {
    return fault(order[0], "OVER goes by the event time ascending", right);
  }
  const ExpressionBinder inside(text_, scope_, "OVER");
  KAPPA_ASSIGN_OR_RETURN(const ExprRef by, inside.bind(*order[0].child("node")));
  if (!is_column(by) ||
      std::find(event_times.begin(), event_times.end(), by->column) == event_times.end()) {
    return fault(order[0], "OVER is ordered by the event time only", right);
  }
  return absl::OkStatus();
}

absl::Status ExpressionBinder::bind_window(const Node& call, OverExpr* over) const {
  KAPPA_ASSIGN_OR_RETURN(const Node* found, find_window(call));
  Node window = *found;
  window.kind = "WindowDef";
  KAPPA_RETURN_IF_ERROR(expect_only(window, {{"name"},
                                             {"partitionClause"},
                                             {"orderClause"},
                                             {"frameOptions"},
                                             {"startOffset"},
                                             {"endOffset"}}));
  const ExpressionBinder inside(text_, scope_, "PARTITION BY");
  for (const Node& item : window.list("partitionClause")) {
    KAPPA_ASSIGN_OR_RETURN(ExprRef expr, inside.bind(item));
    over->partition.push_back(std::move(expr));
  }
  KAPPA_RETURN_IF_ERROR(check_window_order(window, call));
  KAPPA_ASSIGN_OR_RETURN(over->frame, bind_frame(window, call, text_));
  return absl::OkStatus();
}

absl::Status ExpressionBinder::bind_over_arguments(const Node& node, const std::string& name,
                                                   OverExpr* over) const {
  const auto args = node.list("args");
  const bool bare =
      over->function == FrameFunction::kCountStar || over->function == FrameFunction::kIsLate;
  const bool lag = over->function == FrameFunction::kLag;
  if (lag) over->distance = 1;
  if (lag && args.size() == 3) {
    return fault(args[2], "a default of lag is not supported yet",
                 "write COALESCE(lag(x), …); it stands in for a NULL that is there, too");
  }
  const size_t most = lag ? 2 : 1;
  if (over->function == FrameFunction::kIsLate && !args.empty()) {
    return fault(args[0], "is_late takes no arguments", "write is_late() OVER (…)");
  }
  if (!bare && (args.empty() || args.size() > most)) {
    return fault(node, absl::StrCat(name, " takes ", lag ? "one or two arguments" : "one argument",
                                    ", found ", args.size()));
  }
  const ExpressionBinder inside(text_, scope_, absl::StrCat(name, "(…) OVER"));
  if (!bare) {
    KAPPA_ASSIGN_OR_RETURN(over->argument, inside.bind(args[0]));
  }
  if (lag && args.size() == 2) {
    KAPPA_ASSIGN_OR_RETURN(over->distance, lag_distance(args[1], inside));
  }
  if (const Node* filter = node.child("agg_filter")) {
    if (is_value_function(over->function)) {
      return fault(*filter, absl::StrCat("FILTER on ", name, " does not exist"),
                   "it is for aggregates");
    }
    const ExpressionBinder filter_binder(text_, scope_, "FILTER");
    KAPPA_ASSIGN_OR_RETURN(over->filter, filter_binder.bind_condition(*filter));
  }
  return absl::OkStatus();
}

absl::StatusOr<ExprRef> ExpressionBinder::bind_over(const Node& node,
                                                    const std::string& name) const {
  if (!over_) {
    if (clause_ == "SELECT") {
      return fault(node, "OVER is not supported yet in a read", "make a view of it");
    }
    return fault(node, absl::StrCat(name, "(…) OVER cannot stand in ", clause_),
                 "it stands in the SELECT list of a view");
  }
  if (name == "row_number") return bind_row_number(node);
  KAPPA_RETURN_IF_ERROR(expect_only(node, {{"funcname"},
                                           {"args"},
                                           {"agg_filter"},
                                           {"agg_star"},
                                           {"agg_distinct"},
                                           {"over"},
                                           {"funcformat"}}));
  const bool star = node.flag("agg_star");
  const bool distinct = node.flag("agg_distinct");
  const auto function = find_function(name, star, distinct);
  if (!function && (name == "rank" || name == "dense_rank" || name == "percent_rank" ||
                    name == "cume_dist" || name == "ntile")) {
    return fault(node, absl::StrCat(name, "() OVER is not supported yet"),
                 "for the first rows of a key write ROW_NUMBER() OVER (…) AS rn, and WHERE rn <= 3 "
                 "in the query around it");
  }
  if (!function) {
    return fault(node, absl::StrCat(name, "() OVER is not supported yet"),
                 "there are count, sum, avg, min, max, stddev, stddev_pop, count(DISTINCT …), lag, "
                 "first_value, last_value and is_late");
  }
  if (star && name != "count") return fault(node, absl::StrCat(name, "(*) does not exist"));
  if (distinct && name != "count") {
    return fault(node, absl::StrCat(name, "(DISTINCT …) is not supported yet"),
                 "there is count(DISTINCT …)");
  }
  OverExpr over{.function = *function, .position = position(node)};
  KAPPA_RETURN_IF_ERROR(bind_over_arguments(node, name, &over));
  KAPPA_RETURN_IF_ERROR(bind_window(node, &over));
  const auto result = operators::frame_result_type(
      over.function, over.argument ? over.argument->type : Type::null());
  if (!result.ok()) return fault(node, result.status());
  over.result = *result;
  const int index = over_->add(std::move(over));
  return operators::column_expr(scope_.size() + index, *result, position(node));
}

}  // namespace kappa::sql
