#pragma once

#include <string>
#include <string_view>

namespace kappa::cli {

// Appends `text` (UTF-8) as a JSON string, in quotes.
void append_json_string(std::string_view text, std::string* json);

// A number as RFC 8259 writes it.
struct JsonNumber {
  size_t digits = 0;
  bool whole = true;  // neither a point nor an exponent
  bool exponent = false;
};
// Whether all of `text` is one.
bool parse_json_number(std::string_view text, JsonNumber* number);

}  // namespace kappa::cli
