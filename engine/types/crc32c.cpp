#include "engine/types/crc32c.h"

#include <array>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace kappa {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // reversed

using Tables = std::array<std::array<uint32_t, 256>, 8>;

// tables[k][b]: the crc of byte b followed by k zero bytes ("slicing by 8", Kounavis and Berry).
constexpr Tables make_tables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (size_t byte = 0; byte < 256; ++byte) {
    for (size_t k = 1; k < 8; ++k) {
      const uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}
constexpr Tables kTables = make_tables();

uint32_t extend_by_table(uint32_t crc, const uint8_t* at, size_t size) {
  static_assert(std::endian::native == std::endian::little, "words are read as little-endian");
  for (; size >= 8; at += 8, size -= 8) {
    uint64_t word = 0;
    std::memcpy(&word, at, 8);
    word ^= crc;
    crc = 0;
    for (size_t k = 0; k < 8; ++k) crc ^= kTables[7 - k][(word >> (8 * k)) & 0xff];
  }
  for (; size > 0; ++at, --size) crc = (crc >> 8) ^ kTables[0][(crc ^ *at) & 0xff];
  return crc;
}

#if defined(__x86_64__)
// The instruction takes three cycles but one can start in each, so long data goes through three
// streams of this many bytes side by side.
constexpr size_t kStreamBytes = 256;

using ShiftTable = std::array<std::array<uint32_t, 256>, 4>;

// shift[k][b]: what byte k of a crc, having the value b, becomes after kStreamBytes zero bytes. The
// map is linear, so it is made of that of each single bit.
constexpr ShiftTable make_shift_table() {
  std::array<uint32_t, 32> bits{};
  for (size_t bit = 0; bit < 32; ++bit) {
    uint32_t crc = uint32_t{1} << bit;
    for (size_t i = 0; i < kStreamBytes; ++i) crc = (crc >> 8) ^ kTables[0][crc & 0xff];
    bits[bit] = crc;
  }
  ShiftTable table{};
  for (size_t k = 0; k < 4; ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      for (size_t bit = 0; bit < 8; ++bit) {
        if ((byte >> bit & 1) != 0) table[k][byte] ^= bits[8 * k + bit];
      }
    }
  }
  return table;
}
constexpr ShiftTable kShift = make_shift_table();

uint32_t shift_stream(uint64_t crc) {
  return kShift[0][crc & 0xff] ^ kShift[1][crc >> 8 & 0xff] ^ kShift[2][crc >> 16 & 0xff] ^
         kShift[3][crc >> 24 & 0xff];
}

uint64_t load_word(const uint8_t* at) {
  uint64_t word = 0;
  std::memcpy(&word, at, 8);
  return word;
}

__attribute__((target("sse4.2"))) uint32_t extend_by_hardware(uint32_t crc, const uint8_t* at,
                                                              size_t size) {
  uint64_t first = crc;
  for (; size >= 3 * kStreamBytes; at += 3 * kStreamBytes, size -= 3 * kStreamBytes) {
    uint64_t second = 0;
    uint64_t third = 0;
    for (size_t i = 0; i < kStreamBytes; i += 8) {
      first = _mm_crc32_u64(first, load_word(at + i));
      second = _mm_crc32_u64(second, load_word(at + kStreamBytes + i));
      third = _mm_crc32_u64(third, load_word(at + 2 * kStreamBytes + i));
    }
    second ^= shift_stream(first);
    first = third ^ shift_stream(second);
  }
  for (; size >= 8; at += 8, size -= 8) first = _mm_crc32_u64(first, load_word(at));
  crc = static_cast<uint32_t>(first);
  for (; size > 0; ++at, --size) crc = _mm_crc32_u8(crc, *at);
  return crc;
}

bool has_hardware() {
  static const bool supported = __builtin_cpu_supports("sse4.2") != 0;
  return supported;
}
#endif

}  // namespace

uint32_t crc32c_portable(const void* data, size_t size, uint32_t crc) {
  return ~extend_by_table(~crc, static_cast<const uint8_t*>(data), size);
}

uint32_t crc32c(const void* data, size_t size, uint32_t crc) {
#if defined(__x86_64__)
  if (has_hardware()) return ~extend_by_hardware(~crc, static_cast<const uint8_t*>(data), size);
#endif
  return crc32c_portable(data, size, crc);
}

}  // namespace kappa
