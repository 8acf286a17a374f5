#include <array>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/types/text.h"
#include "operators/functions_kernel.h"
#include "operators/functions_utf8.h"
#include "schemas/utf8.h"

// Bytes to text and back.
namespace kappa::operators {
namespace {

enum class Format { kHex, kBase64, kUnknown };

Format format_of(RowScope& scope, StringRef name) {
  if (equals_ignoring_case(name.view(), "hex")) return Format::kHex;
  if (equals_ignoring_case(name.view(), "base64")) return Format::kBase64;
  scope.fail([&] {
    return absl::StrCat("unrecognized encoding: ", excerpt(name.view()),
                        "; there are hex and base64");
  });
  return Format::kUnknown;
}

constexpr char kBase64Digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr uint32_t kBase64LineMax = 76;  // RFC 2045, as PostgreSQL writes it

StringRef encode_hex(RowScope& scope, StringRef bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  char* to = scope.arena.allocate(uint64_t{bytes.size} * 2);
  uint32_t size = 0;
  for (const char c : bytes.view()) {
    to[size++] = kDigits[static_cast<uint8_t>(c) >> 4];
    to[size++] = kDigits[static_cast<uint8_t>(c) & 15];
  }
  return {to, size};
}

StringRef encode_base64(RowScope& scope, StringRef bytes) {
  const uint64_t digits = (uint64_t{bytes.size} + 2) / 3 * 4;
  char* to = scope.arena.allocate(digits + digits / kBase64LineMax);
  uint32_t size = 0;
  uint32_t in_line = 0;
  for (uint32_t at = 0; at < bytes.size; at += 3) {
    if (in_line == kBase64LineMax) {
      to[size++] = '\n';
      in_line = 0;
    }
    const auto byte = [&](uint32_t i) {
      return i < bytes.size ? uint32_t{static_cast<uint8_t>(bytes.data[i])} : 0u;
    };
    const uint32_t bits = byte(at) << 16 | byte(at + 1) << 8 | byte(at + 2);
    to[size++] = kBase64Digits[bits >> 18];
    to[size++] = kBase64Digits[(bits >> 12) & 63];
    to[size++] = at + 1 < bytes.size ? kBase64Digits[(bits >> 6) & 63] : '=';
    to[size++] = at + 2 < bytes.size ? kBase64Digits[bits & 63] : '=';
    in_line += 4;
  }
  return {to, size};
}

StringRef encode(RowScope& scope, StringRef bytes, StringRef name) {
  const Format format = format_of(scope, name);
  if (format == Format::kUnknown || !fits_text(scope, uint64_t{bytes.size} * 2)) return {};
  return format == Format::kHex ? encode_hex(scope, bytes) : encode_base64(scope, bytes);
}

// The value of a digit, or -1.
int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : (c == '/' ? 63 : -1);
}

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

StringRef decode_hex(RowScope& scope, StringRef text) {
  char* to = scope.arena.allocate(text.size);
  uint32_t digits = 0;
  int pending = 0;
  for (const char c : text.view()) {
    if (is_space(c)) continue;
    const int digit = hex_digit(c);
    if (digit < 0) {
      scope.fail([&] {
        return absl::StrCat("invalid hexadecimal digit: ", excerpt(std::string_view(&c, 1)));
      });
      return {};
    }
    if (digits % 2 == 1) to[digits / 2] = static_cast<char>(pending * 16 + digit);
    pending = digit;
    ++digits;
  }
  if (digits % 2 == 1) scope.fail("invalid hexadecimal data: odd number of digits");
  return {to, digits / 2};
}

StringRef decode_base64(RowScope& scope, StringRef text) {
  char* to = scope.arena.allocate(text.size);
  uint32_t size = 0;
  uint32_t bits = 0;
  int digits = 0;   // of the group of four
  int padding = 0;  // = signs at its end
  for (const char c : text.view()) {
    if (is_space(c)) continue;
    const int digit = c == '=' && digits >= 2 ? 0 : base64_digit(c);
    if (digit < 0 || (padding > 0 && c != '=')) {
      scope.fail([&] {
        return absl::StrCat("invalid symbol ", excerpt(std::string_view(&c, 1)),
                            " found while decoding base64 sequence");
      });
      return {};
    }
    padding += c == '=' ? 1 : 0;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    if (++digits < 4) continue;
    for (int i = 0; i < 3 - padding; ++i) to[size++] = static_cast<char>(bits >> (16 - 8 * i));
    digits = 0;
    bits = 0;
  }
  if (digits != 0)
    scope.fail("invalid base64 end sequence: the last group has fewer than 4 digits");
  return {to, size};
}

StringRef decode(RowScope& scope, StringRef text, StringRef name) {
  const Format format = format_of(scope, name);
  if (format == Format::kUnknown) return {};
  return format == Format::kHex ? decode_hex(scope, text) : decode_base64(scope, text);
}

StringRef convert_from(RowScope& scope, StringRef bytes, StringRef name) {
  if (!equals_ignoring_case(name.view(), "utf8") && !equals_ignoring_case(name.view(), "utf-8")) {
    scope.fail([&] {
      return absl::StrCat("unrecognized encoding: ", excerpt(name.view()), "; there is UTF8");
    });
    return {};
  }
  const std::string_view text = bytes.view();
  if (!schemas::is_valid_utf8(text) || text.find('\0') != std::string_view::npos) {
    scope.fail(
        [&] { return absl::StrCat("invalid bytes for the encoding UTF8: ", excerpt(text)); });
    return {};
  }
  return bytes;
}

}  // namespace

void add_bytes_functions(FunctionList& list) {
  ScalarFunction function;
  function.name = "encode";
  function.args = {Type::bytea(), Type::text()};
  function.result = Type::text();
  function.kernel = row_kernel<encode>;
  list.push_back(function);
  function.name = "decode";
  function.args = {Type::text(), Type::text()};
  function.result = Type::bytea();
  function.kernel = row_kernel<decode>;
  list.push_back(function);
  function.name = "convert_from";
  function.args = {Type::bytea(), Type::text()};
  function.result = Type::text();
  function.kernel = row_kernel<convert_from>;
  list.push_back(function);
}

}  // namespace kappa::operators
