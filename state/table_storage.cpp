#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "engine/types/invariant.h"
#include "state/packed_rows.h"
#include "state/row_codec.h"
#include "state/table.h"

// A table's way to storage and back: checkpoints, and rows in their stored form.
namespace kappa::state {
namespace {

constexpr size_t kRowsAhead = 8;
constexpr size_t kCacheLine = 64;

}  // namespace

// ---- checkpoints ----------------------------------------------------------------------------

size_t Table::dirty_bytes() const {
  return dirty_.size() * layout_.row_bytes() + deleted_.size() * sizeof(Deletion);
}

void Table::begin_checkpoint(Cut cut) {
  KAPPA_INVARIANT(!slicing_, "the checkpoint before this has ended");
  KAPPA_INVARIANT(images_.is_pinned(cut) && cut >= checkpoint_cut_, "a pinned cut");
  slicing_ = Slicing{};
  slicing_->cut = cut;
  slicing_->last_cut = checkpoint_cut_;
  slicing_->rows.swap(dirty_);
  while (!deleted_.empty() && deleted_.front().cut <= cut) {
    slicing_->deleted.push_back(std::move(deleted_.front()));
    deleted_.pop_front();
  }
  checkpoint_cut_ = cut;
  advance_round();
  if (cut + 1 == cut_ && touched_in_cut_ == 0) return;
  // Rows changed after the cut already: they are dirty again.
  for (RowId row : slicing_->rows) {
    if (header(rows_.at(row)).touched_cut > cut) dirty_.push_back(row);
  }
}

// Decides how far the round goes in the checkpoint under way.
void Table::advance_round() {
  const size_t dirty = slicing_->rows.size();
  ++checkpoints_;
  round_.rows_written += dirty;
  const bool nearly_all_dirty = dirty + rows() / 16 >= rows();
  if (!round_.quick &&
      (nearly_all_dirty || round_.rows_written > options_.rewrite_after * rows())) {
    round_ = {checkpoints_, 0, true, 0};
  }
  size_t rows_max = 0;
  if (nearly_all_dirty) {
    rows_max = rows_.end();
  } else if (round_.quick) {
    rows_max = options_.quick_round_rows;
  } else if (dirty > 0) {
    rows_max = rows_.end() / options_.slow_round_checkpoints + 1;
  }
  slicing_->round_next = round_.next;
  slicing_->round_end = static_cast<RowId>(std::min<size_t>(rows_.end(), round_.next + rows_max));
  round_.next = slicing_->round_end;
  slicing_->head.sequence = checkpoints_;
  if (round_.next < rows_.end()) return;
  slicing_->head.whole_in = checkpoints_ - round_.began + 1;
  round_ = {checkpoints_ + 1, 0, false, round_.rows_written};
}

size_t Table::checkpoint_slice(size_t rows_max, PackedTable* packed) {
  KAPPA_INVARIANT(slicing_, "a checkpoint has begun");
  packed->head = slicing_->head;
  // Deletions first: a key that was erased and came back has its row further on.
  size_t left = rows_max - pack_deletions(rows_max, packed);
  left -= pack_dirty(left, packed);
  left -= pack_round(left, packed);
  if (left > 0) slicing_.reset();
  return rows_max - left;
}

size_t Table::pack_deletions(size_t rows_max, PackedTable* packed) {
  std::deque<Deletion>& deleted = slicing_->deleted;
  size_t count = 0;
  for (; count < rows_max && !deleted.empty(); ++count) {
    append_packed({deleted.front().key_group, deleted.front().key, {}, true}, packed->blob());
    deleted.pop_front();
  }
  return count;
}

size_t Table::pack_dirty(size_t rows_max, PackedTable* packed) {
  Slicing& now = *slicing_;
  const size_t begin = now.next;
  const size_t end = begin + std::min(now.rows.size() - begin, rows_max);
  for (; now.next < end; ++now.next) {
    if (now.next + kRowsAhead < now.rows.size()) {
      const std::byte* ahead = rows_.at(now.rows[now.next + kRowsAhead]);
      for (size_t line = 0; line < layout_.row_bytes(); line += kCacheLine) {
        __builtin_prefetch(ahead + line);
      }
    }
    const std::byte* as_of_cut = image(now.rows[now.next], now.cut);
    if (as_of_cut != nullptr) append_packed_row(as_of_cut, packed->blob());
  }
  return end - begin;
}

// Rows that were dirty have been packed already.
size_t Table::pack_round(size_t rows_max, PackedTable* packed) {
  Slicing& now = *slicing_;
  const RowId begin = now.round_next;
  const auto end = static_cast<RowId>(begin + std::min<size_t>(now.round_end - begin, rows_max));
  for (; now.round_next < end; ++now.round_next) {
    const std::byte* as_of_cut = image(now.round_next, now.cut);
    if (as_of_cut == nullptr || header(as_of_cut).touched_cut > now.last_cut) continue;
    append_packed_row(as_of_cut, packed->blob());
  }
  return end - begin;
}

void Table::append_packed_row(const std::byte* image, std::string* blob) {
  const size_t key_max = key_bytes_max(layout_, image);
  const size_t needed = kPackedHeaderBytesMax + key_max + value_bytes_max(layout_, image);
  if (packing_bytes_ < needed) {
    packing_bytes_ = 2 * needed;
    packing_ = std::unique_ptr<char[]>(new char[packing_bytes_]);
  }
  char* const key = packing_.get() + kPackedHeaderBytesMax;
  char* const value = write_key(layout_, image, key);
  char* const end = write_value(layout_, image, value);
  const char* begin = write_packed_header(key_group(image), static_cast<size_t>(value - key),
                                          static_cast<size_t>(end - value), key);
  blob->append(begin, static_cast<size_t>(end - begin));
}

// ---- stored form ----------------------------------------------------------------------------

void Table::encode(const std::byte* image, std::string* key, std::string* value) const {
  if (key != nullptr) {
    key->resize(key_bytes_max(layout_, image));
    key->resize(static_cast<size_t>(write_key(layout_, image, key->data()) - key->data()));
  }
  if (value != nullptr) {
    value->resize(value_bytes_max(layout_, image));
    value->resize(static_cast<size_t>(write_value(layout_, image, value->data()) - value->data()));
  }
}

void Table::encode_key(const Row& key, std::string* out) const {
  out->clear();
  append_key(key, out);
}

absl::Status Table::read_value(std::string_view stored, RowId id) {
  ValueReader reader(stored);
  for (const RowField& field : layout_.values()) {
    std::string_view text;
    const bool is_string = field.type.physical() == PhysicalType::kString;
    const bool read =
        is_string ? reader.read_string(field, row(id), &text) : reader.read(field, row(id));
    if (!read) {
      return absl::DataLossError(absl::StrCat("a stored row of ", stored.size(),
                                              " bytes is damaged in a field of type ",
                                              to_string(field.type)));
    }
    if (is_string) set_string(id, field, text);
  }
  if (reader.at_end()) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("a stored row of ", stored.size(), " bytes is longer than its fields take"));
}

