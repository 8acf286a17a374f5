#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/log/embedded/file.h"
#include "engine/log/embedded/segment_index.h"
#include "engine/log/record_batch.h"
#include "engine/types/record.h"

namespace kappa::log {

// One segment file: record batches one after the other, exactly as in Kafka's. All of a partition's
// records from base_offset() up to the next segment's.
//
//   growing ─seal()─► sealed      (no byte is added to a sealed segment)
//
// visible_bytes() and sealed() may be called by any thread; `index` belongs to whoever holds the
// partition's mutex and has no entries once the segment is sealed.
class Segment {
 public:
  Segment(const std::string& directory, Offset base);

  Offset base_offset() const { return base_; }
  const std::string& path() const { return path_; }
  std::string index_path() const;

  // The bytes that readers may read: whole batches. Ask sealed() first: what is visible after it
  // said true is all there will ever be.
  int64_t visible_bytes() const { return visible_bytes_.load(std::memory_order_acquire); }
  bool sealed() const { return sealed_.load(std::memory_order_acquire); }
  void publish(int64_t bytes) { visible_bytes_.store(bytes, std::memory_order_release); }
  void seal() { sealed_.store(true, std::memory_order_release); }

  SegmentIndex index;

 private:
  Offset base_;
  std::string path_;
  std::atomic<int64_t> visible_bytes_{0};
  std::atomic<bool> sealed_{false};
};

// The offset a segment file's name begins with, or -1 if it is no segment file's.
int64_t segment_base_of(std::string_view file_name);

// Why a walk over batches ended where it did.
struct WalkEnd {
  enum class Why : uint8_t {
    kDone,     // at the bound, or the visitor had enough
    kTorn,     // the bound lies inside a batch
    kDamaged,  // the bytes are no batch, or another one than the offsets before it demand
  };
  Why why = Why::kDone;
  int64_t position = 0;  // behind the last good batch
  Offset next_offset;    // the offset that comes there
  std::string what;      // what was found instead of a batch
};

// Visits batch after batch of [from, to), of which the first has the offset `expected`. Headers,
// offsets and crc are checked. The visitor returns false to end the walk behind its batch.
absl::StatusOr<WalkEnd> walk_batches(
    const File& file, int64_t from, int64_t to, Offset expected,
    absl::FunctionRef<bool(const BatchHeader& header, std::string_view batch)> visit);

// Adds the good batches of [index->size_bytes, to) to `index`.
absl::StatusOr<WalkEnd> extend_index(const File& file, int64_t to, SegmentIndex* index);

// True if a whole, good batch with an offset greater than `expected` starts anywhere in
// (from, to). A torn tail has none; damage in the middle of a segment has.
absl::StatusOr<bool> has_batch_behind(const File& file, int64_t from, int64_t to, Offset expected);

// Seals a segment and keeps its index in a file. Best effort: load_index() does without it.
void seal_with_index(Segment* segment);

// Seals a segment by the summary in its index file, if that agrees with the segment's size and the
// offset that the next one starts at.
bool adopt_summary(Segment* segment, int64_t size_bytes, Offset next_base);

// The index of a sealed segment: from its file, or walked anew if that is missing or torn.
absl::StatusOr<SegmentIndex> load_index(const Segment& segment);

}  // namespace kappa::log
