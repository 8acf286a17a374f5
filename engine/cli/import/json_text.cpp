#include "engine/cli/import/json_text.h"

#include "absl/strings/ascii.h"

namespace kappa::cli {

void append_json_string(std::string_view text, std::string* json) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  *json += '"';
  size_t from = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    json->append(text, from, i - from);
    from = i + 1;
    if (c == '\n') {
      *json += "\\n";
    } else if (c >= 0x20) {
      *json += '\\';
      *json += text[i];
    } else {
      *json += "\\u00";
      *json += kHex[c >> 4];
      *json += kHex[c & 15];
    }
  }
  json->append(text, from);
  *json += '"';
}

bool parse_json_number(std::string_view text, JsonNumber* number) {
  *number = {};
  size_t at = 0;
  const auto digits = [&] {
    const size_t from = at;
    while (at < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[at]))) ++at;
    return at - from;
  };
  if (text.starts_with('-')) ++at;
  const bool zero = at < text.size() && text[at] == '0';
  const size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) return false;
  number->digits = whole;
  if (at < text.size() && text[at] == '.') {
    ++at;
    const size_t fraction = digits();
    if (fraction == 0) return false;
    number->digits += fraction;
    number->whole = false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (digits() == 0) return false;
    number->whole = false;
    number->exponent = true;
  }
  return at == text.size();
}

}  // namespace kappa::cli
