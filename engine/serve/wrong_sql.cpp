#include "engine/serve/wrong_sql.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/serve/api_error.h"

namespace kappa::serve {

absl::Status wrong_sql(const std::string& field, const std::vector<sql::Diagnostic>& diagnostics) {
  std::vector<FieldViolation> violations;
  for (const sql::Diagnostic& diagnostic : diagnostics) {
    std::string description = diagnostic.message;
    if (!diagnostic.hint.empty()) description += "; " + diagnostic.hint;
    violations.push_back({absl::StrCat(field, ":", diagnostic.line, ":", diagnostic.column),
                          std::move(description)});
  }
  return with_reason(with_violations(sql::to_status(diagnostics), violations), "INVALID_SQL");
}

}  // namespace kappa::serve
