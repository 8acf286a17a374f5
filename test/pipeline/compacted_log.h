#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/log/log.h"

namespace kappa::test {

// A log whose records are gone where a test says so, as if compaction had removed them: offsets
// stay what they are, and so does the end.
class CompactedLog final : public log::Log {
 public:
  explicit CompactedLog(log::Log* below) : below_(*below) {}
  void remove(const TopicPartition& partition, Offset offset) {
    removed_.insert({partition, offset});
  }

  absl::StatusOr<std::vector<log::TopicInfo>> topics() const override { return below_.topics(); }
  absl::StatusOr<log::TopicInfo> topic(const std::string& name) const override {
    return below_.topic(name);
  }
  absl::Status create_topic(const std::string& name, const log::TopicConfig& config) override {
    return below_.create_topic(name, config);
  }
  absl::StatusOr<log::PartitionRange> range(const TopicPartition& partition) const override {
    return below_.range(partition);
  }
  absl::StatusOr<Offset> offset_for_time(const TopicPartition& partition,
                                         LogTime time) const override {
    return below_.offset_for_time(partition, time);
  }
  absl::StatusOr<std::unique_ptr<log::LogReader>> open_reader(const TopicPartition& partition,
                                                              Offset from) const override {
    auto reader = below_.open_reader(partition, from);
    if (!reader.ok()) return reader.status();
    return std::make_unique<Reader>(this, partition, *std::move(reader));
  }
  absl::StatusOr<std::vector<log::AppendedAt>> append(
      const std::string& topic, std::span<const log::RecordToAppend> records) override {
    return below_.append(topic, records);
  }
  absl::Status sync() override { return below_.sync(); }
  std::shared_ptr<void> on_append(std::function<void()> callback) override {
    return below_.on_append(std::move(callback));
  }
  absl::StatusOr<std::string> identity() const override { return below_.identity(); }

 private:
  class Reader final : public log::LogReader {
   public:
    Reader(const CompactedLog* log, TopicPartition partition, std::unique_ptr<log::LogReader> below)
        : log_(*log), partition_(std::move(partition)), below_(std::move(below)) {}

    absl::StatusOr<RecordBlock> read(size_t bytes_max) override {
      while (true) {
        auto block = below_->read(bytes_max);
        if (!block.ok() || block->empty()) return block;
        std::erase_if(block->records, [&](const RecordView& record) {
          return log_.removed_.contains({partition_, record.offset});
        });
        if (!block->empty()) return block;
      }
    }
    void seek(Offset offset) override { below_->seek(offset); }
    Offset position() const override { return below_->position(); }

   private:
    const CompactedLog& log_;
    const TopicPartition partition_;
    std::unique_ptr<log::LogReader> below_;
  };

  log::Log& below_;
  std::set<std::pair<TopicPartition, Offset>> removed_;
};

}  // namespace kappa::test
