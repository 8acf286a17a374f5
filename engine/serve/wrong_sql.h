#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/sql/diagnostic.h"

namespace kappa::serve {

// InvalidArgument about SQL in `field` of a request, with a violation of "field:line:column" for
// each diagnostic.
absl::Status wrong_sql(const std::string& field, const std::vector<sql::Diagnostic>& diagnostics);

}  // namespace kappa::serve
