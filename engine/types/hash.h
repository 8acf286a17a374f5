#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/types/batch.h"

namespace kappa {

// The hash that deals keys out to key groups. It is part of the stored format: the same on every
// machine and in every version. One value: its canonical 8 or 16 bytes mixed by the finaliser of
// MurmurHash3 (Appleby, public domain); strings: XXH3-64 of their bytes; null: a constant. Columns
// are combined left to right. A key of no columns hashes to 0.
void hash_columns(std::span<const ColumnRef> columns, size_t rows, std::vector<uint64_t>* hashes);
uint64_t hash_bytes(const void* data, size_t size);

inline constexpr int kKeyGroups = 128;

// Key groups take the top bits and hash tables the bottom ones, so a worker's table is well spread.
constexpr uint32_t key_group_of(uint64_t hash) { return static_cast<uint32_t>(hash >> 57); }
constexpr uint32_t worker_of(uint32_t key_group, uint32_t workers) {
  return key_group * workers / kKeyGroups;
}

}  // namespace kappa
