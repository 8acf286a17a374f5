#include "schemas/base64.h"

#include <array>
#include <cstdint>

namespace kappa::schemas {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr uint8_t kNone = 0xff;

constexpr std::array<uint8_t, 256> make_values() {
  std::array<uint8_t, 256> values{};
  for (uint8_t& value : values) value = kNone;
  for (size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<uint8_t>(kAlphabet[i])] = static_cast<uint8_t>(i);
  }
  return values;
}
constexpr std::array<uint8_t, 256> kValues = make_values();

}  // namespace

std::optional<StringRef> decode_base64(std::string_view text, Arena& arena) {
  if (text.size() % 4 == 0) {
    if (text.ends_with("==")) {
      text.remove_suffix(2);
    } else if (text.ends_with('=')) {
      text.remove_suffix(1);
    }
  }
  if (text.size() % 4 == 1) return std::nullopt;
  const size_t size = text.size() * 3 / 4;
  if (size == 0) return StringRef{};
  char* const bytes = arena.allocate(size);
  size_t written = 0;
  uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const uint8_t value = kValues[static_cast<uint8_t>(c)];
    if (value == kNone) return std::nullopt;
    bits = (bits << 6) | value;
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes[written++] = static_cast<char>((bits >> count) & 0xff);
    }
  }
  if ((bits & ((1u << count) - 1)) != 0) return std::nullopt;
  return StringRef{bytes, static_cast<uint32_t>(size)};
}

void append_base64(std::string_view bytes, std::string* out) {
  const auto byte = [&](size_t i) -> uint32_t {
    return i < bytes.size() ? static_cast<uint8_t>(bytes[i]) : 0;
  };
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const uint32_t bits = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    out->push_back(kAlphabet[bits >> 18]);
    out->push_back(kAlphabet[bits >> 12 & 63]);
    out->push_back(i + 1 < bytes.size() ? kAlphabet[bits >> 6 & 63] : '=');
    out->push_back(i + 2 < bytes.size() ? kAlphabet[bits & 63] : '=');
  }
}

}  // namespace kappa::schemas
