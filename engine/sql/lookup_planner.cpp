#include "engine/sql/lookup_planner.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/sql/coercion.h"
#include "engine/sql/expression_tree.h"
#include "engine/sql/fault.h"
#include "engine/types/status_macros.h"
#include "operators/functions.h"

namespace kappa::sql {

using operators::ExprKind;
using operators::ExprRef;

namespace {

// Whether a cast keeps different values different, so that a key stays one.
bool is_exact(const Type& from, const Type& to) {
  switch (from.id) {
    case TypeId::kInteger:
      return true;
    case TypeId::kBigint:
    case TypeId::kNumeric:
      return to.id == TypeId::kNumeric;
    case TypeId::kDate:
      return to.id == TypeId::kTimestamptz;
    default:
      return false;
  }
}

// The column of which an expression is the value, perhaps in a wider type; null: it is none.
const operators::Expr* key_column(const ExprRef& expr, bool* exact) {
  if (is_column(expr)) return expr.get();
  if (expr->kind != ExprKind::kCast) return nullptr;
  *exact = *exact && is_exact(expr->args[0]->type, expr->type);
  return key_column(expr->args[0], exact);
}

// Whether a condition says that a column is equal to something that reads no column.
bool is_pinned(const ExprRef& condition, int column) {
  if (!condition) return false;
  if (condition->kind == ExprKind::kAnd) {
    return std::any_of(condition->args.begin(), condition->args.end(),
                       [&](const ExprRef& part) { return is_pinned(part, column); });
  }
  if (condition->kind != ExprKind::kCall || condition->function->name != "=") return false;
  const auto pins = [&](const ExprRef& key, const ExprRef& value) {
    bool exact = true;
    const operators::Expr* found = key_column(key, &exact);
    std::set<int> read;
    collect_columns(*value, &read);
    return found && exact && found->column == column && read.empty();
  };
  const auto& args = condition->args;
  return pins(args[0], args[1]) || pins(args[1], args[0]);
}

}  // namespace

absl::Status refuse_lookup(const Node& at, const JoinSide& right, const JoinCondition& on) {
  std::vector<std::string> names;
  for (const auto& equality : on.equalities) {
    if (!is_column(equality.second)) continue;
    names.push_back(right.scope.column(equality.second->column).name);
  }
  const std::string& name = right.rows.name;
  const std::string key = names.empty() ? "…" : absl::StrJoin(names, ", ");
  const std::string hint = absl::StrCat("make a view of its latest rows and join that: CREATE ",
                                        "MATERIALIZED VIEW … WITH (key = '", key, "') AS SELECT …");
  if (right.rows.source) {
    return fault(at, absl::StrCat("\"", name, "\" is a topic, and a join looks rows up in a view"),
                 hint);
  }
  if (right.rows.key) {
    return fault(at, absl::StrCat("\"", name, "\" reads a topic whose key no view keeps"), hint);
  }
  return fault(at, absl::StrCat("\"", name, "\" has no key to look its rows up by"), hint);
}

absl::StatusOr<LookupKey> take_lookup_key(const Node& condition, const SourceText& text,
                                          const JoinSide& left, const JoinSide& right,
                                          JoinCondition* on) {
  LookupKey key;
  for (int column : *right.rows.key) {
    const Scope::Column& wanted = right.scope.column(column);
    const ExprRef* inexact = nullptr;
    const auto pair = std::find_if(on->equalities.begin(), on->equalities.end(), [&](auto& each) {
      bool exact = true;
      const operators::Expr* found = key_column(each.second, &exact);
      if (!found || found->column != column) return false;
      if (!exact) inexact = &each.second;
      return exact;
    });
    if (pair != on->equalities.end()) {
      key.left.push_back(pair->first);
      key.right.push_back(pair->second);
      on->equalities.erase(pair);
      continue;
    }
    // Among the rows that the filter lets through the others are the key.
    if (is_pinned(on->right_filter, column)) continue;
    if (inexact) {
      return fault(text.offset((*inexact)->position),
                   absl::StrCat("the key column \"", wanted.name, "\" is looked up as ",
                                to_string((*inexact)->type), ", which is less exact"),
                   absl::StrCat("cast the other side: CAST(… AS ", to_string(wanted.type), ")"));
    }
    return fault(condition,
                 absl::StrCat("the key column \"", wanted.name, "\" of \"", right.rows.name,
                              "\" is not in the condition of this lookup"),
                 absl::StrCat("add AND ", wanted.relation, ".", wanted.name, " = …"));
  }
  for (const auto& [on_left, on_right] : on->equalities) {
    const ExprRef moved =
        move_columns(on_right, [&](int column) { return column + left.scope.size(); });
    KAPPA_ASSIGN_OR_RETURN(ExprRef same, make_call(condition, on_left->position, "=",
                                                   {{on_left, &condition}, {moved, &condition}}));
    on->residuals.push_back(std::move(same));
  }
  on->equalities.clear();
  return key;
}

absl::StatusOr<std::optional<operators::Expiry>> lookup_expiry(const Node& at,
                                                               const JoinSide& right) {
  if (right.rows.changelog || !right.rows.expiry) return std::nullopt;
  if (right.rows.expiry->column >= 0) return right.rows.expiry;
  return fault(
      at,
      absl::StrCat("rows of \"", right.rows.name, "\" expire, and it does not show by which time"),
      "select the event time of the view that it reads, or window_start");
}

}  // namespace kappa::sql
