#include "engine/log/header_outbox.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "engine/types/failpoint.h"
#include "engine/types/status_macros.h"

namespace kappa::log {
namespace {

constexpr size_t kRunRecordsMax = 1024;

}  // namespace

absl::StatusOr<int32_t> HeaderOutbox::partitions_of(const std::string& topic) {
  absl::StatusOr<TopicInfo> known = log_->topic(topic);
  if (absl::IsNotFound(known.status())) {
    TopicConfig config;
    if (makes_compacted(topic)) config.compacted = true;
    KAPPA_RETURN_IF_ERROR(log_->create_topic(topic, config));
    known = log_->topic(topic);
  }
  KAPPA_RETURN_IF_ERROR(known.status());
  return known->config.partitions;
}

absl::Status HeaderOutbox::publish(std::span<const OutboxRecord> records) {
  std::vector<const OutboxRecord*> run;  // for one topic: it goes out at once
  uint64_t end = mark().published_to;
  const auto append = [&]() -> absl::Status {
    std::vector<AppendedAt> appended;
    if (!run.empty()) {
      KAPPA_ASSIGN_OR_RETURN(appended, append_run(run));
    }
    found_.erase(found_.begin(), found_.lower_bound(end));
    // At once: a mark that knows the records' places without their numbers would let a restart look
    // for them behind where they are, and publish them again.
    const std::lock_guard lock(mutex_);
    for (const AppendedAt& at : appended) {
      ends_[{run.front()->topic, at.partition}] = Offset{at.offset.value + 1};
    }
    published_to_ = end;
    run.clear();
    return absl::OkStatus();
  };
  fail_here_if_asked("outbox.before_begin");
  for (const OutboxRecord& record : records) {
    if (record.sequence < end) continue;
    const bool other_topic = !run.empty() && run.front()->topic != record.topic;
    if (other_topic || run.size() == kRunRecordsMax) KAPPA_RETURN_IF_ERROR(append());
    if (!found_.contains(record.sequence)) run.push_back(&record);
    end = record.sequence + 1;
  }
  return append();
}

absl::StatusOr<std::vector<AppendedAt>> HeaderOutbox::append_run(
    std::span<const OutboxRecord* const> run) {
  const std::string& topic = run.front()->topic;
  KAPPA_ASSIGN_OR_RETURN(const int32_t partitions, partitions_of(topic));
  std::vector<RecordToAppend> records;
  for (const OutboxRecord* from : run) {
    RecordToAppend record{from->key, from->value, from->timestamp, {}, &from->headers};
    if (!from->key) {
      record.partition = static_cast<int32_t>(from->sequence % static_cast<uint64_t>(partitions));
    }
    records.push_back(record);
  }
  KAPPA_ASSIGN_OR_RETURN(std::vector<AppendedAt> appended, log_->append(topic, records));
  fail_here_if_asked("outbox.committed");
  return appended;
}

absl::Status HeaderOutbox::find_published(const TopicPartition& partition, Offset from,
                                          uint64_t first, uint64_t end) {
  KAPPA_ASSIGN_OR_RETURN(const PartitionRange range, log_->range(partition));
  KAPPA_ASSIGN_OR_RETURN(const auto reader,
                         log_->open_reader(partition, std::max(from, range.start)));
  while (reader->position() < range.end) {
    KAPPA_ASSIGN_OR_RETURN(const RecordBlock block, reader->read_to(range.end, 1u << 20));
    if (block.empty()) break;
    for (const RecordView& record : block.records) {
      for (const auto& [name, value] : parse_headers(record)) {
        if (name != kOutboxSequenceHeader) continue;
        uint64_t sequence = 0;
        const size_t slash = value.rfind('/');
        if (slash == std::string::npos || value.substr(0, slash) != product_) continue;
        if (!absl::SimpleAtoi(value.substr(slash + 1), &sequence)) continue;
        if (sequence >= first && sequence < end) found_.insert(sequence);
      }
    }
  }
  return absl::OkStatus();
}

absl::Status HeaderOutbox::recover(const OutboxHistory& history) {
  if (!history.mark) return absl::OkStatus();
  const uint64_t first = history.mark->published_to;
  {
    const std::lock_guard lock(mutex_);
    published_to_ = first;
    for (const auto& [partition, end] : history.mark->ends) ends_[partition] = end;
  }
  for (const std::string& topic : history.topics) {
    const auto info = log_->topic(topic);
    if (absl::IsNotFound(info.status())) continue;
    KAPPA_RETURN_IF_ERROR(info.status());
    for (int32_t p = 0; p < info->config.partitions; ++p) {
      const TopicPartition partition{topic, p};
      const auto known = ends_.find(partition);
      const Offset from = known == ends_.end() ? Offset{0} : known->second;
      KAPPA_RETURN_IF_ERROR(find_published(partition, from, first, history.stored_to));
    }
  }
  return absl::OkStatus();
}

OutboxMark HeaderOutbox::mark() const {
  const std::lock_guard lock(mutex_);
  return {published_to_, {ends_.begin(), ends_.end()}};
}

}  // namespace kappa::log
