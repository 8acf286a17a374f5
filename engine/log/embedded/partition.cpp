#include "engine/log/embedded/partition.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "engine/types/status_macros.h"

namespace kappa::log {

PartitionRange Partition::range() const {
  // In this order start <= durable_end <= end holds whatever other threads do in between: none of
  // them ever falls, and each is stored after the ones that bound it from above.
  const int64_t durable = durable_end_.load(std::memory_order_acquire);
  const Offset first = start();
  const Offset last = end();
  return {.start = first,
          .end = last,
          .durable_end = Offset{std::clamp(durable, first.value, last.value)}};
}

std::string Partition::name() const {
  return absl::StrCat("topic ", id_.topic, " partition ", id_.partition);
}

absl::Status Partition::removed_by_retention(Offset offset) const {
  return absl::DataLossError(absl::StrCat(name(), ": offset ", offset.value,
                                          " was removed by retention, the log starts at ",
                                          start().value));
}

absl::Status Partition::damaged(const std::string& path, int64_t position, Offset offset,
                                absl::string_view what) const {
  return absl::DataLossError(absl::StrCat(name(), ": damaged at offset ", offset.value, ", byte ",
                                          position, " of ", path, ": ", what));
}

absl::StatusOr<Partition::Place> Partition::locate(Offset offset) const {
  std::shared_ptr<const Segment> segment;
  std::optional<SegmentIndex::Entry> entry;
  bool sealed = false;
  {
    const std::lock_guard lock(mutex_);
    const auto after = std::upper_bound(
        segments_.begin(), segments_.end(), offset,
        [](Offset o, const std::shared_ptr<Segment>& s) { return o < s->base_offset(); });
    if (after == segments_.begin()) return removed_by_retention(offset);
    segment = *(after - 1);
    sealed = segment->sealed();
    if (!sealed) entry = segment->index.entry_for_offset(offset);
  }
  if (sealed) {
    absl::StatusOr<SegmentIndex> index = load_index(*segment);
    if (!index.ok() && offset < start()) return removed_by_retention(offset);
    KAPPA_RETURN_IF_ERROR(index.status());
    entry = index->entry_for_offset(offset);
  }
  Place place{.segment = segment, .position = 0, .offset = segment->base_offset()};
  if (entry) {
    place.position = entry->position;
    place.offset.value += entry->relative_offset;
  }
  return place;
}

std::shared_ptr<const Segment> Partition::segment_after(const Segment& segment) const {
  const std::lock_guard lock(mutex_);
  const auto after = std::upper_bound(
      segments_.begin(), segments_.end(), segment.base_offset(),
      [](Offset o, const std::shared_ptr<Segment>& s) { return o < s->base_offset(); });
  return after == segments_.end() ? nullptr : *after;
}

absl::StatusOr<Offset> Partition::offset_for_time(LogTime time) const {
  while (true) {
    std::shared_ptr<const Segment> segment;
    SegmentIndex index(Offset{});
    const Offset last = end();
    {
      const std::lock_guard lock(mutex_);
      const auto found =
          std::find_if(segments_.begin(), segments_.end(), [&](const std::shared_ptr<Segment>& s) {
            return s->index.size_bytes > 0 && s->index.max_timestamp >= time;
          });
      if (found == segments_.end()) return std::max(last, start());
      segment = *found;
      if (!segment->sealed()) index = segment->index;
    }
    absl::StatusOr<Offset> offset = last;
    if (segment->sealed() && index.size_bytes == 0) {
      absl::StatusOr<SegmentIndex> loaded = load_index(*segment);
      if (loaded.ok()) {
        offset = offset_for_time_in(*segment, *loaded, time, last);
      } else {
        offset = loaded.status();
      }
    } else {
      offset = offset_for_time_in(*segment, index, time, last);
    }
    // Retention may have removed the segment meanwhile: the answer is in a later one then.
    if (segment->base_offset() >= start()) return offset;
  }
}

absl::StatusOr<Offset> Partition::offset_for_time_in(const Segment& segment,
                                                     const SegmentIndex& index, LogTime time,
                                                     Offset otherwise) const {
  KAPPA_ASSIGN_OR_RETURN(const File file, File::open(segment.path(), OpenFor::kReading));
  int64_t position = 0;
  Offset expected = segment.base_offset();
  if (const std::optional<SegmentIndex::Entry> entry = index.entry_for_time(time)) {
    position = entry->position;
    expected.value += entry->relative_offset;
  }
  std::optional<Offset> found;
  absl::Status status;
  std::vector<RecordView> records;
  const auto look = [&](const BatchHeader& header, std::string_view batch) {
    if (header.max_timestamp < time) return true;
    records.clear();
    status = decode_batch(batch, header, Offset{0}, &records);
    for (const RecordView& record : records) {
      if (record.timestamp < time) continue;
      found = record.offset;
      break;
    }
    return status.ok() && !found;
  };
  KAPPA_ASSIGN_OR_RETURN(const WalkEnd end,
                         walk_batches(file, position, segment.visible_bytes(), expected, look));
  if (!status.ok()) return damaged(segment.path(), end.position, end.next_offset, status.message());
  if (end.why != WalkEnd::Why::kDone) {
    return damaged(segment.path(), end.position, end.next_offset, end.what);
  }
  return found.value_or(otherwise);
}

}  // namespace kappa::log
