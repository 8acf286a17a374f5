#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/types/record.h"
#include "engine/types/time.h"

namespace kappa::log {

// Where in a segment file to look for an offset or a time. Sparse: an entry every kIndexInterval
// bytes. Always derivable from the segment; a sealed segment keeps it in a file beside it,
// BASE.index (not Kafka's format, which has one file for offsets and one for times):
//
//   "KIX1" | entry count u32 | segment size i64 | next offset i64 | first timestamp i64 |
//   max timestamp i64 | crc32c of these 40 bytes u32 |
//   entries: offset - base u32, position u32, greatest timestamp before the entry i64 |
//   crc32c of the entries u32                                            all integers big-endian
struct SegmentIndex {
  static constexpr int64_t kIndexInterval = 32 << 10;

  struct Entry {
    uint32_t relative_offset = 0;
    uint32_t position = 0;
    LogTime max_timestamp_before;  // of the segment's records before this one
  };

  int64_t size_bytes = 0;  // of the batches added
  Offset base_offset;
  Offset next_offset;
  LogTime first_timestamp = kNoLogTime;
  LogTime max_timestamp = kNoLogTime;
  std::vector<Entry> entries;

  explicit SegmentIndex(Offset base) : base_offset(base), next_offset(base) {}

  // The batch that comes next in the segment.
  void add_batch(int64_t batch_bytes, int64_t offsets, LogTime batch_max_timestamp);
  // The last entry at or before `offset`. Nullopt: from the start of the segment.
  std::optional<Entry> entry_for_offset(Offset offset) const;
  // The last entry before which all timestamps are less than `time`.
  std::optional<Entry> entry_for_time(LogTime time) const;

  std::string encode() const;
  // Nullopt: torn, damaged, or of another version.
  static std::optional<SegmentIndex> decode(Offset base, std::string_view file);
  // The same, but no entries: the first kSummaryBytes of the file are enough.
  static std::optional<SegmentIndex> decode_summary(Offset base, std::string_view file);
  static constexpr size_t kSummaryBytes = 44;
};

}  // namespace kappa::log
