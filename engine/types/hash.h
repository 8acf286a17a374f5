#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/types/batch.h"

namespace kappa {

// The hash that deals keys out to key groups. It is part of the stored format: the same on every
// machine and in every version. mix() is the finaliser of MurmurHash3 (Appleby, public domain).
//
//   integers, dates, times, booleans, numerics: mix(value as i64); beyond 64 bits
//     mix(low + mix(high ^ sign of low)), so equal values of any width hash equal
//   double: mix(bits), with -0.0 as 0.0 and every NaN as 0x7ff8000000000000
//   text, bytea: XXH3-64 of the bytes; null: 0x9e3779b97f4a7c15
//   several columns, left to right: mix(left * 0x9ddfea08eb382d69 + right); none: 0
void hash_columns(std::span<const ColumnRef> columns, size_t rows, std::vector<uint64_t>* hashes);
// From the hashes of some columns, those of these and one column more.
void hash_one_more(const Column& column, std::vector<uint64_t>* hashes);
uint64_t hash_bytes(const void* data, size_t size);

// 128 bits, to tell keys apart where nothing but their hashes is at hand: equal for equal keys, as
// above. Not stored anywhere.
struct WideHash {
  uint64_t low = 0;
  uint64_t high = 0;
  bool operator==(const WideHash&) const = default;
};
void hash_columns(std::span<const ColumnRef> columns, size_t rows, std::vector<WideHash>* hashes);
WideHash hash_wide(std::string_view bytes);

inline constexpr int kKeyGroups = 128;

// Key groups take the top bits and hash tables the bottom ones, so a worker's table is well spread.
constexpr uint32_t key_group_of(uint64_t hash) {
  return static_cast<uint32_t>(hash >> 57);
}
constexpr uint32_t worker_of(uint32_t key_group, uint32_t workers) {
  return key_group * workers / kKeyGroups;
}

}  // namespace kappa
