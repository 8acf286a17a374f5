#include "engine/runtime/record_columns.h"

#include <string>

#include "engine/types/datetime.h"
#include "engine/types/time.h"
#include "schemas/headers_json.h"

namespace kappa::runtime {
namespace {

constexpr int64_t kNoTimestamp = -1;  // Kafka's

// Fills a column with what `value_of`, which gives an optional, makes of each place.
template <typename T, typename ValueOf>
Column fill(Type type, std::span<const uint32_t> places, const Epoch& epoch, ValueOf value_of) {
  Column column(type, places.size());
  const auto values = column.values<T>();
  for (size_t i = 0; i < places.size(); ++i) {
    const std::optional<T> value = value_of(epoch.at(places[i]));
    if (value) {
      values[i] = *value;
    } else {
      column.set_null(i);
    }
  }
  return column;
}

std::optional<StringRef> key_of(const RecordView& record) {
  if (record.key == nullptr || record.key_size > kTextBytesMax) return std::nullopt;
  return StringRef{record.key, record.key_size};
}

std::optional<int64_t> timestamp_of(const RecordView& record) {
  constexpr int64_t kFirstMs = kFirstTimestampUs / kMicrosPerMilli;
  constexpr int64_t kEndMs = kEndTimestampUs / kMicrosPerMilli;
  const int64_t ms = record.timestamp.ms;
  if (ms == kNoTimestamp || ms < kFirstMs || ms >= kEndMs) return std::nullopt;
  return ms * kMicrosPerMilli;
}

std::optional<StringRef> headers_of(const RecordView& record, Arena& arena) {
  std::string text;
  if (!schemas::append_headers_json(record, &text) || text.size() > kTextBytesMax) {
    return std::nullopt;
  }
  return arena.copy(text);
}

}  // namespace

Column record_column(schemas::RecordColumn kind, std::span<const uint32_t> places,
                     const Epoch& epoch, const OrderReader& reader, Arena& arena) {
  switch (kind) {
    case schemas::RecordColumn::kKey:
      return fill<StringRef>(Type::bytea(), places, epoch,
                             [](const EpochPlace& at) { return key_of(*at.record); });
    case schemas::RecordColumn::kTimestamp:
      return fill<int64_t>(Type::timestamptz(), places, epoch,
                           [](const EpochPlace& at) { return timestamp_of(*at.record); });
    case schemas::RecordColumn::kHeaders:
      return fill<StringRef>(Type::text(), places, epoch,
                             [&](const EpochPlace& at) { return headers_of(*at.record, arena); });
    case schemas::RecordColumn::kPartition:
      return fill<int32_t>(Type::integer(), places, epoch, [&](const EpochPlace& at) {
        return std::optional(reader.partition(at.partition).partition);
      });
    case schemas::RecordColumn::kOffset:
      break;
  }
  return fill<int64_t>(Type::bigint(), places, epoch,
                       [](const EpochPlace& at) { return std::optional(at.record->offset.value); });
}

}  // namespace kappa::runtime
