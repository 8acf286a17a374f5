#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/runtime/query_executor.h"
#include "engine/types/value.h"

// Rows as scenario files write them: cells separated by one tab.
namespace kappa::cli::scenario {

// The value's text; "(empty)" for the empty string. Tabs and line ends become \t, \n and \r, so a
// row stays one line.
std::string cell_text(const Value& value);
std::string cell_text(std::string_view text);

// I for integer and bigint, R for double precision and numeric, T for anything else.
char type_letter(const Type& type);

std::vector<std::string> rows_text(const runtime::QueryResult& result);

// The values of a JSON object's fields, in the order in which they stand.
absl::StatusOr<std::string> json_row_text(std::string_view json);

// What has to change to come from `expected` to `actual`, a line a row: "- " is missing, "+ " is
// unexpected, "  " stands in both. At most `lines_max` lines.
std::string difference(const std::vector<std::string>& expected,
                       const std::vector<std::string>& actual, size_t lines_max);

}  // namespace kappa::cli::scenario
