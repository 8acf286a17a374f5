#include "engine/sql/with_clause.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "engine/sql/construct.h"
#include "engine/sql/fault.h"
#include "engine/types/status_macros.h"

namespace kappa::sql {

absl::StatusOr<std::vector<CommonTableClause>> read_with_clause(const Node& statement) {
  std::vector<CommonTableClause> tables;
  const Node* with = statement.child("withClause");
  if (!with) return tables;
  Node clause = *with;
  clause.kind = "WithClause";
  KAPPA_RETURN_IF_ERROR(expect_only(clause, {{"ctes"}}));
  std::set<std::string> names;
  for (const Node& table : with->list("ctes")) {
    KAPPA_RETURN_IF_ERROR(expect_only(
        table, {{"ctename"}, {"ctequery"}, {"ctematerialized", "CTEMaterializeDefault"}}));
    const std::string name(table.text("ctename"));
    if (!names.insert(name).second) {
      return fault(table, absl::StrCat("WITH has two tables \"", name, "\""));
    }
    const Node& query = *table.child("ctequery");
    if (!query.is("SelectStmt")) return fault(table, "WITH takes SELECT only");
    tables.push_back({name, &table, &query});
  }
  return tables;
}

}  // namespace kappa::sql
