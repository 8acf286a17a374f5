#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "engine/types/column.h"

namespace kappa {

// Where in its epoch a row stands: the number of the record whose place it is (counted from 0 in
// the epoch's order), and whether a timer caused it that fired there (0) or the record itself (1).
// All timers of a place fire before its record is applied, so numeric order is the order.
struct RowPlace {
  uint32_t value = 0;

  static constexpr RowPlace of_timer(uint32_t place) { return {place << 1}; }
  static constexpr RowPlace of_record(uint32_t place) { return {(place << 1) | 1}; }
  constexpr uint32_t place() const { return value >> 1; }
  constexpr bool is_timer() const { return (value & 1) == 0; }
  // Index into a watermark track (see runtime/watermark.h) that holds the watermark this row meets:
  // a timer's row still meets the one before its place.
  constexpr uint32_t track_index() const { return (value >> 1) + (value & 1); }
  auto operator<=>(const RowPlace&) const = default;
};

// Rows on an edge between operators, or of a query. Ascending by place. Dense: a filter gathers the
// rows that pass. Columns are shared, never changed.
struct Batch {
  size_t rows = 0;
  std::vector<ColumnRef> columns;
  std::vector<RowPlace> places;  // one a row; empty in queries
  std::vector<int8_t> signs;     // +1 insert, -1 retract; empty on append-only edges
  // What puts rows of one place into the same order for every number of workers: where timers cause
  // them (operators/timers.h), and where an exchange parts them (runtime/exchange.h). Empty if no
  // row has one.
  std::vector<StringRef> ties;
  // What hash_columns() gives for the key by which an exchange dealt the rows out; else empty.
  std::vector<uint64_t> key_hashes;

  bool empty() const { return rows == 0; }
};

// Adds the values `picked`, in that order.
template <typename T>
void append_picked(const std::vector<T>& values, std::span<const uint32_t> picked,
                   std::vector<T>* to) {
  const size_t before = to->size();
  to->resize(before + picked.size());
  T* const out = to->data() + before;
  for (size_t i = 0; i < picked.size(); ++i) out[i] = values[picked[i]];
}

// The rows `picked` of a batch, in that order; without key_hashes.
Batch gather(const Batch& batch, const std::vector<uint32_t>& picked);

}  // namespace kappa
