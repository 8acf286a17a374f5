#include "engine/sql/scope.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/sql/construct.h"
#include "engine/sql/fault.h"
#include "engine/sql/suggest.h"
#include "engine/types/status_macros.h"

namespace kappa::sql {

absl::StatusOr<int> Scope::resolve(const Node& column_ref) const {
  KAPPA_RETURN_IF_ERROR(expect_only(column_ref, {{"fields"}}));
  const auto names = column_ref.names("fields");
  for (const Node& part : column_ref.list("fields")) {
    if (part.is("A_Star")) return fault(column_ref, "* stands alone or in count(*) only");
  }
  if (names.size() > 2) {
    return fault(column_ref, "a column is named alone or as table.column");
  }
  const std::string& name = names.back();
  const std::string relation = names.size() == 2 ? names.front() : "";
  int found = -1;
  for (int i = 0; i < size(); ++i) {
    if (column(i).name != name || column(i).shadowed) continue;
    if (!relation.empty() && column(i).relation != relation) continue;
    if (found >= 0) {
      return fault(column_ref, absl::StrCat("column \"", name, "\" is ambiguous"),
                   column(found).relation == column(i).relation
                       ? "name the columns differently inside of the subquery"
                       : absl::StrCat("write ", column(found).relation, ".", name, " or ",
                                      column(i).relation, ".", name));
    }
    found = i;
  }
  if (found < 0) return no_such_column(column_ref, relation, name);
  return found;
}

absl::StatusOr<std::vector<int>> Scope::expand_star(const Node& column_ref) const {
  KAPPA_RETURN_IF_ERROR(expect_only(column_ref, {{"fields"}}));
  const auto fields = column_ref.list("fields");
  if (fields.size() > 2) return fault(column_ref, "write * or table.*");
  const std::string relation = fields.size() == 2 ? std::string(fields[0].text("sval")) : "";
  std::vector<int> found;
  for (int i = 0; i < size(); ++i) {
    const bool wanted = relation.empty() || column(i).relation == relation;
    if (wanted && column(i).in_star) found.push_back(i);
  }
  if (!relation.empty() && !has_relation(relation)) {
    return no_such_column(column_ref, relation, "*");
  }
  if (found.empty()) return fault(column_ref, "there is nothing that * could stand for");
  return found;
}

bool Scope::has(std::string_view name) const {
  return std::any_of(columns_.begin(), columns_.end(),
                     [&](const Column& column) { return column.name == name; });
}

bool Scope::has_relation(std::string_view name) const {
  return std::any_of(columns_.begin(), columns_.end(),
                     [&](const Column& column) { return column.relation == name; });
}

std::vector<std::string> Scope::relations() const {
  std::vector<std::string> names;
  for (const Column& column : columns_) {
    if (names.empty() || names.back() != column.relation) names.push_back(column.relation);
  }
  return names;
}

absl::Status Scope::no_such_column(const Node& at, const std::string& relation,
                                   const std::string& name) const {
  if (!relation.empty() && !has_relation(relation)) {
    return fault(at, absl::StrCat("FROM has no table \"", relation, "\""),
                 suggestion(relation, relations()));
  }
  // What SELECT * leaves out is not listed, but found if it is meant.
  std::vector<std::string> names;
  std::vector<std::string> listed;
  for (const Column& column : columns_) {
    if (column.shadowed || (!relation.empty() && column.relation != relation)) continue;
    if (std::find(names.begin(), names.end(), column.name) != names.end()) continue;
    names.push_back(column.name);
    if (column.in_star || column.of_window) listed.push_back(column.name);
  }
  const std::string shown = relation.empty() ? name : absl::StrCat(relation, ".", name);
  return fault(at, absl::StrCat("column \"", shown, "\" does not exist"),
               names.empty() ? "there is no FROM that would have columns"
                             : suggestion(name, closest(name, names) ? names : listed));
}

}  // namespace kappa::sql
