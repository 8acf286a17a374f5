#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "state/mapped_memory.h"

namespace kappa::state {

using RowId = uint32_t;
inline constexpr RowId kNoRow = ~RowId{0};

// From the hash of a key to the rows that may hold it: open addressing in shards of at most 4,096
// slots under extendible hashing, so that growing rehashes one shard (some 10 µs) and never stalls
// for the whole table. Slots come in buckets of eight that fill a cache line. One is compared with
// a tag as a whole: how many slots would have to be looked at one by one cannot be foretold, and a
// wrong guess costs as much as all eight.
//
// A slot's tag is the low half of the key's hash. It says where the slot belongs in a directory of
// any size, so growing reads slots only, never rows. One thread.
//
//   tag: … | bits that choose the shard | 12 bits, the lower 9 of which choose the bucket
class KeyDirectory {
 public:
  KeyDirectory();
  ~KeyDirectory();
  KeyDirectory(const KeyDirectory&) = delete;
  KeyDirectory& operator=(const KeyDirectory&) = delete;

  static uint32_t tag_of(uint64_t hash) { return static_cast<uint32_t>(hash); }

  void prefetch(uint32_t tag) const {
    const Entry& entry = entry_of(tag);
    __builtin_prefetch(&entry.buckets[tag & entry.mask]);
  }

  // A row with this tag for which `matches(row)` holds, or kNoRow.
  template <typename Matches>
  RowId find(uint32_t tag, Matches&& matches) const {
    const Entry& entry = entry_of(tag);
    for (uint32_t at = tag & entry.mask;; at = (at + 1) & entry.mask) {
      const Bucket& bucket = entry.buckets[at];
      for (uint32_t slots = bucket.slots_with(tag); slots != 0; slots &= slots - 1) {
        const RowId row = bucket.rows[std::countr_zero(slots)];
        if (row != kNoRow && matches(row)) return row;
      }
      if (!bucket.full()) return kNoRow;
    }
  }

  void insert(uint32_t tag, RowId row);
  // The pair must be there.
  void erase(uint32_t tag, RowId row);

  size_t rows() const { return rows_; }
  size_t bytes() const { return bytes_; }

 private:
  static constexpr uint32_t kBucketSlots = 8;

  // Its rows come first, without gaps. What does not fit into a tag's bucket is in the next one
  // that was not full.
  struct alignas(64) Bucket {
    uint32_t tags[kBucketSlots];
    RowId rows[kBucketSlots];  // kNoRow: empty

    bool full() const { return rows[kBucketSlots - 1] != kNoRow; }
    // A bit for each slot with the tag; empty ones may be among them.
    uint32_t slots_with(uint32_t tag) const {
#if defined(__SSE2__)
      const __m128i wanted = _mm_set1_epi32(static_cast<int>(tag));
      const auto* at = reinterpret_cast<const __m128i*>(tags);
      const __m128i low = _mm_cmpeq_epi32(_mm_load_si128(at), wanted);
      const __m128i high = _mm_cmpeq_epi32(_mm_load_si128(at + 1), wanted);
      const __m128i words = _mm_packs_epi32(low, high);
      return static_cast<uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(words, words))) & 0xff;
#else
      uint32_t slots = 0;
      for (uint32_t i = 0; i < kBucketSlots; ++i) slots |= (tags[i] == tag ? 1u : 0u) << i;
      return slots;
#endif
    }
    uint32_t used() const;
    uint32_t slot_of(RowId row) const;  // kBucketSlots: of none
    void add(uint32_t tag, RowId row);
    // Closes the gap.
    void remove(uint32_t slot);
  };
  struct Entry {  // of the directory; several may lead to one shard
    Bucket* buckets;
    uint32_t mask;
    uint32_t shard;
  };
  struct Shard {
    Bucket* buckets;
    uint32_t capacity;     // in slots; a power of two
    uint32_t used = 0;     // slots
    uint32_t depth;        // how many bits chose it
    uint32_t first_entry;  // the least directory entry that leads here

    uint32_t mask() const { return capacity / kBucketSlots - 1; }
  };

  bool in_pages(const Bucket* buckets) const;
  const Entry& entry_of(uint32_t tag) const {
    return entries_[(tag >> kSlotBits) & (entries_.size() - 1)];
  }
  Bucket* take_buckets(uint32_t capacity);
  void give_back(const Shard& shard);
  Shard make_shard(uint32_t capacity, uint32_t depth, uint32_t first_entry);
  void lead_to(uint32_t shard);
  static void place(Shard& shard, uint32_t tag, RowId row);
  // Calls f(tag, row) for each slot in use.
  template <typename F>
  static void for_each_slot(const Shard& shard, F&& f);
  void grow(uint32_t shard);
  void split(uint32_t shard);

  static constexpr uint32_t kSlotBits = 12;

  std::vector<Entry> entries_;  // 2^depth
  std::vector<Shard> shards_;
  std::vector<MappedMemory> pages_;  // hold the slots of most full-sized shards
  std::vector<Bucket*> spare_;       // full-sized pieces of them that are not in use
  uint32_t depth_ = 0;
  size_t rows_ = 0;
  size_t bytes_ = 0;
};

}  // namespace kappa::state
