#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "engine/sql/parser/token.h"
#include "engine/sql/parser/tree.h"

namespace kappa::sql {

// Limits that keep the parser and those who walk its trees within their stacks.
inline constexpr size_t kTextBytesAllowed = 4u << 20;
inline constexpr size_t kStatementTokensMax = 20'000;
inline constexpr int kTreeDepthMax = 1'000;

// Parses one statement of `text` by PostgreSQL's grammar. The faults it returns have their place in
// `text` and, where the mistake is a common one, a hint what to write instead.
absl::StatusOr<Node> parse_statement(std::string_view text, const StatementText& statement);

}  // namespace kappa::sql
