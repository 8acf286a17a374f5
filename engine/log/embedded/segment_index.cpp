#include "engine/log/embedded/segment_index.h"

#include <algorithm>

#include "engine/log/byte_order.h"
#include "engine/types/crc32c.h"

namespace kappa::log {
namespace {

constexpr std::string_view kMagic = "KIX1";
constexpr size_t kCheckedSummaryBytes = SegmentIndex::kSummaryBytes - 4;
constexpr size_t kEntryBytes = 16;

template <typename Integer>
void put(Integer value, std::string* out) {
  char bytes[sizeof(Integer)];
  store_big_endian(bytes, value);
  out->append(bytes, sizeof(bytes));
}

}  // namespace

void SegmentIndex::add_batch(int64_t batch_bytes, int64_t offsets, LogTime batch_max_timestamp) {
  const int64_t last = entries.empty() ? 0 : entries.back().position;
  if (size_bytes - last >= kIndexInterval) {
    entries.push_back(
        {.relative_offset = static_cast<uint32_t>(next_offset.value - base_offset.value),
         .position = static_cast<uint32_t>(size_bytes),
         .max_timestamp_before = max_timestamp});
  }
  if (size_bytes == 0) first_timestamp = batch_max_timestamp;
  max_timestamp = std::max(max_timestamp, batch_max_timestamp);
  size_bytes += batch_bytes;
  next_offset.value += offsets;
}

std::optional<SegmentIndex::Entry> SegmentIndex::entry_for_offset(Offset offset) const {
  const auto after = std::upper_bound(
      entries.begin(), entries.end(), offset.value - base_offset.value,
      [](int64_t relative, const Entry& entry) { return relative < entry.relative_offset; });
  return after == entries.begin() ? std::nullopt : std::optional(*(after - 1));
}

std::optional<SegmentIndex::Entry> SegmentIndex::entry_for_time(LogTime time) const {
  const auto after = std::partition_point(entries.begin(), entries.end(), [&](const Entry& entry) {
    return entry.max_timestamp_before < time;
  });
  return after == entries.begin() ? std::nullopt : std::optional(*(after - 1));
}

std::string SegmentIndex::encode() const {
  std::string out(kMagic);
  put(static_cast<uint32_t>(entries.size()), &out);
  put(size_bytes, &out);
  put(next_offset.value, &out);
  put(first_timestamp.ms, &out);
  put(max_timestamp.ms, &out);
  put(crc32c(out.data(), out.size()), &out);
  for (const Entry& entry : entries) {
    put(entry.relative_offset, &out);
    put(entry.position, &out);
    put(entry.max_timestamp_before.ms, &out);
  }
  put(crc32c(out.data() + kSummaryBytes, out.size() - kSummaryBytes), &out);
  return out;
}

std::optional<SegmentIndex> SegmentIndex::decode_summary(Offset base, std::string_view file) {
  if (file.size() < kSummaryBytes || !file.starts_with(kMagic)) return std::nullopt;
  const char* const at = file.data();
  const auto crc = load_big_endian<uint32_t>(at + kCheckedSummaryBytes);
  if (crc != crc32c(at, kCheckedSummaryBytes)) return std::nullopt;
  SegmentIndex index(base);
  index.size_bytes = load_big_endian<int64_t>(at + 8);
  index.next_offset = Offset{load_big_endian<int64_t>(at + 16)};
  index.first_timestamp = LogTime{load_big_endian<int64_t>(at + 24)};
  index.max_timestamp = LogTime{load_big_endian<int64_t>(at + 32)};
  return index;
}

std::optional<SegmentIndex> SegmentIndex::decode(Offset base, std::string_view file) {
  std::optional<SegmentIndex> index = decode_summary(base, file);
  if (!index) return std::nullopt;
  const size_t count = load_big_endian<uint32_t>(file.data() + 4);
  if (file.size() != kSummaryBytes + count * kEntryBytes + 4) return std::nullopt;
  const char* at = file.data() + kSummaryBytes;
  const auto crc = load_big_endian<uint32_t>(at + count * kEntryBytes);
  if (crc != crc32c(at, count * kEntryBytes)) return std::nullopt;
  index->entries.reserve(count);
  for (size_t i = 0; i < count; ++i, at += kEntryBytes) {
    index->entries.push_back({.relative_offset = load_big_endian<uint32_t>(at),
                              .position = load_big_endian<uint32_t>(at + 4),
                              .max_timestamp_before = LogTime{load_big_endian<int64_t>(at + 8)}});
  }
  return index;
}

}  // namespace kappa::log
