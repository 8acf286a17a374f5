#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

// The innermost loops of the JSON decoder: digits, decimals, strings and fixed-format times, read
// in place. All may read up to 32 bytes beyond where they are pointed at, within the padding of a
// record. None of them explains a failure: what they do not take is read again, with reasons, by
// the slow path.
namespace kappa::schemas {

// For what only pays inside its caller's loop, where the compiler would rather share the code.
#define KAPPA_ALWAYS_INLINE inline __attribute__((always_inline))

inline uint64_t load_u64(const char* at) {
  uint64_t word = 0;
  std::memcpy(&word, at, 8);
  return word;
}

inline constexpr uint64_t kPowersOfTen[] = {1,
                                            10,
                                            100,
                                            1'000,
                                            10'000,
                                            100'000,
                                            1'000'000,
                                            10'000'000,
                                            100'000'000,
                                            1'000'000'000,
                                            10'000'000'000,
                                            100'000'000'000,
                                            1'000'000'000'000,
                                            10'000'000'000'000,
                                            100'000'000'000'000,
                                            1'000'000'000'000'000,
                                            10'000'000'000'000'000,
                                            100'000'000'000'000'000,
                                            1'000'000'000'000'000'000};

// Digits read as an integer, and how many there were.
struct Digits {
  uint64_t value = 0;
  uint32_t count = 0;
};

// The digits at `at`, at most eight, without a branch on their number.
KAPPA_ALWAYS_INLINE Digits scan_8_digits(const char* at) {
  static_assert(std::endian::native == std::endian::little, "words are read as little-endian");
  uint64_t digits = load_u64(at) ^ 0x3030303030303030;
  // The lowest byte above 9 gets its top bit set here; bytes beyond it do not matter.
  const uint64_t others = ((digits + 0x7676767676767676) | digits) & 0x8080808080808080;
  const auto count = static_cast<uint32_t>(std::countr_zero(others)) >> 3;
  if (count == 0) return {};
  digits <<= 64 - 8 * count;  // as if zeros stood before the number
  digits = (digits * 10 + (digits >> 8)) & 0x00ff00ff00ff00ff;
  digits = (digits * 100 + (digits >> 16)) & 0x0000ffff0000ffff;
  digits = (digits * 10'000 + (digits >> 32)) & 0xffffffff;
  return {digits, count};
}

// Goes on where sixteen digits have been read.
inline __attribute__((noinline)) Digits scan_last_digits(const char* at, Digits digits) {
  const Digits third = scan_8_digits(at);
  if (third.count > 2) return {0, 19};
  return {digits.value * kPowersOfTen[third.count] + third.value, digits.count + third.count};
}

// The digits at `at`, at most 18 (which fit 64 bits); count is 19 if there are more.
KAPPA_ALWAYS_INLINE Digits scan_digits(const char* at) {
  const Digits first = scan_8_digits(at);
  if (first.count < 8) return first;
  const Digits second = scan_8_digits(at + 8);
  const Digits both = {first.value * kPowersOfTen[second.count] + second.value, 8 + second.count};
  return second.count < 8 ? both : scan_last_digits(at + 16, both);
}

// A JSON integer of at most 18 digits. Returns where it ends, or nullptr. Whoever calls checks that
// what follows ends a number.
KAPPA_ALWAYS_INLINE const char* scan_integer(const char* at, int64_t* value) {
  const bool negative = *at == '-';
  at += negative ? 1 : 0;
  const Digits digits = scan_digits(at);
  if (digits.count == 0 || digits.count > 18 || (*at == '0' && digits.count > 1)) return nullptr;
  const auto size = static_cast<int64_t>(digits.value);
  *value = negative ? -size : size;
  return at + digits.count;
}

// A JSON number without exponent, of at most 18 digits: mantissa / 10^scale. Returns where it ends,
// or nullptr.
inline const char* scan_decimal(const char* at, int64_t* mantissa, uint32_t* scale) {
  const bool negative = *at == '-';
  at += negative ? 1 : 0;
  const Digits whole = scan_digits(at);
  if (whole.count == 0 || whole.count > 18 || (*at == '0' && whole.count > 1)) return nullptr;
  at += whole.count;
  auto size = static_cast<int64_t>(whole.value);
  *scale = 0;
  if (*at == '.') {
    const Digits fraction = scan_digits(at + 1);
    if (fraction.count == 0 || whole.count + fraction.count > 18) return nullptr;
    size = static_cast<int64_t>(whole.value * kPowersOfTen[fraction.count] + fraction.value);
    *scale = fraction.count;
    at += 1 + fraction.count;
  }
  *mantissa = negative ? -size : size;
  return at;
}

// The closing quote of a string whose first byte is at `at`, or nullptr if an escape, a control
// character or `end` comes before it. `ascii` tells whether all its bytes are.
KAPPA_ALWAYS_INLINE const char* scan_string(const char* at, const char* end, bool* ascii) {
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i last_control = _mm_set1_epi8(0x1f);
  uint32_t high = 0;
  for (; at < end; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
    const __m128i special = _mm_or_si128(
        _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)), control);
    const auto stops = static_cast<uint32_t>(_mm_movemask_epi8(special));
    const auto highs = static_cast<uint32_t>(_mm_movemask_epi8(bytes));
    if (stops != 0) {
      const uint32_t before = (stops & (~stops + 1)) - 1;  // the bytes before the first stop
      *ascii = (high | (highs & before)) == 0;
      at += std::countr_zero(stops);
      return *at == '"' && at < end ? at : nullptr;
    }
    high |= highs;
  }
  return nullptr;
#else
  uint8_t high = 0;
  for (; at < end; ++at) {
    const auto byte = static_cast<uint8_t>(*at);
    if (byte == '"') {
      *ascii = (high & 0x80) == 0;
      return at;
    }
    if (byte == '\\' || byte < 0x20) return nullptr;
    high |= byte;
  }
  return nullptr;
#endif
}

