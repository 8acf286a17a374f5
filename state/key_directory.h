#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "state/mapped_memory.h"

namespace kappa::state {

using RowId = uint32_t;
inline constexpr RowId kNoRow = ~RowId{0};

// From the hash of a key to the rows that may hold it: open addressing in shards of at most 4,096
// slots under extendible hashing, so that growing rehashes one shard (some 10 µs) and never stalls
// for the whole table.
//
// A slot's tag is the low half of the key's hash. It says where the slot belongs in a directory of
// any size, so growing reads slots only, never rows. One thread.
//
//   tag: … | bits that choose the shard | 12 bits that choose the slot
class KeyDirectory {
 public:
  KeyDirectory();
  ~KeyDirectory();
  KeyDirectory(const KeyDirectory&) = delete;
  KeyDirectory& operator=(const KeyDirectory&) = delete;

  static uint32_t tag_of(uint64_t hash) { return static_cast<uint32_t>(hash); }

  void prefetch(uint32_t tag) const {
    const Entry& entry = entry_of(tag);
    __builtin_prefetch(&entry.slots[tag & entry.mask]);
  }

  // The first row with this tag for which `matches(row)` holds, or kNoRow.
  template <typename Matches>
  RowId find(uint32_t tag, Matches&& matches) const {
    const Entry& entry = entry_of(tag);
    for (uint32_t at = tag & entry.mask;; at = (at + 1) & entry.mask) {
      const Slot& slot = entry.slots[at];
      if (slot.row == kNoRow) return kNoRow;
      if (slot.tag == tag && matches(slot.row)) return slot.row;
    }
  }

  void insert(uint32_t tag, RowId row);
  // The pair must be there.
  void erase(uint32_t tag, RowId row);

  size_t rows() const { return rows_; }
  size_t bytes() const { return bytes_; }

 private:
  struct Slot {
    uint32_t tag;
    RowId row;  // kNoRow: empty
  };
  struct Entry {  // of the directory; several may lead to one shard
    Slot* slots;
    uint32_t mask;
    uint32_t shard;
  };
  struct Shard {
    Slot* slots;
    uint32_t capacity;  // a power of two
    uint32_t used = 0;
    uint32_t depth;        // how many bits chose it
    uint32_t first_entry;  // the least directory entry that leads here
  };

  bool in_pages(const Slot* slots) const;
  const Entry& entry_of(uint32_t tag) const {
    return entries_[(tag >> kSlotBits) & (entries_.size() - 1)];
  }
  Slot* take_slots(uint32_t capacity);
  void give_back(const Shard& shard);
  Shard make_shard(uint32_t capacity, uint32_t depth, uint32_t first_entry);
  void lead_to(uint32_t shard);
  void place(Shard& shard, Slot slot);
  void grow(uint32_t shard);
  void split(uint32_t shard);

  static constexpr uint32_t kSlotBits = 12;

  std::vector<Entry> entries_;  // 2^depth
  std::vector<Shard> shards_;
  std::vector<MappedMemory> pages_;  // hold the slots of most full-sized shards
  std::vector<Slot*> spare_;         // full-sized pieces of them that are not in use
  uint32_t depth_ = 0;
  size_t rows_ = 0;
  size_t bytes_ = 0;
};

}  // namespace kappa::state
