#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "state/key_directory.h"
#include "state/row_layout.h"
#include "state/row_segments.h"

namespace kappa::state {

// A moment that a table can still show: rows as they were when the cut was made.
using Cut = uint32_t;

// Pinned cuts of a table, and images of its rows as they were before they changed, for as long as
// a pinned cut shows them. One thread, the table's.
//
// The images of a row form a chain from its header, newest first; each covers the cuts from its
// touched_cut to its last_cut. An image hangs on the newest pinned cut that it covers. When that is
// unpinned, the image waits for reclaim(), which hangs it on the next older one or frees it.
class OldImages {
 public:
  // `layout` and `rows` are the table's and outlive this.
  OldImages(const RowLayout& layout, RowSegments& rows);
  ~OldImages();
  OldImages(const OldImages&) = delete;
  OldImages& operator=(const OldImages&) = delete;

  void pin(Cut cut);
  // Takes back one pin of the cut.
  void unpin(Cut cut);
  bool any_pinned() const { return !pins_.empty(); }
  bool is_pinned(Cut cut) const;

  // Whether a pinned cut shows a row that was last touched in `touched`.
  bool needed(Cut touched) const { return int64_t{touched} <= newest_pin_; }
  // Keeps the row's present state, for which needed() holds, as that of the cuts before `present`.
  void keep(RowId row, Cut present);
  // The image of the row that covers the cut, or nullptr.
  const std::byte* find(RowId row, Cut cut) const;

  // Frees up to `images_max` images that no pinned cut shows and adds to `bare` the rows that have
  // none left. Returns how many bytes of strings it freed.
  size_t reclaim(size_t images_max, std::vector<RowId>* bare);
  bool any_to_reclaim() const { return !waiting_.empty(); }
  size_t bytes() const { return size_t{images_.end() - unused()} * images_.row_bytes(); }

 private:
  struct Image {  // followed by the row's bytes
    RowId row;
    Cut last_cut;
    uint64_t padding;  // keeps the row aligned to 16
  };
  struct Pin {
    Cut cut;
    uint32_t count;
    std::vector<uint32_t> images;
  };

  Image& image(uint32_t index) { return *reinterpret_cast<Image*>(images_.at(index)); }
  const Image& image(uint32_t index) const {
    return *reinterpret_cast<const Image*>(images_.at(index));
  }
  std::byte* bytes_of(uint32_t index) { return images_.at(index) + sizeof(Image); }
  const std::byte* bytes_of(uint32_t index) const { return images_.at(index) + sizeof(Image); }
  static RowHeader& header(std::byte* row) { return *reinterpret_cast<RowHeader*>(row); }
  static const RowHeader& header(const std::byte* row) {
    return *reinterpret_cast<const RowHeader*>(row);
  }
  uint32_t unused() const { return static_cast<uint32_t>(free_.size()); }
  Pin* newest_pin_in(Cut first, Cut last);
  size_t free_image(uint32_t index, std::vector<RowId>* bare);

  const RowLayout& layout_;
  RowSegments& rows_;
  RowSegments images_;
  std::vector<uint32_t> free_;
  std::vector<Pin> pins_;  // ascending by cut
  int64_t newest_pin_ = -1;
  std::deque<std::vector<uint32_t>> waiting_;
};

}  // namespace kappa::state
