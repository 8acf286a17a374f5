#include "engine/sql/nested_queries.h"

#include "engine/sql/with_clause.h"
#include "engine/types/status_macros.h"

namespace kappa::sql {

absl::StatusOr<const Relation*> NestedQueries::add(const Node& select, const std::string& name) {
  KAPPA_ASSIGN_OR_RETURN(Relation rows, plan_(select));
  rows.name = name;
  return own(std::move(rows));
}

const Relation* NestedQueries::own(Relation rows) {
  // Its rows are those that were planned, whatever reads them.
  builder_.keep(rows.node);
  return &planned_.emplace_back(std::move(rows));
}

absl::Status NestedQueries::declare_with(const Node& statement) {
  KAPPA_ASSIGN_OR_RETURN(const auto clauses, read_with_clause(statement));
  for (const CommonTableClause& table : clauses) {
    KAPPA_ASSIGN_OR_RETURN(const Relation* rows, add(*table.query, table.name));
    tables_[table.name] = rows;
  }
  return absl::OkStatus();
}

absl::StatusOr<const Relation*> NestedQueries::find(const Node& at, const std::string& name) const {
  if (const auto table = tables_.find(name); table != tables_.end()) return table->second;
  return catalog_.find(at, name);
}

absl::StatusOr<const Relation*> NestedQueries::add_subquery(const Node& select,
                                                            const std::string& alias) {
  return add(select, alias);
}

}  // namespace kappa::sql
