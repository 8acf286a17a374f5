#include "engine/types/hash.h"

#define XXH_INLINE_ALL
#include <bit>
#include <cmath>

#include <xxhash.h>

namespace kappa {
namespace {

constexpr uint64_t kNullHash = 0x9e3779b97f4a7c15;
constexpr uint64_t kCombine = 0x9ddfea08eb382d69;
constexpr uint64_t kCanonicalNan = 0x7ff8000000000000;

// The finaliser of MurmurHash3's 64-bit variant.
constexpr uint64_t mix(uint64_t bits) {
  bits ^= bits >> 33;
  bits *= 0xff51afd7ed558ccd;
  bits ^= bits >> 33;
  bits *= 0xc4ceb9fe1a85ec53;
  bits ^= bits >> 33;
  return bits;
}

// Integers of every width hash as their value in 64 bits, so an integer and a bigint key agree.
uint64_t hash_value(int64_t value) {
  return mix(static_cast<uint64_t>(value));
}
uint64_t hash_value(int32_t value) {
  return hash_value(static_cast<int64_t>(value));
}
uint64_t hash_value(int8_t value) {
  return hash_value(static_cast<int64_t>(value));
}

// `high` is zero exactly when the value fits 64 bits, and then the hash is that of those 64 bits.
uint64_t hash_value(int128 value) {
  const auto low = static_cast<int64_t>(value);
  const auto high = static_cast<uint64_t>(static_cast<int64_t>(value >> 64) ^ (low >> 63));
  return mix(static_cast<uint64_t>(low) + mix(high));
}

uint64_t hash_value(double value) {
  if (std::isnan(value)) return mix(kCanonicalNan);
  return mix(std::bit_cast<uint64_t>(value == 0.0 ? 0.0 : value));  // -0.0 equals 0.0
}

uint64_t hash_value(const StringRef& value) {
  return hash_bytes(value.data, value.size);
}

constexpr uint64_t combine(uint64_t left, uint64_t right) {
  return mix(left * kCombine + right);
}

template <typename T, bool kFirst>
void hash_column(const Column& column, size_t rows, uint64_t* hashes) {
  const std::span<const T> values = column.values<T>();
  const std::span<const uint8_t> nulls = column.nulls();
  for (size_t i = 0; i < rows; ++i) {
    uint64_t hash = hash_value(values[i]);
    if (!nulls.empty() && nulls[i] != 0) hash = kNullHash;
    hashes[i] = kFirst ? hash : combine(hashes[i], hash);
  }
}

// The halves of a wide hash go on apart from each other, each with a multiplier of its own, so that
// rows whose halves meet in one do not meet in the other. What fits 64 bits has two equal halves:
// mix() is one-to-one. A null has not.
constexpr uint64_t kCombineHigh = 0xd6e8feb86659fd93;
constexpr WideHash kWideNull = {kNullHash, ~kNullHash};

template <typename T>
WideHash wide_hash(const T& value) {
  const uint64_t hash = hash_value(value);
  return {hash, hash};
}
WideHash wide_hash(int128 value) {
  const auto low = static_cast<uint64_t>(value);
  const auto high = static_cast<uint64_t>(value >> 64);
  return {mix(low + mix(high)), mix(high + mix(low + kCombineHigh))};
}
WideHash wide_hash(const StringRef& value) {
  return hash_wide(value.view());
}

template <typename T>
void hash_wide_column(const Column& column, std::vector<WideHash>* hashes) {
  const std::span<const T> values = column.values<T>();
  for (size_t i = 0; i < hashes->size(); ++i) {
    const WideHash hash = column.is_null(i) ? kWideNull : wide_hash(values[i]);
    WideHash& row = (*hashes)[i];
    row = {combine(row.low, hash.low), mix(row.high * kCombineHigh + hash.high)};
  }
}

}  // namespace

uint64_t hash_bytes(const void* data, size_t size) {
  return XXH3_64bits(data, size);
}

WideHash hash_wide(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.low64, hash.high64};
}

void hash_columns(std::span<const ColumnRef> columns, size_t rows, std::vector<uint64_t>* hashes) {
  hashes->assign(rows, 0);
  if (columns.empty()) return;
  KAPPA_INVARIANT(columns[0]->rows() >= rows, "rows of a key column");
  dispatch_physical(columns[0]->type().physical(),
                    [&]<typename T>() { hash_column<T, true>(*columns[0], rows, hashes->data()); });
  for (const ColumnRef& column : columns.subspan(1)) hash_one_more(*column, hashes);
}

void hash_one_more(const Column& column, std::vector<uint64_t>* hashes) {
  KAPPA_INVARIANT(column.rows() >= hashes->size(), "rows of a key column");
  dispatch_physical(column.type().physical(), [&]<typename T>() {
    hash_column<T, false>(column, hashes->size(), hashes->data());
  });
}

void hash_columns(std::span<const ColumnRef> columns, size_t rows, std::vector<WideHash>* hashes) {
  hashes->assign(rows, {kNullHash, kCombineHigh});
  for (const ColumnRef& column : columns) {
    KAPPA_INVARIANT(column->rows() >= rows, "rows of a key column");
    dispatch_physical(column->type().physical(),
                      [&]<typename T>() { hash_wide_column<T>(*column, hashes); });
  }
}

}  // namespace kappa
