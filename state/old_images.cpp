#include "state/old_images.h"

#include <algorithm>
#include <cstring>

#include "engine/types/invariant.h"

namespace kappa::state {
namespace {

OwnedString& string_at(std::byte* row, const RowField& field) {
  return *reinterpret_cast<OwnedString*>(row + field.offset);
}

}  // namespace

OldImages::OldImages(const RowLayout& layout, RowSegments& rows)
    : layout_(layout),
      rows_(rows),
      images_(static_cast<uint32_t>(sizeof(Image)) + layout.row_bytes()) {}

OldImages::~OldImages() {
  if (layout_.strings().empty()) return;
  std::vector<bool> is_free(images_.end());
  for (uint32_t index : free_) is_free[index] = true;
  for (uint32_t index = 0; index < images_.end(); ++index) {
    if (is_free[index]) continue;
    for (const RowField& field : layout_.strings()) string_at(bytes_of(index), field).release();
  }
}

void OldImages::pin(Cut cut) {
  auto at = std::lower_bound(pins_.begin(), pins_.end(), cut,
                             [](const Pin& pin, Cut other) { return pin.cut < other; });
  if (at != pins_.end() && at->cut == cut) {
    ++at->count;
    return;
  }
  pins_.insert(at, Pin{cut, 1, {}});
  newest_pin_ = pins_.back().cut;
}

void OldImages::unpin(Cut cut) {
  const auto at =
      std::find_if(pins_.begin(), pins_.end(), [&](const Pin& pin) { return pin.cut == cut; });
  KAPPA_INVARIANT(at != pins_.end(), "the cut to unpin is pinned");
  if (--at->count > 0) return;
  if (!at->images.empty()) waiting_.push_back(std::move(at->images));
  pins_.erase(at);
  newest_pin_ = pins_.empty() ? -1 : int64_t{pins_.back().cut};
}

bool OldImages::is_pinned(Cut cut) const {
  return std::any_of(pins_.begin(), pins_.end(), [&](const Pin& pin) { return pin.cut == cut; });
}

OldImages::Pin* OldImages::newest_pin_in(Cut first, Cut last) {
  for (auto pin = pins_.rbegin(); pin != pins_.rend(); ++pin) {
    if (pin->cut <= last) return pin->cut >= first ? &*pin : nullptr;
  }
  return nullptr;
}

void OldImages::keep(RowId row, Cut present) {
  uint32_t index;
  if (free_.empty()) {
    index = images_.add();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  std::byte* original = rows_.at(row);
  image(index).row = row;
  image(index).last_cut = present - 1;
  std::memcpy(bytes_of(index), original, layout_.row_bytes());
  for (const RowField& field : layout_.strings()) string_at(bytes_of(index), field).share();
  header(original).old_image = index;  // the copy still names the image before it
  pins_.back().images.push_back(index);
}

const std::byte* OldImages::find(RowId row, Cut cut) const {
  for (uint32_t index = header(rows_.at(row)).old_image; index != kNoOldImage;) {
    if (image(index).last_cut < cut) return nullptr;
    const std::byte* bytes = bytes_of(index);
    if (header(bytes).touched_cut <= cut) return bytes;
    index = header(bytes).old_image;
  }
  return nullptr;
}

size_t OldImages::reclaim(size_t images_max, std::vector<RowId>* bare) {
  constexpr size_t kAhead = 8;
  size_t freed = 0;
  while (images_max > 0 && !waiting_.empty()) {
    std::vector<uint32_t>& indexes = waiting_.front();
    for (; images_max > 0 && !indexes.empty(); --images_max) {
      if (indexes.size() > kAhead) {
        __builtin_prefetch(rows_.at(image(indexes[indexes.size() - 1 - kAhead]).row));
      }
      const uint32_t index = indexes.back();
      indexes.pop_back();
      if (Pin* pin = newest_pin_in(header(bytes_of(index)).touched_cut, image(index).last_cut)) {
        pin->images.push_back(index);
      } else {
        freed += free_image(index, bare);
      }
    }
    if (indexes.empty()) waiting_.pop_front();
  }
  return freed;
}

size_t OldImages::free_image(uint32_t index, std::vector<RowId>* bare) {
  const RowId row = image(index).row;
  uint32_t* link = &header(rows_.at(row)).old_image;
  while (*link != index) {
    KAPPA_INVARIANT(*link != kNoOldImage, "an image hangs on its row");
    link = &header(bytes_of(*link)).old_image;
  }
  *link = header(bytes_of(index)).old_image;
  if (header(rows_.at(row)).old_image == kNoOldImage) bare->push_back(row);
  size_t freed = 0;
  for (const RowField& field : layout_.strings())
    freed += string_at(bytes_of(index), field).release();
  free_.push_back(index);
  return freed;
}

}  // namespace kappa::state
