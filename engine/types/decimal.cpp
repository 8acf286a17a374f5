#include "engine/types/decimal.h"

#include <array>
#include <charconv>
#include <limits>

namespace kappa {
namespace {

constexpr int kDigitsMax = 38;

constexpr std::array<int128, kDigitsMax + 1> make_powers() {
  std::array<int128, kDigitsMax + 1> powers{};
  powers[0] = 1;
  for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}
constexpr auto kPowers = make_powers();

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

unsigned __int128 magnitude(int128 value) {
  const auto bits = static_cast<unsigned __int128>(value);
  return value < 0 ? ~bits + 1 : bits;
}

// The parts of "-12.50e3": "12", "50" and 3.
struct Parts {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  int exponent = 0;
};

std::string_view take_digits(std::string_view* text) {
  size_t count = 0;
  while (count < text->size() && is_digit((*text)[count])) ++count;
  const std::string_view digits = text->substr(0, count);
  text->remove_prefix(count);
  return digits;
}

bool split_exponent(std::string_view text, int* exponent) {
  if (text.size() > 1 && text[0] == '+' && is_digit(text[1])) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *exponent);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) return false;
  // Whatever is this large or small is out of range or zero all the same.
  constexpr int kFar = 1'000'000;
  if (error == std::errc::result_out_of_range) *exponent = text[0] == '-' ? -kFar : kFar;
  if (*exponent > kFar) *exponent = kFar;
  if (*exponent < -kFar) *exponent = -kFar;
  return true;
}

std::optional<Parts> split(std::string_view text) {
  Parts parts;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    parts.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  parts.whole = take_digits(&text);
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    parts.fraction = take_digits(&text);
  }
  if (parts.whole.empty() && parts.fraction.empty()) return std::nullopt;
  if (text.empty()) return parts;
  if (text[0] != 'e' && text[0] != 'E') return std::nullopt;
  if (!split_exponent(text.substr(1), &parts.exponent)) return std::nullopt;
  return parts;
}

}  // namespace

int128 power_of_ten(int exponent) {
  return kPowers[static_cast<size_t>(exponent)];
}

bool fits_precision(int128 value, int precision) {
  return magnitude(value) < static_cast<unsigned __int128>(power_of_ten(precision));
}

std::optional<int128> rescale(int128 value, int from_scale, int to_scale) {
  const int shift = to_scale - from_scale;
  int128 result = value;
  if (shift > 0 && value != 0) {
    if (shift > kDigitsMax || __builtin_mul_overflow(value, power_of_ten(shift), &result))
      return std::nullopt;
  } else if (shift < -kDigitsMax) {
    return 0;
  } else if (shift < 0) {
    const int128 divisor = power_of_ten(-shift);
    result = value / divisor;
    const int128 rest = value % divisor;
    if (magnitude(rest) >= static_cast<unsigned __int128>(divisor - divisor / 2))
      result += value < 0 ? -1 : 1;
  }
  if (!fits_precision(result, kDigitsMax)) return std::nullopt;
  return result;
}

bool is_decimal(std::string_view text) {
  return split(text).has_value();
}

namespace {

// The digits of a number without its point, as if zeros followed for ever.
class DigitString {
 public:
  explicit DigitString(const Parts& parts)
      : parts_(parts), size_(static_cast<int64_t>(parts.whole.size() + parts.fraction.size())) {}

  int64_t size() const { return size_; }
  int operator[](int64_t i) const {
    const auto index = static_cast<size_t>(i);
    if (i >= size_) return 0;
    if (index < parts_.whole.size()) return parts_.whole[index] - '0';
    return parts_.fraction[index - parts_.whole.size()] - '0';
  }
  // Whether there are only zeros from digit `i` on.
  bool ends_before(int64_t i) const {
    for (int64_t k = i < 0 ? 0 : i; k < size_; ++k) {
      if ((*this)[k] != 0) return false;
    }
    return true;
  }

 private:
  const Parts& parts_;
  int64_t size_;
};

std::optional<int128> parse_to_scale(std::string_view text, int scale, bool exactly) {
  const std::optional<Parts> parts = split(text);
  if (!parts) return std::nullopt;
  const DigitString digits(*parts);
  // The digits, read as one integer, are cut or filled with zeros so that `scale` of them follow
  // the point.
  const int64_t kept = static_cast<int64_t>(parts->whole.size()) + parts->exponent + scale;
  if (exactly && !digits.ends_before(kept)) return std::nullopt;
  if (kept < 0) return 0;
  int128 value = 0;
  for (int64_t i = 0; i < kept && (i < digits.size() || value != 0); ++i) {
    if (value >= power_of_ten(kDigitsMax - 1)) return std::nullopt;
    value = value * 10 + digits[i];
  }
  if (digits[kept] >= 5) value += 1;
  if (!fits_precision(value, kDigitsMax)) return std::nullopt;
  return parts->negative ? -value : value;
}

}  // namespace

std::optional<int128> parse_decimal(std::string_view text, int scale) {
  return parse_to_scale(text, scale, false);
}

std::optional<int128> parse_decimal_exactly(std::string_view text, int scale) {
  return parse_to_scale(text, scale, true);
}

std::string decimal_to_text(int128 value, int scale) {
  std::array<char, 48> buffer{};
  size_t at = buffer.size();
  unsigned __int128 rest = magnitude(value);
  int written = 0;
  const auto put = [&](int digit) {
    if (written == scale && scale > 0) buffer[--at] = '.';
    buffer[--at] = static_cast<char>('0' + digit);
    ++written;
  };
  // To divide 128 bits is slow, and few values have so many.
  for (; rest > std::numeric_limits<uint64_t>::max(); rest /= 10) put(static_cast<int>(rest % 10));
  for (auto low = static_cast<uint64_t>(rest); low != 0 || written <= scale; low /= 10) {
    put(static_cast<int>(low % 10));
  }
  if (value < 0) buffer[--at] = '-';
  return {buffer.data() + at, buffer.size() - at};
}

}  // namespace kappa
