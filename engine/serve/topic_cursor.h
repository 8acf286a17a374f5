#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/log/log.h"

namespace kappa::v1 {
class ReadTopicRequest;
class ReadTopicResponse;
}  // namespace kappa::v1

namespace kappa::serve {

// Reads partitions of a topic in turns. One thread at a time.
class TopicCursor {
 public:
  // NotFound: topic or partition; InvalidArgument names the field; OutOfRange: the offset is before
  // the partition's start.
  static absl::StatusOr<std::unique_ptr<TopicCursor>> open(const log::Log& log,
                                                           const v1::ReadTopicRequest& request);

  // Adds the next records to `response`, which is empty; none are added at the end.
  absl::Status read(v1::ReadTopicResponse* response);
  // Whether no more records will come: the limit is reached, or without `follow` the end.
  bool at_end() const;

 private:
  struct Part {
    int32_t partition;
    std::unique_ptr<log::LogReader> reader;
    Offset end;  // where reading ends without `follow`
  };
  bool finished(const Part& part) const { return !follow_ && part.reader->position() >= part.end; }
  absl::Status read(Part& part, v1::ReadTopicResponse* response);

  std::vector<Part> parts_;
  bool follow_ = false;
  int64_t records_left_ = 0;
  size_t turn_ = 0;
  // Since when the log has not answered; nothing: it does.
  std::optional<std::chrono::steady_clock::time_point> waiting_since_;
};

}  // namespace kappa::serve
