#pragma once

#include "absl/status/status.h"
#include "engine/sql/source_text.h"

namespace kappa::sql {

// Whether a text can be read at all: UTF-8 without NUL bytes, not too long.
absl::Status check_text(const SourceText& text);

}  // namespace kappa::sql