// Two digits as a number; more than 99 if they are none.
inline uint32_t two_digits(const char* at) {
  const auto tens = static_cast<uint32_t>(static_cast<uint8_t>(at[0])) - '0';
  const auto ones = static_cast<uint32_t>(static_cast<uint8_t>(at[1])) - '0';
  return tens > 9 || ones > 9 ? 100 : tens * 10 + ones;
}

// "HH:MM:SS" as seconds of the day, or a negative number.
inline int32_t scan_clock(const char* at) {
  const uint64_t bytes = load_u64(at);
  constexpr uint64_t kColons = 0x00003a00003a0000;
  constexpr uint64_t kColonMask = 0x0000ff0000ff0000;
  if ((bytes & kColonMask) != kColons) return -1;
  const uint32_t hours = two_digits(at);
  const uint32_t minutes = two_digits(at + 3);
  const uint32_t seconds = two_digits(at + 6);
  if (hours > 23 || minutes > 59 || seconds > 59) return -1;
  return static_cast<int32_t>(hours * 3600 + minutes * 60 + seconds);
}

// Where a JSON number that begins at `at` ends, by its grammar; nullptr if there is none. Reads up
// to `end`.
inline const char* scan_number(const char* at, const char* end) {
  const auto digit = [&](const char* c) { return c < end && *c >= '0' && *c <= '9'; };
  if (at < end && *at == '-') ++at;
  if (!digit(at)) return nullptr;
  if (*at == '0') {
    ++at;
  } else {
    while (digit(at)) ++at;
  }
  if (at < end && *at == '.') {
    if (!digit(++at)) return nullptr;
    while (digit(at)) ++at;
  }
  if (at < end && (*at == 'e' || *at == 'E')) {
    ++at;
    if (at < end && (*at == '+' || *at == '-')) ++at;
    if (!digit(at)) return nullptr;
    while (digit(at)) ++at;
  }
  return at;
}

}  // namespace kappa::schemas
