#include "state/table.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <limits>

#include "absl/strings/str_cat.h"
#include "engine/types/invariant.h"
#include "state/row_codec.h"

namespace kappa::state {
namespace {

// Cuts begin to count anew some time before the number runs out: as soon as none is pinned.
constexpr Cut kCutsSoftMax = 0xf000'0000;

// Old images freed by the way, a touched row: more than it can have made.
constexpr size_t kReclaimedPerTouch = 2;
constexpr size_t kReclaimedPerUnpin = 256;

}  // namespace

Table::Table(TableId id, RowLayout layout, TableOptions options)
    : id_(id),
      layout_(std::move(layout)),
      options_(options),
      key_kind_(kind_of(layout_.key())),
      cut_(options.first_cut),
      checkpoint_cut_(options.first_cut - 1),
      rows_(layout_.row_bytes()),
      images_(layout_, rows_),
      one_(layout_.key()) {}

Table::KeyKind Table::kind_of(const std::vector<RowField>& key) {
  const auto is = [&](std::initializer_list<PhysicalType> types) {
    return std::equal(
        key.begin(), key.end(), types.begin(), types.end(),
        [](const RowField& field, PhysicalType type) { return field.type.physical() == type; });
  };
  if (is({PhysicalType::kInt64})) return KeyKind::kInt64;
  if (is({PhysicalType::kString})) return KeyKind::kText;
  if (is({PhysicalType::kInt64, PhysicalType::kInt64})) return KeyKind::kInt64Int64;
  if (is({PhysicalType::kInt64, PhysicalType::kInt32})) return KeyKind::kInt64Int32;
  if (is({PhysicalType::kString, PhysicalType::kInt64})) return KeyKind::kTextInt64;
  return KeyKind::kAny;
}

Table::~Table() {
  if (layout_.strings().empty()) return;
  for (RowId id = 0; id < rows_.end(); ++id) {
    for (const RowField& field : layout_.strings()) get<OwnedString>(row(id), field).release();
  }
}

size_t Table::bytes() const {
  return rows_.bytes() + directory_.bytes() + images_.bytes() + string_bytes_ +
         dirty_.capacity() * sizeof(RowId) + (deleted_.size() + awaited_.size()) * sizeof(Deletion);
}

RowId Table::new_row() {
  if (!free_.empty()) {
    const RowId row = free_.back();
    free_.pop_back();
    return row;
  }
  const RowId row = rows_.add();
  KAPPA_INVARIANT(row != kNoRow, "fewer than 2^32 rows in a table");
  header(rows_.at(row)).touched_cut = checkpoint_cut_;
  return row;
}

// Of a row's content or absence: from here on it is of the present cut.
void Table::note_touched(RowId row) {
  RowHeader& head = header(rows_.at(row));
  if (head.touched_cut <= checkpoint_cut_ && !options_.derived) dirty_.push_back(row);
  head.touched_cut = cut_;
  ++touched_in_cut_;
}

void Table::touch_first(RowId row) {
  RowHeader& head = header(rows_.at(row));
  if (images_.needed(head.touched_cut)) images_.keep(row, cut_);
  head.flags |= kShownOnce;
  note_touched(row);
  if (images_.any_to_reclaim()) reclaim(kReclaimedPerTouch);
}

void Table::reclaim(size_t images_max) {
  bare_.clear();
  string_bytes_ -= images_.reclaim(images_max, &bare_);
  for (RowId row : bare_) {
    RowHeader& head = header(rows_.at(row));
    if ((head.flags & kAwaited) == 0) continue;
    head.flags = 0;
    auto [at, end] = awaited_.equal_range(head.tag);
    while (at != end && at->second != row) ++at;
    KAPPA_INVARIANT(at != end, "an erased row that was awaited");
    awaited_.erase(at);
    free_.push_back(row);
  }
}

void Table::erase(RowId row) {
  KAPPA_INVARIANT(live(row), "the row to erase is live");
  touch(row);
  std::byte* bytes = rows_.at(row);
  RowHeader& head = header(bytes);
  if ((head.flags & kShownOnce) != 0) {
    Deletion& deletion = deleted_.emplace_back(Deletion{cut_, head.key_group, {}});
    encode(bytes, &deletion.key, nullptr);
  }
  directory_.erase(head.tag, row);
  for (const RowField& field : layout_.strings()) {
    string_bytes_ -= get<OwnedString>(bytes, field).release();
  }
  if (head.old_image == kNoOldImage) {
    head.flags = 0;
    free_.push_back(row);
  } else {
    head.flags = kAwaited;
    awaited_.emplace(head.tag, row);
  }
}

void Table::set_string(RowId row_id, const RowField& field, std::string_view value) {
  string_bytes_ += static_cast<size_t>(get<OwnedString>(row(row_id), field).assign(value));
}

// ---- cuts -----------------------------------------------------------------------------------

Cut Table::cut_and_pin() {
  KAPPA_INVARIANT(!options_.derived, "a derived table is not cut");
  // Nothing changed since the last cut: it is this one, too.
  if (touched_in_cut_ > 0) {
    if (cut_ >= kCutsSoftMax && !images_.any_pinned() && !slicing_) restart_cuts();
    KAPPA_INVARIANT(cut_ != std::numeric_limits<Cut>::max(), "cuts did not run out");
    ++cut_;
    touched_in_cut_ = 0;
  }
  images_.pin(cut_ - 1);
  return cut_ - 1;
}

void Table::unpin(Cut cut) {
  images_.unpin(cut);
  if (images_.any_to_reclaim()) reclaim(kReclaimedPerUnpin);
}

const std::byte* Table::image(RowId id, Cut cut) const {
  const std::byte* bytes = rows_.at(id);
  const RowHeader& head = header(bytes);
  if (head.touched_cut <= cut) return (head.flags & kLive) != 0 ? bytes : nullptr;
  return images_.find(id, cut);
}

// Nobody looks at an old cut, so all that counts is what is dirty and what is of the present cut,
// which ends here. Goes through all rows, once in billions of cuts.
void Table::restart_cuts() {
  while (images_.any_to_reclaim()) reclaim(kReclaimedPerUnpin);
  for (RowId id = 0; id < rows_.end(); ++id) {
    Cut& touched = header(rows_.at(id)).touched_cut;
    touched = touched > checkpoint_cut_ ? 2 : 1;
  }
  for (Deletion& deletion : deleted_) deletion.cut = 2;
  checkpoint_cut_ = 1;
  cut_ = 2;
}

}  // namespace kappa::state
