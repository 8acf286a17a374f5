#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/sql/construct.h"
#include "engine/sql/expression_binder.h"
#include "engine/sql/fault.h"
#include "engine/sql/order_by.h"
#include "engine/types/status_macros.h"

// ROW_NUMBER() OVER (PARTITION BY … ORDER BY …): what the query around it cuts off.
namespace kappa::sql {

using operators::ExprRef;

namespace {

// PostgreSQL's FRAMEOPTION_NONDEFAULT: somebody wrote a frame.
bool has_frame(const Node& window) {
  uint32_t options = 0;
  return absl::SimpleAtoi(std::string(window.text("frameOptions")), &options) && (options & 1) != 0;
}

}  // namespace

absl::StatusOr<Ranking> ExpressionBinder::bind_numbering(const Node& window) const {
  Ranking ranking;
  const ExpressionBinder partition(text_, scope_, "PARTITION BY");
  for (const Node& item : window.list("partitionClause")) {
    KAPPA_ASSIGN_OR_RETURN(ExprRef expr, partition.bind(item));
    ranking.partition.push_back(std::move(expr));
  }
  const ExpressionBinder order(text_, scope_, "ORDER BY");
  for (const Node& item : window.list("orderClause")) {
    KAPPA_ASSIGN_OR_RETURN(const SortDirection direction, read_direction(item));
    KAPPA_ASSIGN_OR_RETURN(ExprRef expr, order.bind(*item.child("node")));
    ranking.order.push_back({std::move(expr), direction.descending, direction.nulls_first});
  }
  return ranking;
}

absl::StatusOr<ExprRef> ExpressionBinder::bind_row_number(const Node& node) const {
  KAPPA_RETURN_IF_ERROR(expect_only(node, {{"funcname"}, {"args"}, {"over"}, {"funcformat"}}));
  if (!node.list("args").empty()) return fault(node, "row_number() takes no argument");
  KAPPA_ASSIGN_OR_RETURN(const Node* found, find_window(node));
  Node window = *found;
  window.kind = "WindowDef";
  KAPPA_RETURN_IF_ERROR(expect_only(window, {{"name"},
                                             {"partitionClause"},
                                             {"orderClause"},
                                             {"frameOptions"},
                                             {"startOffset"},
                                             {"endOffset"}}));
  if (has_frame(window)) {
    return fault(node, "ROW_NUMBER() numbers all rows of its partition: it has no frame",
                 "write OVER (PARTITION BY … ORDER BY …)");
  }
  if (over_->row_number()) {
    return fault(node, "a SELECT with two ROW_NUMBER() is not supported yet",
                 "number in one query, and number its rows in the query around it");
  }
  KAPPA_ASSIGN_OR_RETURN(Ranking ranking, bind_numbering(window));
  ranking.position = position(node);
  over_->set_row_number(std::move(ranking));
  // It stands for the number until the rows are planned.
  return operators::constant_expr(Value::null(Type::bigint()), position(node));
}

}  // namespace kappa::sql
