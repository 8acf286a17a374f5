#pragma once

#include <string>

#include "absl/status/status.h"
#include "engine/sql/diagnostic.h"
#include "engine/sql/parser/tree.h"
#include "engine/sql/source_text.h"

namespace kappa::sql {

// A fault of a statement as a status: what is wrong, at which byte of the text, and what would be
// right.
absl::Status fault(size_t offset, std::string message, std::string hint = "");
absl::Status fault(const Node& at, std::string message, std::string hint = "");
// What another room refused, at a place of the text.
absl::Status fault(const Node& at, const absl::Status& cause, std::string hint = "");

// The statement depends on one that was already reported: it is faulty, but not news.
absl::Status consequence();
bool is_consequence(const absl::Status& status);

Diagnostic to_diagnostic(const absl::Status& fault, const SourceText& text);

}  // namespace kappa::sql
