#include "engine/sql/text_check.h"

#include "absl/strings/str_cat.h"
#include "engine/sql/fault.h"
#include "engine/sql/parser/parser.h"

namespace kappa::sql {

absl::Status check_text(const SourceText& text) {
  if (text.text().size() > kTextBytesAllowed) {
    return fault(0, absl::StrCat("the text has ", text.text().size(), " bytes; at most ",
                                 kTextBytesAllowed, " are allowed"));
  }
  const size_t invalid = first_invalid_byte(text.text());
  if (invalid == text.text().size()) return absl::OkStatus();
  return fault(invalid, "the text is not UTF-8 here", "save the file as UTF-8");
}

}  // namespace kappa::sql
