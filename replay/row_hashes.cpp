#include "replay/row_hashes.h"

#include <algorithm>
#include <limits>

#include "engine/types/invariant.h"

namespace kappa::replay {

void HashedBatch::hash(const Batch& batch, size_t key_columns) {
  constexpr uint64_t kSeed = 0x2545f4914f6cdd1d;  // not 0: a row of zeros counts in a sum
  const std::span all(batch.columns);
  hash_columns(all.first(key_columns), batch.rows, &keys);
  rows.assign(batch.rows, kSeed);
  for (const ColumnRef& column : all) hash_one_more(*column, &rows);
  columns.resize(all.size() - key_columns);
  for (size_t c = 0; c < columns.size(); ++c) {
    hash_columns(all.subspan(key_columns + c, 1), batch.rows, &column_);
    columns[c].resize(batch.rows);
    for (size_t row = 0; row < batch.rows; ++row) {
      columns[c][row] = static_cast<uint32_t>(column_[row] >> 32);
    }
  }
}

// No more than three quarters are taken.
size_t RowHashes::slots_for(size_t rows) {
  size_t slots = kSlotsMin;
  while (slots / 4 * 3 < rows) slots *= 2;
  return slots;
}

// The slot that holds the key, or the free one where it would be.
size_t RowHashes::slot_of(const WideHash& key) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = key.low & mask;
  while (slots_[slot] != 0) {
    const Id id = static_cast<Id>(slots_[slot]) - 1;
    if (slots_[slot] == slot_value(key, id) && chunks_[id / kRows]->keys[id % kRows] == key) break;
    slot = (slot + 1) & mask;
  }
  return slot;
}

RowHashes::Id RowHashes::find(const WideHash& key) const {
  return static_cast<Id>(slots_[slot_of(key)]) - 1;
}

void RowHashes::add(const HashedBatch& batch, size_t row) {
  if (const Id known = find(batch.keys[row]); known != kNone) {
    ++waiting(known);
    return;
  }
  KAPPA_INVARIANT(size_ < kNone, "row hashes are numbered in 32 bits");
  if (size_ == chunks_.size() * kRows) {
    chunks_.push_back(std::make_unique<Chunk>());
    chunks_.back()->columns.resize(kRows * columns_);
  }
  if (slots_for(size_ + 1) > slots_.size()) grow();
  const auto id = static_cast<Id>(size_++);
  Chunk& chunk = *chunks_[id / kRows];
  const size_t at = id % kRows;
  chunk.keys[at] = batch.keys[row];
  chunk.rows[at] = batch.rows[row];
  chunk.waiting[at] = 1;
  for (size_t c = 0; c < columns_; ++c) {
    chunk.columns[at * columns_ + c] = batch.columns[c][row];
  }
  slots_[slot_of(chunk.keys[at])] = slot_value(chunk.keys[at], id);
}

void RowHashes::grow() {
  const size_t slots = slots_.size() * 2;
  std::vector<uint64_t>().swap(
      slots_);  // before there are more: the chunks have all that is needed
  slots_.resize(slots);
  for (Id id = 0; id < size_; ++id) {
    const WideHash& key = chunks_[id / kRows]->keys[id % kRows];
    slots_[slot_of(key)] = slot_value(key, id);
  }
}

size_t RowHashes::memory_bytes_with(size_t rows) const {
  if (rows >= kNone - size_) return std::numeric_limits<size_t>::max();
  const size_t chunks = std::max(chunks_.size(), (size_ + rows + kRows - 1) / kRows);
  const size_t slots = std::max(slots_.size(), slots_for(size_ + rows));
  return chunks * chunk_bytes() + slots * sizeof(uint64_t);
}

}  // namespace kappa::replay
