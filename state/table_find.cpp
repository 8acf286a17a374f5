#include <cstring>

#include "engine/types/hash.h"
#include "engine/types/invariant.h"
#include "state/table.h"
#include "state/table_keys.h"

// Finding rows by key: the hot path of every stateful operator.
namespace kappa::state {
namespace {

// How far ahead of the row in hand slots, rows and long keys are fetched. A row can only be fetched
// once its slot is there, and a key's text once its row is.
constexpr size_t kSlotsAhead = 20;
constexpr size_t kRowsAhead = 10;
constexpr size_t kLongKeysAhead = 5;
constexpr size_t kCacheLine = 64;
// Of a row, the lines that find and update are sure to read first.
constexpr size_t kPrefetchBytesMax = 4 * kCacheLine;

}  // namespace

template <typename F>
void Table::with_keys(std::span<const ColumnRef> key, F&& f) const {
  KAPPA_INVARIANT(key.size() == layout_.key().size(), "a column for each of the key's fields");
  switch (key_kind_) {
    case KeyKind::kInt64:
      return f(NumberKeys<int64_t>(layout_.key()[0], *key[0]));
    case KeyKind::kText:
      return f(TextKeys(layout_.key()[0], *key[0]));
    case KeyKind::kInt64Int64:
      return f(PairKeys<NumberKeys<int64_t>, NumberKeys<int64_t>>(layout_.key(), key));
    case KeyKind::kInt64Int32:
      return f(PairKeys<NumberKeys<int64_t>, NumberKeys<int32_t>>(layout_.key(), key));
    case KeyKind::kTextInt64:
      return f(PairKeys<TextKeys, NumberKeys<int64_t>>(layout_.key(), key));
    case KeyKind::kAny:
      return f(AnyKeys(layout_.key(), key));
  }
}

inline void Table::prefetch_row(RowId row) const {
  const std::byte* bytes = rows_.at(row);
  const size_t size = std::min<size_t>(layout_.row_bytes(), kPrefetchBytesMax);
  for (size_t line = 0; line < size; line += kCacheLine) __builtin_prefetch(bytes + line, 1);
}

template <typename Keys>
RowId Table::find_row(const Keys& keys, uint32_t tag, size_t i) const {
  return directory_.find(tag, [&](RowId row) { return keys.equal(rows_.at(row), i); });
}

// Leaves the row untouched: whoever inserts it notes that.
template <typename Keys>
RowId Table::insert_row(const Keys& keys, uint64_t hash, size_t i) {
  const RowId row = new_row();
  std::byte* bytes = rows_.at(row);
  RowHeader& head = header(bytes);
  const Cut last_touched = head.touched_cut;
  std::memset(bytes, 0, layout_.row_bytes());
  head.touched_cut = last_touched;
  head.tag = KeyDirectory::tag_of(hash);
  head.old_image = kNoOldImage;
  head.key_group = static_cast<uint8_t>(key_group_of(hash));
  head.flags = kLive;
  string_bytes_ += static_cast<size_t>(keys.write(bytes, i));
  directory_.insert(head.tag, row);
  return row;
}

// Touches the rows of a batch. As touch(), but with room for what is dirty made beforehand, so that
// it is a few stores in line: in a batch where every other row was touched before, each branch that
// is guessed wrong costs the fetches that were under way.
class Table::Touching {
 public:
  // Touches `rows_max` rows at most.
  Touching(Table& table, size_t rows_max) : table_(table), dirty_before_(table.dirty_.size()) {
    table.dirty_.resize(dirty_before_ + rows_max);
    next_dirty_ = table.dirty_.data() + dirty_before_;
  }
  ~Touching() {
    table_.dirty_.resize(static_cast<size_t>(next_dirty_ - table_.dirty_.data()));
    table_.touched_in_cut_ += first_touches_;
  }
  Touching(const Touching&) = delete;
  Touching& operator=(const Touching&) = delete;

  void touch_found(RowId row) {
    RowHeader& head = header(table_.rows_.at(row));
    if (head.touched_cut == table_.cut_) return;
    if (table_.images_.needed(head.touched_cut)) table_.images_.keep(row, table_.cut_);
    head.flags |= kShownOnce;
    touch_made(row);
  }
  void touch_made(RowId row) {
    RowHeader& head = header(table_.rows_.at(row));
    *next_dirty_ = row;
    next_dirty_ += head.touched_cut <= table_.checkpoint_cut_ ? 1 : 0;
    ++first_touches_;
    head.touched_cut = table_.cut_;
  }

