#include "engine/types/text.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace kappa {
namespace {

constexpr size_t kExcerptBytesMax = 64;

// Whether the byte continues a UTF-8 character that began before it.
bool continues_character(char byte) {
  return (static_cast<uint8_t>(byte) & 0xc0) == 0x80;
}

}  // namespace

std::string_view strip_spaces(std::string_view text) {
  return to_std(absl::StripAsciiWhitespace(to_absl(text)));
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return absl::EqualsIgnoreCase(to_absl(a), to_absl(b));
}

std::string excerpt(std::string_view text) {
  size_t end = text.size();
  if (end > kExcerptBytesMax) {
    end = kExcerptBytesMax;
    while (end > kExcerptBytesMax - 4 && continues_character(text[end])) --end;
  }
  return absl::StrCat("\"", absl::Utf8SafeCHexEscape(to_absl(text.substr(0, end))),
                      end < text.size() ? "…\"" : "\"");
}

}  // namespace kappa
