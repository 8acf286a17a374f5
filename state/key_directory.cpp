#include "state/key_directory.h"

#include <algorithm>
#include <cstring>

#include "engine/types/invariant.h"

namespace kappa::state {
namespace {

constexpr uint32_t kFirstCapacity = 64;
constexpr uint32_t kSplitCapacity = 4096;
constexpr uint32_t kDepthMax = 20;
// From so many shards on the directory takes whole huge pages for them.
constexpr size_t kShardsOfLarge = 32;

// Slots in use at which a shard grows: seven tenths.
constexpr uint32_t used_max(uint32_t capacity) {
  return capacity / 10 * 7;
}

}  // namespace

KeyDirectory::KeyDirectory() {
  entries_.resize(1);
  shards_.push_back(make_shard(kFirstCapacity, 0, 0));
  lead_to(0);
}

KeyDirectory::~KeyDirectory() {
  for (const Shard& shard : shards_) give_back(shard);
}

bool KeyDirectory::in_pages(const Slot* slots) const {
  const auto* at = reinterpret_cast<const std::byte*>(slots);
  return std::any_of(pages_.begin(), pages_.end(), [&](const MappedMemory& pages) {
    return pages.begin() <= at && at < pages.begin() + pages.bytes();
  });
}

KeyDirectory::Slot* KeyDirectory::take_slots(uint32_t capacity) {
  if (capacity != kSplitCapacity || shards_.size() < kShardsOfLarge) return new Slot[capacity];
  if (spare_.empty()) {
    const MappedMemory& pages = pages_.emplace_back(kHugePageBytes, MappedMemory::Pages::kHuge);
    for (size_t at = 0; at < pages.bytes(); at += capacity * sizeof(Slot)) {
      spare_.push_back(reinterpret_cast<Slot*>(pages.begin() + at));
    }
  }
  Slot* slots = spare_.back();
  spare_.pop_back();
  return slots;
}

void KeyDirectory::give_back(const Shard& shard) {
  bytes_ -= shard.capacity * sizeof(Slot);
  if (in_pages(shard.slots)) {
    spare_.push_back(shard.slots);
  } else {
    delete[] shard.slots;
  }
}

KeyDirectory::Shard KeyDirectory::make_shard(uint32_t capacity, uint32_t depth,
                                             uint32_t first_entry) {
  Shard shard{take_slots(capacity), capacity, 0, depth, first_entry};
  std::memset(shard.slots, 0xff, capacity * sizeof(Slot));
  bytes_ += capacity * sizeof(Slot);
  return shard;
}

// Points every entry whose low bits are those of the shard at it.
void KeyDirectory::lead_to(uint32_t shard) {
  const Shard& to = shards_[shard];
  for (size_t entry = to.first_entry; entry < entries_.size(); entry += size_t{1} << to.depth) {
    entries_[entry] = {to.slots, to.capacity - 1, shard};
  }
}

void KeyDirectory::place(Shard& shard, Slot slot) {
  const uint32_t mask = shard.capacity - 1;
  uint32_t at = slot.tag & mask;
  while (shard.slots[at].row != kNoRow) at = (at + 1) & mask;
  shard.slots[at] = slot;
  ++shard.used;
}

void KeyDirectory::insert(uint32_t tag, RowId row) {
  uint32_t shard = entry_of(tag).shard;
  while (shards_[shard].used >= used_max(shards_[shard].capacity)) {
    grow(shard);
    shard = entry_of(tag).shard;
  }
  place(shards_[shard], {tag, row});
  ++rows_;
}

// A shard doubles up to 4,096 slots and then splits. Keys made to collide could keep all of a
// shard's rows together however often it splits; then the directory does not follow, the shard
// doubles on and only its own keys become slow.
void KeyDirectory::grow(uint32_t index) {
  const uint32_t capacity = shards_[index].capacity;
  const bool directory_is_lean = entries_.size() <= 8 * shards_.size();
  const bool splits = capacity >= kSplitCapacity && shards_[index].depth < kDepthMax &&
                      (shards_[index].depth < depth_ || directory_is_lean);
  if (splits) return split(index);
  Shard grown = make_shard(2 * capacity, shards_[index].depth, shards_[index].first_entry);
  for (uint32_t at = 0; at < capacity; ++at) {
    if (shards_[index].slots[at].row != kNoRow) place(grown, shards_[index].slots[at]);
  }
  give_back(shards_[index]);
  shards_[index] = grown;
  lead_to(index);
}

void KeyDirectory::split(uint32_t index) {
  if (shards_[index].depth == depth_) {
    const size_t before = entries_.size();
    entries_.resize(2 * before);
    std::copy_n(entries_.begin(), before, entries_.begin() + static_cast<std::ptrdiff_t>(before));
    ++depth_;
  }
  const Shard old = shards_[index];
  const uint32_t bit = 1u << old.depth;
  shards_[index] = make_shard(old.capacity, old.depth + 1, old.first_entry);
  shards_.push_back(make_shard(old.capacity, old.depth + 1, old.first_entry | bit));
  for (uint32_t at = 0; at < old.capacity; ++at) {
    const Slot& slot = old.slots[at];
    if (slot.row == kNoRow) continue;
    place(((slot.tag >> kSlotBits) & bit) != 0 ? shards_.back() : shards_[index], slot);
  }
  give_back(old);
  lead_to(index);
  lead_to(static_cast<uint32_t>(shards_.size() - 1));
}

// Closes the gap by moving later slots of the run back, so there are no tombstones to pile up.
void KeyDirectory::erase(uint32_t tag, RowId row) {
  Shard& shard = shards_[entry_of(tag).shard];
  Slot* slots = shard.slots;
  const uint32_t mask = shard.capacity - 1;
  uint32_t gap = tag & mask;
  while (slots[gap].row != row) {
    KAPPA_INVARIANT(slots[gap].row != kNoRow, "the row to erase is in the directory");
    gap = (gap + 1) & mask;
  }
  for (uint32_t at = (gap + 1) & mask; slots[at].row != kNoRow; at = (at + 1) & mask) {
    const uint32_t home = slots[at].tag & mask;
    // The slot may move to the gap unless its home lies behind it: between gap and itself.
    if (((at - home) & mask) >= ((at - gap) & mask)) {
      slots[gap] = slots[at];
      gap = at;
    }
  }
  slots[gap].row = kNoRow;
  --shard.used;
  --rows_;
}

}  // namespace kappa::state
