#include "engine/serve/topic_cursor.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/serve/api_error.h"
#include "engine/types/status_macros.h"
#include "kappa/v1/admin.pb.h"

namespace kappa::serve {
namespace {

constexpr size_t kBlockBytes = 128u << 10;
constexpr std::chrono::seconds kPatience{30};

absl::Status check(const v1::ReadTopicRequest& request) {
  if (request.topic().empty()) return invalid_field("topic", "expected the name of a topic");
  if (!v1::StartAt_IsValid(request.start_at())) {
    return invalid_field("start_at", "expected one of the values of StartAt");
  }
  if (request.limit() < 0) {
    return invalid_field("limit", absl::StrCat("expected 0 or more, got ", request.limit()));
  }
  if (request.start_at() == v1::START_AT_OFFSET && request.offset() < 0) {
    return invalid_field("offset", absl::StrCat("expected 0 or more, got ", request.offset()));
  }
  return absl::OkStatus();
}

absl::StatusOr<Offset> first_offset(const log::Log& log, const TopicPartition& partition,
                                    const log::PartitionRange& range,
                                    const v1::ReadTopicRequest& request) {
  switch (request.start_at()) {
    case v1::START_AT_END:
      return range.end;
    case v1::START_AT_TIMESTAMP:
      return log.offset_for_time(partition, LogTime{request.timestamp_ms()});
    case v1::START_AT_OFFSET:
      if (request.offset() < range.start.value) {
        return with_reason(
            absl::OutOfRangeError(absl::StrCat(
                "offset: partition ", partition.partition, " of topic ", partition.topic,
                " starts at ", range.start.value, ", retention has removed offset ",
                request.offset(), "; start at the beginning or at a later offset")),
            "OFFSET_REMOVED", {{"topic", partition.topic}});
      }
      return Offset{request.offset()};
    default:
      return range.start;
  }
}

void to_wire(const RecordView& record, int32_t partition, v1::TopicRecord* out) {
  out->set_partition(partition);
  out->set_offset(record.offset.value);
  out->set_timestamp_ms(record.timestamp.ms);
  if (record.key != nullptr) out->set_key(record.key, record.key_size);
  if (record.value != nullptr) out->set_value(record.value, record.value_size);
  if (record.headers == nullptr) return;
  for (auto& [key, value] : parse_headers(record)) {
    v1::RecordHeader* header = out->add_headers();
    header->set_key(valid_utf8(key));
    header->set_value(std::move(value));
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<TopicCursor>> TopicCursor::open(
    const log::Log& log, const v1::ReadTopicRequest& request) {
  KAPPA_RETURN_IF_ERROR(check(request));
  KAPPA_ASSIGN_OR_RETURN(const log::TopicInfo topic, log.topic(request.topic()));
  const int32_t partitions = topic.config.partitions;
  if (request.has_partition() && (request.partition() < 0 || request.partition() >= partitions)) {
    return invalid_field(
        "partition", absl::StrCat("topic ", topic.name, " has the partitions 0 to ", partitions - 1,
                                  ", got ", request.partition()));
  }
  auto cursor = std::make_unique<TopicCursor>();
  cursor->follow_ = request.follow();
  cursor->records_left_ =
      request.limit() == 0 ? std::numeric_limits<int64_t>::max() : request.limit();
  for (int32_t i = 0; i < partitions; ++i) {
    if (request.has_partition() && request.partition() != i) continue;
    const TopicPartition partition{topic.name, i};
    KAPPA_ASSIGN_OR_RETURN(const log::PartitionRange range, log.range(partition));
    KAPPA_ASSIGN_OR_RETURN(const Offset from, first_offset(log, partition, range, request));
    KAPPA_ASSIGN_OR_RETURN(auto reader, log.open_reader(partition, from));
    cursor->parts_.push_back({i, std::move(reader), range.end});
  }
  return cursor;
}

absl::Status TopicCursor::read(v1::ReadTopicResponse* response) {
  for (size_t i = 0; i < parts_.size() && response->records().empty() && !at_end(); ++i) {
    Part& part = parts_[turn_];
    turn_ = (turn_ + 1) % parts_.size();
    if (!finished(part)) KAPPA_RETURN_IF_ERROR(read(part, response));
  }
  return absl::OkStatus();
}

absl::Status TopicCursor::read(Part& part, v1::ReadTopicResponse* response) {
  const absl::StatusOr<RecordBlock> block =
      follow_ ? part.reader->read(kBlockBytes) : part.reader->read_to(part.end, kBlockBytes);
  if (absl::IsUnavailable(block.status())) {
    // A log on other machines: worth waiting for, but not for ever.
    const auto now = std::chrono::steady_clock::now();
    if (!waiting_since_) waiting_since_ = now;
    if (now - *waiting_since_ < kPatience) return absl::OkStatus();
  }
  KAPPA_RETURN_IF_ERROR(block.status());
  waiting_since_.reset();
  for (const RecordView& record : block->records) {
    if (records_left_ == 0 || (!follow_ && record.offset >= part.end)) break;
    to_wire(record, part.partition, response->add_records());
    --records_left_;
  }
  return absl::OkStatus();
}

bool TopicCursor::at_end() const {
  if (records_left_ == 0) return true;
  if (follow_) return false;
  for (const Part& part : parts_) {
    if (!finished(part)) return false;
  }
  return true;
}

}  // namespace kappa::serve
