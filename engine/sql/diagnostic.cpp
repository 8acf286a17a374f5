#include "engine/sql/diagnostic.h"

#include "absl/strings/str_cat.h"

namespace kappa::sql {
namespace {

// White space up to the column, with the line's own tabs, so that the caret stands below its place.
std::string caret_indent(const std::string& line, uint32_t column) {
  std::string indent;
  uint32_t at = 1;
  for (size_t i = 0; i < line.size() && at < column; ++i) {
    indent += line[i] == '\t' ? '\t' : ' ';
    while (i + 1 < line.size() && (static_cast<unsigned char>(line[i + 1]) & 0xC0) == 0x80) ++i;
    ++at;
  }
  return indent;
}

}  // namespace

std::string to_text(const Diagnostic& diagnostic) {
  std::string text = absl::StrCat(diagnostic.file, ":", diagnostic.line, ":", diagnostic.column,
                                  ": error: ", diagnostic.message, "\n");
  if (!diagnostic.source_line.empty()) {
    absl::StrAppend(&text, "  ", diagnostic.source_line, "\n  ",
                    caret_indent(diagnostic.source_line, diagnostic.column), "^\n");
  }
  if (!diagnostic.hint.empty()) absl::StrAppend(&text, "  hint: ", diagnostic.hint, "\n");
  return text;
}

absl::Status to_status(const std::vector<Diagnostic>& diagnostics) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics) absl::StrAppend(&text, to_text(diagnostic));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return absl::InvalidArgumentError(text);
}

}  // namespace kappa::sql
