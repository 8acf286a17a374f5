#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace kappa::sql {

// What is wrong with a statement, where, and what would be right.
struct Diagnostic {
  std::string file;
  uint32_t line = 1;    // from 1
  uint32_t column = 1;  // from 1, in characters
  std::string message;  // "column \"amout\" does not exist"
  std::string hint;     // "did you mean \"amount\"?"; may be empty
  std::string source_line;
};

// product.sql:3:14: error: column "amout" does not exist
//   SELECT card, amout FROM t
//                ^
//   hint: did you mean "amount"?
std::string to_text(const Diagnostic& diagnostic);
// All of them, as InvalidArgument.
absl::Status to_status(const std::vector<Diagnostic>& diagnostics);

}  // namespace kappa::sql
