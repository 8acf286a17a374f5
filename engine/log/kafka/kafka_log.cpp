#include "engine/log/kafka/kafka_log.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <set>
#include <thread>

#include <librdkafka/rdkafka.h>

#include "absl/strings/str_cat.h"
#include "engine/log/kafka/appender.h"
#include "engine/log/kafka/errors.h"
#include "engine/log/kafka/figures.h"
#include "engine/log/kafka/group_offsets.h"
#include "engine/log/kafka/kafka_reader.h"
#include "engine/log/kafka/parts.h"
#include "engine/types/status_macros.h"

namespace kappa::log {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kTimeoutMs = 5000;
constexpr milliseconds kRound{100};

void to_standard_error(std::string_view line) {
  std::fprintf(stderr, "kafka: %.*s\n", static_cast<int>(line.size()), line.data());
}

Client::Options consumer_options(const KafkaOptions& options) {
  Client::Options client;
  client.brokers = options.brokers;
  client.settings = options.settings;
  client.log_line = options.log_line ? options.log_line : to_standard_error;
  return client;
}

class KafkaLog final : public Log {
 public:
  explicit KafkaLog(const KafkaOptions& options)
      : look_for_partitions_(options.look_for_partitions_ms),
        parts_(consumer_options(options)),
        appender_(consumer_options(options), &parts_.topics),
        groups_(consumer_options(options)),
        thread_([this] { run(); }) {}

  ~KafkaLog() override {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    stopped_.notify_all();
    thread_.join();
  }

  absl::StatusOr<std::vector<TopicInfo>> topics() const override { return parts_.topics.topics(); }
  absl::StatusOr<TopicInfo> topic(const std::string& name) const override {
    return parts_.topics.topic(name);
  }
  absl::Status create_topic(const std::string& name, const TopicConfig& config) override {
    return parts_.topics.create(name, config);
  }

  absl::StatusOr<PartitionRange> range(const TopicPartition& partition) const override {
    return parts_.ranges.ask(partition);
  }
  absl::StatusOr<PartitionRange> last_range(const TopicPartition& partition) const override;
  absl::StatusOr<Offset> offset_for_time(const TopicPartition& partition,
                                         LogTime time) const override;
  absl::StatusOr<std::unique_ptr<LogReader>> open_reader(const TopicPartition& partition,
                                                         Offset from) const override {
    return KafkaReader::open(&parts_, partition, from);
  }

  absl::StatusOr<std::vector<AppendedAt>> append(const std::string& topic,
                                                 std::span<const RecordToAppend> records) override {
    return appender_.append(topic, records);
  }
  // append() returns once all in-sync replicas have the records: more there is not to do.
  absl::Status sync() override { return absl::OkStatus(); }

  std::shared_ptr<void> on_append(std::function<void()> callback) override {
    return parts_.listeners.add(std::move(callback));
  }

  absl::StatusOr<std::string> identity() const override {
    KAPPA_ASSIGN_OR_RETURN(const std::string cluster, parts_.topics.cluster_id());
    return absl::StrCat("kafka ", cluster);
  }
  uint64_t partitions_version() const override { return partitions_version_; }
  void note_checkpoint(const std::string& product,
                       std::span<const std::pair<TopicPartition, Offset>> places) override {
    groups_.commit(product, places);
  }
  std::vector<LogFigure> figures() const override { return figures_of(parts_.consumers.all()); }

 private:
  void run();
  void look_for_partitions();

  const milliseconds look_for_partitions_;
  // Readers and questions change what is kept of consumers and topics, not the log.
  mutable KafkaParts parts_;
  Appender appender_;
  GroupOffsets groups_;
  std::atomic<uint64_t> partitions_version_{0};
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stop_ = false;
  std::thread thread_;
};

// Runs callbacks that nobody waits for, and looks for new partitions.
void KafkaLog::run() {
  auto look_at = steady_clock::now() + look_for_partitions_;
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_for(lock, kRound, [&] { return stop_; })) {
    lock.unlock();
    for (const Client* client : parts_.consumers.all()) client->poll(milliseconds(0));
    groups_.poll();
    if (steady_clock::now() >= look_at) {
      look_for_partitions();
      look_at = steady_clock::now() + look_for_partitions_;
    }
    lock.lock();
  }
}

void KafkaLog::look_for_partitions() {
  std::set<std::string> read;
  for (const TopicPartition& partition : parts_.consumers.in_use()) read.insert(partition.topic);
  if (parts_.topics.grown({read.begin(), read.end()}).empty()) return;
  ++partitions_version_;
  parts_.listeners.notify();
}

absl::StatusOr<PartitionRange> KafkaLog::last_range(const TopicPartition& partition) const {
  PartitionRange range;
  if (const auto asked = parts_.ranges.last(partition); asked.ok()) range = *asked;
  for (const Client* client : parts_.consumers.all()) {
    int64_t start = -1;
    int64_t end = -1;
    if (rd_kafka_get_watermark_offsets(client->get(), partition.topic.c_str(), partition.partition,
                                       &start, &end) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      continue;
    }
    range.start = std::max(range.start, Offset{start});
    range.end = std::max(range.end, Offset{end});
  }
  range.end = std::max(range.end, appender_.end_of(partition));
  range.durable_end = range.end;
  return range;
}

absl::StatusOr<Offset> KafkaLog::offset_for_time(const TopicPartition& partition,
                                                 LogTime time) const {
  KAPPA_RETURN_IF_ERROR(parts_.topics.check(partition));
  KAPPA_ASSIGN_OR_RETURN(Client * client, parts_.consumers.first());
  const std::unique_ptr<rd_kafka_topic_partition_list_t,
                        decltype(&rd_kafka_topic_partition_list_destroy)>
      asked(rd_kafka_topic_partition_list_new(1), &rd_kafka_topic_partition_list_destroy);
  // A negative time would be taken for a logical offset.
  rd_kafka_topic_partition_list_add(asked.get(), partition.topic.c_str(), partition.partition)
      ->offset = std::max<int64_t>(0, time.ms);
  rd_kafka_resp_err_t error = rd_kafka_offsets_for_times(client->get(), asked.get(), kTimeoutMs);
  if (!error) error = asked->elems[0].err;
  if (error) return kafka_status(error, name_of(partition));
  if (asked->elems[0].offset >= 0) return Offset{asked->elems[0].offset};
  KAPPA_ASSIGN_OR_RETURN(const PartitionRange range, parts_.ranges.ask(partition));
  return range.end;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Log>> open_kafka_log(KafkaOptions options) {
  // A client tells whether the configuration will do.
  KAPPA_RETURN_IF_ERROR(Client::make(consumer_options(options)).status());
  return std::make_unique<KafkaLog>(options);
}

std::string kafka_library_version() {
  return rd_kafka_version_str();
}

}  // namespace kappa::log