absl::Status Table::load(std::string_view key, std::string_view value) {
  if (absl::Status read = decode_key(layout_.key(), key, &loaded_key_); !read.ok()) return read;
  one_.set(loaded_key_);
  const RowId id = load_key(one_);
  return read_value(value, id);
}

// ---- fields ---------------------------------------------------------------------------------

Value Table::value(const std::byte* image, const RowField& field) {
  if (is_null(image, field)) return Value::null(field.type);
  Value value = Value::null(field.type);
  dispatch_physical(field.type.physical(), [&]<typename T>() {
    if constexpr (std::is_same_v<T, StringRef>) {
      value.data = std::string(get_string(image, field));
    } else if constexpr (std::is_same_v<T, int8_t>) {
      value.data = get<int8_t>(image, field) != 0;
    } else {
      value.data = get<T>(image, field);
    }
  });
  return value;
}

void Table::append_to(const std::byte* image, const RowField& field, Column& column, Arena& arena) {
  append_all({&image, 1}, field, column, arena);
}

void Table::append_all(std::span<const std::byte* const> images, const RowField& field,
                       Column& column, Arena& arena) {
  const size_t before = column.rows();
  column.resize(before + images.size());
  dispatch_physical(field.type.physical(), [&]<typename T>() {
    T* to = column.values<T>().data() + before;
    for (size_t i = 0; i < images.size(); ++i) {
      if constexpr (std::is_same_v<T, StringRef>) {
        to[i] = arena.copy(get_string(images[i], field));
      } else {
        to[i] = get<T>(images[i], field);
      }
    }
  });
  for (size_t i = 0; i < images.size(); ++i) {
    if (is_null(images[i], field)) column.set_null(before + i);
  }
}

}  // namespace kappa::state
