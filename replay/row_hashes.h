#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/types/batch.h"
#include "engine/types/hash.h"

namespace kappa::replay {

// What the rows of a batch are told apart by: its first columns are their key, the others what may
// differ between two rows of one key.
struct HashedBatch {
  std::vector<WideHash> keys;
  std::vector<uint64_t> rows;                  // of all columns
  std::vector<std::vector<uint32_t>> columns;  // of each that is not of the key

  void hash(const Batch& batch, size_t key_columns);

 private:
  std::vector<uint64_t> column_;  // scratch
};

// The hashes of many rows, found by that of their key. Rows with one key are counted, and all have
// the hashes of the first.
class RowHashes {
 public:
  using Id = uint32_t;
  static constexpr Id kNone = ~Id{0};

  // `columns`: how many there are beside the key's.
  explicit RowHashes(size_t columns) : columns_(columns), slots_(kSlotsMin) {}

  // Adds a row of a batch, as one that waits for its like. The caller has asked what it takes.
  void add(const HashedBatch& batch, size_t row);
  // The rows of that key, or kNone.
  Id find(const WideHash& key) const;
  // Brings near where add() or find() will look for the key, some rows ahead of them.
  void prefetch(const WideHash& key) const {
    __builtin_prefetch(&slots_[key.low & (slots_.size() - 1)]);
  }

  // How many of these rows have not met their like yet.
  uint32_t& waiting(Id id) { return chunks_[id / kRows]->waiting[id % kRows]; }
  uint64_t row(Id id) const { return chunks_[id / kRows]->rows[id % kRows]; }
  std::span<const uint32_t> columns(Id id) const {
    return std::span(chunks_[id / kRows]->columns).subspan(id % kRows * columns_, columns_);
  }

  // What it takes once `rows` more are added, or may take on the way there. As many as possible:
  // there are no numbers for so many rows.
  size_t memory_bytes_with(size_t rows) const;

 private:
  // Grown in chunks, so that growth neither copies rows nor needs room for them twice.
  static constexpr size_t kRows = 1024;
  struct Chunk {
    std::array<WideHash, kRows> keys;
    std::array<uint64_t, kRows> rows;
    std::array<uint32_t, kRows> waiting;
    std::vector<uint32_t> columns;
  };
  static constexpr size_t kSlotsMin = 1024;  // a power of two, as all sizes are

  size_t chunk_bytes() const { return sizeof(Chunk) + kRows * columns_ * sizeof(uint32_t); }
  static size_t slots_for(size_t rows);
  size_t slot_of(const WideHash& key) const;
  static uint64_t slot_value(const WideHash& key, Id id) {
    return (key.high & ~uint64_t{kNone}) | (id + 1);
  }
  void grow();

  size_t columns_;
  size_t size_ = 0;  // keys
  std::vector<std::unique_ptr<Chunk>> chunks_;
  // By the low half of the key, linear probing: 32 bits of its high half, so that other keys are
  // passed by unseen, and id + 1. 0: free.
  std::vector<uint64_t> slots_;
};

}  // namespace kappa::replay
