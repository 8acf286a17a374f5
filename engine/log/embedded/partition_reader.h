#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "engine/log/block_buffers.h"
#include "engine/log/embedded/partition.h"
#include "engine/log/log.h"

namespace kappa::log {

// Reads a partition's segment files in blocks of whole batches, decoded in place. Takes no lock
// while it stays in a segment. The partition outlives it.
class PartitionReader final : public LogReader {
 public:
  PartitionReader(Partition* partition, Offset from) : partition_(*partition), position_(from) {}

  absl::StatusOr<RecordBlock> read(size_t bytes_max) override;
  void take_back(RecordBlock block) override;
  void seek(Offset offset) override;
  Offset position() const override { return position_; }

 private:
  enum class Found : uint8_t { kBytes, kEnd, kAgain };

  absl::StatusOr<Found> find_bytes();
  absl::StatusOr<Found> enter(std::shared_ptr<const Segment> segment, int64_t byte, Offset offset);
  absl::Status read_block(size_t bytes_max, RecordBlock* block);
  absl::StatusOr<size_t> decode(std::string_view bytes, RecordBlock* block, size_t* wanted);

  Partition& partition_;
  Offset position_;

  // Where in the files the position is: the batch at byte_ of segment_ begins with batch_offset_,
  // which may be less than the position after a seek.
  std::shared_ptr<const Segment> segment_;
  std::optional<File> file_;
  int64_t byte_ = 0;
  Offset batch_offset_;
  // The partition's end when last looked. Bytes become visible a moment before the end moves;
  // nobody shall read what range() does not have yet.
  Offset end_seen_;

  BlockBuffers buffers_;
  std::vector<std::vector<RecordView>> spare_records_;  // empty, for blocks to come
  size_t records_expected_ = 0;                         // in a block, going by the one before
};

}  // namespace kappa::log
