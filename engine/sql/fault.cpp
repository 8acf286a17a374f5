#include "engine/sql/fault.h"

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace kappa::sql {
namespace {

constexpr char kOffset[] = "kappa.sql/offset";
constexpr char kHint[] = "kappa.sql/hint";

size_t offset_of(const absl::Status& status) {
  size_t offset = 0;
  if (const auto payload = status.GetPayload(kOffset)) {
    if (!absl::SimpleAtoi(std::string(*payload), &offset)) return 0;
  }
  return offset;
}

}  // namespace

absl::Status fault(size_t offset, std::string message, std::string hint) {
  absl::Status status = absl::InvalidArgumentError(message);
  status.SetPayload(kOffset, absl::Cord(absl::StrCat(offset)));
  if (!hint.empty()) status.SetPayload(kHint, absl::Cord(std::move(hint)));
  return status;
}

absl::Status fault(const Node& at, std::string message, std::string hint) {
  return fault(at.offset, std::move(message), std::move(hint));
}

absl::Status fault(const Node& at, const absl::Status& cause, std::string hint) {
  return fault(at.offset, std::string(cause.message()), std::move(hint));
}

absl::Status consequence() {
  return absl::AbortedError("refers to a faulty statement");
}

bool is_consequence(const absl::Status& status) {
  return status.code() == absl::StatusCode::kAborted;
}

Diagnostic to_diagnostic(const absl::Status& fault, const SourceText& text) {
  const size_t offset = offset_of(fault);
  const operators::SqlPosition position = text.position(offset);
  Diagnostic diagnostic;
  diagnostic.file = text.file();
  diagnostic.line = position.line;
  diagnostic.column = position.column;
  diagnostic.message = std::string(fault.message());
  if (const auto hint = fault.GetPayload(kHint)) diagnostic.hint = std::string(*hint);
  diagnostic.source_line = text.line_at(offset);
  return diagnostic;
}

}  // namespace kappa::sql
