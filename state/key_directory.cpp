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
constexpr size_t kSlotBytes = sizeof(uint32_t) + sizeof(RowId);

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

uint32_t KeyDirectory::Bucket::used() const {
  uint32_t used = 0;
  while (used < kBucketSlots && rows[used] != kNoRow) ++used;
  return used;
}

uint32_t KeyDirectory::Bucket::slot_of(RowId row) const {
  uint32_t slot = 0;
  while (slot < kBucketSlots && rows[slot] != row) ++slot;
  return slot;
}

void KeyDirectory::Bucket::add(uint32_t tag, RowId row) {
  const uint32_t slot = used();
  tags[slot] = tag;
  rows[slot] = row;
}

void KeyDirectory::Bucket::remove(uint32_t slot) {
  const uint32_t last = used() - 1;
  tags[slot] = tags[last];
  rows[slot] = rows[last];
  rows[last] = kNoRow;
}

bool KeyDirectory::in_pages(const Bucket* buckets) const {
  const auto* at = reinterpret_cast<const std::byte*>(buckets);
  return std::any_of(pages_.begin(), pages_.end(), [&](const MappedMemory& pages) {
    return pages.begin() <= at && at < pages.begin() + pages.bytes();
  });
}

KeyDirectory::Bucket* KeyDirectory::take_buckets(uint32_t capacity) {
  const uint32_t buckets = capacity / kBucketSlots;
  if (capacity != kSplitCapacity || shards_.size() < kShardsOfLarge) return new Bucket[buckets];
  if (spare_.empty()) {
    const MappedMemory& pages = pages_.emplace_back(kHugePageBytes, MappedMemory::Pages::kHuge);
    for (size_t at = 0; at < pages.bytes(); at += buckets * sizeof(Bucket)) {
      spare_.push_back(reinterpret_cast<Bucket*>(pages.begin() + at));
    }
  }
  Bucket* taken = spare_.back();
  spare_.pop_back();
  return taken;
}

void KeyDirectory::give_back(const Shard& shard) {
  bytes_ -= shard.capacity * kSlotBytes;
  if (in_pages(shard.buckets)) {
    spare_.push_back(shard.buckets);
  } else {
    delete[] shard.buckets;
  }
}

KeyDirectory::Shard KeyDirectory::make_shard(uint32_t capacity, uint32_t depth,
                                             uint32_t first_entry) {
  Shard shard{take_buckets(capacity), capacity, 0, depth, first_entry};
  std::memset(shard.buckets, 0xff, capacity * kSlotBytes);
  bytes_ += capacity * kSlotBytes;
  return shard;
}

// Points every entry whose low bits are those of the shard at it.
void KeyDirectory::lead_to(uint32_t shard) {
  const Shard& to = shards_[shard];
  for (size_t entry = to.first_entry; entry < entries_.size(); entry += size_t{1} << to.depth) {
    entries_[entry] = {to.buckets, to.mask(), shard};
  }
}

void KeyDirectory::place(Shard& shard, uint32_t tag, RowId row) {
  uint32_t at = tag & shard.mask();
  while (shard.buckets[at].full()) at = (at + 1) & shard.mask();
  shard.buckets[at].add(tag, row);
  ++shard.used;
}

template <typename F>
void KeyDirectory::for_each_slot(const Shard& shard, F&& f) {
  for (uint32_t at = 0; at <= shard.mask(); ++at) {
    const Bucket& bucket = shard.buckets[at];
    for (uint32_t i = 0; i < kBucketSlots && bucket.rows[i] != kNoRow; ++i) {
      f(bucket.tags[i], bucket.rows[i]);
    }
  }
}

void KeyDirectory::insert(uint32_t tag, RowId row) {
  uint32_t shard = entry_of(tag).shard;
  while (shards_[shard].used >= used_max(shards_[shard].capacity)) {
    grow(shard);
    shard = entry_of(tag).shard;
  }
  place(shards_[shard], tag, row);
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
  for_each_slot(shards_[index], [&](uint32_t tag, RowId row) { place(grown, tag, row); });
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
  for_each_slot(old, [&](uint32_t tag, RowId row) {
    place(((tag >> kSlotBits) & bit) != 0 ? shards_.back() : shards_[index], tag, row);
  });
  give_back(old);
  lead_to(index);
  lead_to(static_cast<uint32_t>(shards_.size() - 1));
}

// A bucket that was full and is no longer may end a search that has to go on: it gets a row from
// behind it that would have been there if it could. So there are no tombstones to pile up.
void KeyDirectory::erase(uint32_t tag, RowId row) {
  Shard& shard = shards_[entry_of(tag).shard];
  Bucket* buckets = shard.buckets;
  const uint32_t mask = shard.mask();
  uint32_t gap = tag & mask;
  uint32_t slot = 0;
  while (slot = buckets[gap].slot_of(row), slot == kBucketSlots) {
    KAPPA_INVARIANT(buckets[gap].full(), "the row to erase is in the directory");
    gap = (gap + 1) & mask;
  }
  bool was_full = buckets[gap].full();
  buckets[gap].remove(slot);
  // Of the buckets behind it none is looked at by whoever looked at this one, once one is not full.
  for (uint32_t at = (gap + 1) & mask; was_full; at = (at + 1) & mask) {
    Bucket& bucket = buckets[at];
    was_full = bucket.full();
    // A row may move to the gap unless its own bucket lies behind that.
    const auto may_move = [&](uint32_t i) {
      return ((at - bucket.tags[i]) & mask) >= ((at - gap) & mask);
    };
    const uint32_t used = bucket.used();
    uint32_t i = 0;
    while (i < used && !may_move(i)) ++i;
    if (i == used) continue;
    buckets[gap].add(bucket.tags[i], bucket.rows[i]);
    bucket.remove(i);
    gap = at;
  }
  --shard.used;
  --rows_;
}

}  // namespace kappa::state
