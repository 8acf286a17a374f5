#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "engine/log/log.h"
#include "engine/log/outbox_publisher.h"

namespace kappa::log {

// Publishes on a log without transactions. Each record has its number in a header, and a checkpoint
// remembers where publishing had got to in each topic; after a restart, what follows there is
// looked through for numbers that the store still has.
class HeaderOutbox final : public OutboxPublisher {
 public:
  // The log outlives this.
  HeaderOutbox(std::string product, Log* log) : product_(std::move(product)), log_(log) {}

  absl::Status recover(const OutboxHistory& history) override;
  absl::Status publish(std::span<const OutboxRecord> records) override;
  OutboxMark mark() const override;

 private:
  absl::StatusOr<int32_t> partitions_of(const std::string& topic);
  absl::StatusOr<std::vector<AppendedAt>> append_run(std::span<const OutboxRecord* const> run);
  absl::Status find_published(const TopicPartition& partition, Offset from, uint64_t first,
                              uint64_t end);

  std::string product_;
  Log* log_;
  std::set<uint64_t> found_;  // published before the restart, not below published_to_
  mutable std::mutex mutex_;  // of what follows
  uint64_t published_to_ = 0;
  std::map<TopicPartition, Offset> ends_;
};

}  // namespace kappa::log
