#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "engine/sql/expression_binder.h"
#include "engine/sql/expression_tree.h"
#include "engine/sql/fault.h"
#include "engine/sql/order_by.h"
#include "engine/sql/view_planner.h"
#include "engine/types/status_macros.h"

// DISTINCT, DISTINCT ON, and its ORDER BY.
namespace kappa::sql {

using operators::ExprRef;

namespace {

absl::Status refuse_changes(const Node& at, const Relation& input) {
  return fault(
      at, "DISTINCT over rows that change is not supported yet",
      absl::StrCat("\"", input.name,
                   "\" takes rows back; GROUP BY the columns instead, or say with ORDER BY "
                   "which row of a key is the first"));
}

}  // namespace

// Which outputs DISTINCT is about: all, or those that show the expressions of ON.
absl::Status ViewPlanner::bind_distinct(Branch& branch) const {
  const auto items = branch.select->list("distinctClause");
  const bool on = !items.front().kind.empty();
  const Node& at = on ? items.front() : *branch.bound.outputs.front().node;
  if (branch.bound.grouped) {
    return fault(at, "DISTINCT together with GROUP BY is not supported yet",
                 "make a view of the groups, or a query in FROM");
  }
  if (branch.bound.ranking) {
    return fault(at, "DISTINCT together with ROW_NUMBER() is not supported yet",
                 "number the rows in a query in FROM");
  }
  if (branch.from.relation->changelog && !branch.select->has("sortClause")) {
    return refuse_changes(at, *branch.from.relation);
  }
  std::vector<int> key;
  if (!on) {
    for (size_t i = 0; i < branch.bound.outputs.size(); ++i) key.push_back(static_cast<int>(i));
    branch.distinct = std::move(key);
    return absl::OkStatus();
  }
  const ExpressionBinder binder(text_, branch.from.scope, "DISTINCT ON");
  for (const Node& item : items) {
    const auto& outputs = branch.bound.outputs;
    // An output of that name goes before a column of FROM, as in PostgreSQL.
    const auto names = item.is("ColumnRef") ? item.names("fields") : std::vector<std::string>();
    const auto named = [&](const OutputColumn& output) {
      return names.size() == 1 && output.name == names[0];
    };
    auto shown = std::find_if(outputs.begin(), outputs.end(), named);
    if (shown == outputs.end()) {
      KAPPA_ASSIGN_OR_RETURN(const ExprRef expr, binder.bind(item));
      shown = std::find_if(outputs.begin(), outputs.end(), [&](const OutputColumn& output) {
        return same_meaning(output.expr, expr);
      });
    } else if (std::find_if(shown + 1, outputs.end(), named) != outputs.end()) {
      return fault(item, absl::StrCat("two columns \"", names[0], "\" are selected"),
                   "name one of them otherwise with AS");
    }
    if (shown == outputs.end()) {
      return fault(item, "what DISTINCT ON names is not selected",
                   "its columns are the view's key: add it to the SELECT list");
    }
    const auto column = static_cast<int>(shown - outputs.begin());
    if (std::find(key.begin(), key.end(), column) == key.end()) key.push_back(column);
  }
  branch.distinct = std::move(key);
  return bind_distinct_order(branch);
}

// ORDER BY of DISTINCT ON: which row of a key is the first. It begins with the key, as in
// PostgreSQL; what follows is the order.
absl::Status ViewPlanner::bind_distinct_order(Branch& branch) const {
  const auto items = branch.select->list("sortClause");
  const auto& outputs = branch.bound.outputs;
  const ExpressionBinder binder(text_, branch.from.scope, "ORDER BY");
  std::set<int> open(branch.distinct->begin(), branch.distinct->end());
  Ranking ranking;
  for (const Node& item : items) {
    KAPPA_ASSIGN_OR_RETURN(const SortDirection direction, read_direction(item));
    const Node& node = *item.child("node");
    KAPPA_ASSIGN_OR_RETURN(const int output, ordered_output(node, outputs));
    ExprRef expr = output < 0 ? nullptr : outputs[static_cast<size_t>(output)].expr;
    if (!expr) {
      KAPPA_ASSIGN_OR_RETURN(expr, binder.bind(node));
    }
    const auto is_item = [&](int column) {
      return same_meaning(outputs[static_cast<size_t>(column)].expr, expr);
    };
    if (std::any_of(branch.distinct->begin(), branch.distinct->end(), is_item)) {
      std::erase_if(open, is_item);
    } else if (!open.empty()) {
      return fault(
          node, "ORDER BY begins with what DISTINCT ON names",
          absl::StrCat("put ", outputs[static_cast<size_t>(*open.begin())].name, " before it"));
    } else {
      ranking.position = text_.position(node.offset);
      ranking.order.push_back({std::move(expr), direction.descending, direction.nulls_first});
    }
  }
  if (ranking.order.empty()) {
    const bool changes = branch.from.relation->changelog;
    return changes ? refuse_changes(items.front(), *branch.from.relation) : absl::OkStatus();
  }
  if (!branch.bound.overs.empty()) {
    return fault(items.front(), "DISTINCT ON with ORDER BY together with OVER is not supported yet",
                 "write OVER in a query in FROM");
  }
  branch.bound.ranking = std::move(ranking);
  return absl::OkStatus();
}

}  // namespace kappa::sql
