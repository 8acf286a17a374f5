#include "engine/log/embedded/partition_reader.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "engine/types/status_macros.h"

namespace kappa::log {
namespace {

constexpr size_t kReadBytesMin = 4096;
constexpr size_t kReadBytesMax = 64u << 20;
constexpr size_t kSpareRecordsMax = 8;

}  // namespace

void PartitionReader::seek(Offset offset) {
  if (offset == position_) return;
  position_ = offset;
  segment_.reset();
  file_.reset();
}

void PartitionReader::take_back(RecordBlock block) {
  if (spare_records_.size() == kSpareRecordsMax) return;
  block.records.clear();
  spare_records_.push_back(std::move(block.records));
}

absl::StatusOr<RecordBlock> PartitionReader::read(size_t bytes_max) {
  RecordBlock block;
  block.next_offset = position_;
  while (block.empty()) {
    KAPPA_ASSIGN_OR_RETURN(const Found found, find_bytes());
    if (found == Found::kEnd) break;
    if (found == Found::kAgain) continue;
    KAPPA_RETURN_IF_ERROR(read_block(bytes_max, &block));
  }
  return block;
}

// kBytes: segment_ has visible bytes at byte_. kAgain: something moved, look once more.
absl::StatusOr<PartitionReader::Found> PartitionReader::find_bytes() {
  if (position_ < partition_.start()) return partition_.removed_by_retention(position_);
  if (segment_ == nullptr) {
    if (position_ >= partition_.end()) {
      KAPPA_ASSIGN_OR_RETURN(const bool more, partition_.refresh());
      return more ? Found::kAgain : Found::kEnd;
    }
    KAPPA_ASSIGN_OR_RETURN(Partition::Place place, partition_.locate(position_));
    return enter(std::move(place.segment), place.position, place.offset);
  }
  end_seen_ = partition_.end();
  const bool sealed = segment_->sealed();
  const bool more_bytes = byte_ < segment_->visible_bytes();
  if (more_bytes && batch_offset_ < end_seen_) return Found::kBytes;
  if (sealed && !more_bytes) {
    std::shared_ptr<const Segment> next = partition_.segment_after(*segment_);
    if (next != nullptr && next->base_offset() == batch_offset_) {
      return enter(std::move(next), 0, batch_offset_);
    }
    segment_.reset();  // retention has been here: what is left is found by offset
    return Found::kAgain;
  }
  KAPPA_ASSIGN_OR_RETURN(const bool more, partition_.refresh());
  return more ? Found::kAgain : Found::kEnd;
}

absl::StatusOr<PartitionReader::Found> PartitionReader::enter(
    std::shared_ptr<const Segment> segment, int64_t byte, Offset offset) {
  absl::StatusOr<File> file = File::open(segment->path(), OpenFor::kReading);
  if (absl::IsNotFound(file.status())) {
    // Either retention was quicker, and the start has moved or will be seen to have, or the file
    // was taken away behind our back.
    KAPPA_RETURN_IF_ERROR(partition_.refresh().status());
    if (segment->base_offset() < partition_.start()) return Found::kAgain;
  }
  KAPPA_RETURN_IF_ERROR(file.status());
  file_ = *std::move(file);
  segment_ = std::move(segment);
  byte_ = byte;
  batch_offset_ = offset;
  return Found::kAgain;
}

absl::Status PartitionReader::read_block(size_t bytes_max, RecordBlock* block) {
  const auto left = static_cast<size_t>(segment_->visible_bytes() - byte_);
  size_t wanted = std::clamp(bytes_max, kReadBytesMin, kReadBytesMax);
  while (true) {
    const size_t size = std::min(wanted, left);
    std::shared_ptr<char[]> buffer = buffers_.take(size + kRecordPadding);
    KAPPA_ASSIGN_OR_RETURN(const size_t got, file_->read_at(byte_, buffer.get(), size));
    std::memset(buffer.get() + got, 0, kRecordPadding);
    if (!spare_records_.empty() && block->records.capacity() == 0) {
      block->records = std::move(spare_records_.back());
      spare_records_.pop_back();
    }
    block->records.reserve(std::min(records_expected_, size / kBatchHeaderBytes));
    KAPPA_ASSIGN_OR_RETURN(const size_t done, decode({buffer.get(), got}, block, &wanted));
    if (done > 0) {
      byte_ += static_cast<int64_t>(done);
      position_ = std::max(position_, batch_offset_);
      records_expected_ = block->records.size() + block->records.size() / 8;
      block->buffer = std::move(buffer);
      block->next_offset = position_;
      return absl::OkStatus();
    }
    if (got < size || wanted > left) {
      return partition_.damaged(segment_->path(), byte_, batch_offset_, "the file ends too early");
    }
  }
}

// Decodes the whole batches at the front of `bytes` and returns how many bytes they take; if it is
// none, `wanted` is how many the first one needs. Damage behind good batches is left for next time.
absl::StatusOr<size_t> PartitionReader::decode(std::string_view bytes, RecordBlock* block,
                                               size_t* wanted) {
  size_t done = 0;
  while (batch_offset_ < end_seen_ && bytes.size() - done >= kBatchHeaderBytes) {
    const std::string_view rest = bytes.substr(done);
    absl::StatusOr<BatchHeader> header = parse_batch_header(rest);
    absl::Status status = header.status();
    if (status.ok() && header->base_offset != batch_offset_) {
      status = absl::DataLossError(
          absl::StrCat("found a batch with offset ", header->base_offset.value));
    }
    if (status.ok() && header->size_bytes > rest.size()) {
      if (done == 0) *wanted = header->size_bytes;
      break;
    }
    if (status.ok() && header->next_offset() > position_) {
      status =
          decode_batch(rest.substr(0, header->size_bytes), *header, position_, &block->records);
    }
    if (!status.ok()) {
      if (done > 0) break;
      return partition_.damaged(segment_->path(), byte_, batch_offset_, status.message());
    }
    done += header->size_bytes;
    batch_offset_ = header->next_offset();
  }
  return done;
}

}  // namespace kappa::log
