#pragma once

#include <string>
#include <string_view>

#include "engine/sql/parser/token.h"

namespace kappa::sql {

// What to write instead, where the statement looks like something that PostgreSQL's grammar does
// not know but users of other engines write; or where the error stands at a common slip. Empty: no
// idea. `error_offset` is where the parser gave up.
std::string syntax_hint(std::string_view text, const StatementText& statement, size_t error_offset);

}  // namespace kappa::sql