 private:
  Table& table_;
  const size_t dirty_before_;
  RowId* next_dirty_;
  size_t first_touches_ = 0;
};

template <bool kInsert, typename Keys>
void Table::find_batch(const Keys& keys, std::span<const uint64_t> hashes, std::span<RowId> rows,
                       std::vector<uint32_t>* created) {
  const size_t n = hashes.size();
  const auto tag = [&](size_t i) { return KeyDirectory::tag_of(hashes[i]); };
  // The row with the tag, most likely the right one; it is only compared when its turn comes.
  const auto look = [&](size_t i) {
    rows[i] = directory_.find(tag(i), [](RowId) { return true; });
    if (rows[i] != kNoRow) prefetch_row(rows[i]);
  };
  for (size_t i = 0; i < std::min(n, kSlotsAhead); ++i) directory_.prefetch(tag(i));
  for (size_t i = 0; i < std::min(n, kRowsAhead); ++i) look(i);

  Touching touching(*this, kInsert ? n : 0);
  for (size_t i = 0; i < n; ++i) {
    if (i + kSlotsAhead < n) directory_.prefetch(tag(i + kSlotsAhead));
    if (i + kRowsAhead < n) look(i + kRowsAhead);
    if constexpr (Keys::kMayBeLong) {
      const RowId ahead = i + kLongKeysAhead < n ? rows[i + kLongKeysAhead] : kNoRow;
      if (ahead != kNoRow) keys.prefetch(rows_.at(ahead));
    }
    // A row found before its time may be missing what the rows just before it inserted.
    if (rows[i] == kNoRow || !keys.equal(rows_.at(rows[i]), i)) [[unlikely]] {
      rows[i] = find_row(keys, tag(i), i);
      if (kInsert && rows[i] == kNoRow) {
        rows[i] = insert_row(keys, hashes[i], i);
        touching.touch_made(rows[i]);
        if (created != nullptr) created->push_back(static_cast<uint32_t>(i));
        continue;
      }
    }
    if constexpr (kInsert) touching.touch_found(rows[i]);
  }
}

void Table::find_or_insert(std::span<const ColumnRef> key, std::span<const uint64_t> hashes,
                           std::span<RowId> rows, std::vector<uint32_t>* created) {
  KAPPA_INVARIANT(rows.size() >= hashes.size(), "room for a row id each");
  if (created != nullptr) created->clear();
  if (images_.any_to_reclaim()) reclaim(hashes.size() + 1);
  with_keys(key, [&](const auto& keys) { find_batch<true>(keys, hashes, rows, created); });
}

void Table::find(std::span<const ColumnRef> key, std::span<const uint64_t> hashes,
                 std::span<RowId> rows) const {
  KAPPA_INVARIANT(rows.size() >= hashes.size(), "room for a row id each");
  // Without inserting, find_batch() changes nothing.
  auto& self = const_cast<Table&>(*this);
  with_keys(key, [&](const auto& keys) { self.find_batch<false>(keys, hashes, rows, nullptr); });
}

RowId Table::find_key(const OneRowKey& key) const {
  RowId row = kNoRow;
  find(key.columns(), key.hashes(), {&row, 1});
  return row;
}

// The key's row, made if need be. What comes from storage is there already: neither dirty nor new.
RowId Table::load_key(const OneRowKey& key) {
  RowId row = find_key(key);
  if (row != kNoRow) return row;
  with_keys(key.columns(), [&](const auto& keys) { row = insert_row(keys, key.hashes()[0], 0); });
  header(rows_.at(row)).touched_cut = checkpoint_cut_;
  header(rows_.at(row)).flags |= kShownOnce;
  return row;
}

bool Table::has_key(const std::byte* image, const OneRowKey& key) const {
  bool equal = false;
  with_keys(key.columns(), [&](const auto& keys) { equal = keys.equal(image, 0); });
  return equal;
}

RowId Table::find_one(const Row& key) const {
  one_.set(key);
  return find_key(one_);
}

const std::byte* Table::find_image(const Row& key, Cut cut) const {
  one_.set(key);
  if (const RowId row = find_key(one_); row != kNoRow) {
    if (const std::byte* found = image(row, cut)) return found;
  }
  const auto [begin, end] = awaited_.equal_range(KeyDirectory::tag_of(one_.hashes()[0]));
  for (auto at = begin; at != end; ++at) {
    const std::byte* found = image(at->second, cut);
    if (found != nullptr && has_key(found, one_)) return found;
  }
  return nullptr;
}

}  // namespace kappa::state
