#include "engine/log/embedded/owner_log.h"

#include <chrono>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/log/embedded/partition_append.h"
#include "engine/log/embedded/partition_reader.h"
#include "engine/log/embedded/topic_file.h"
#include "engine/types/status_macros.h"

namespace kappa::log {
namespace {

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

uint64_t random_seed() {
  std::random_device device;
  return (static_cast<uint64_t>(device()) << 32) | device();
}

}  // namespace

OwnerLog::OwnerLog(std::string directory, const EmbeddedLogOptions& options, DirectoryLock lock)
    : directory_(std::move(directory)),
      options_(options),
      clock_(options.clock != nullptr ? *options.clock : system_clock()),
      lock_(std::move(lock)),
      sync_rounds_([this] { return sync_all(); }),
      seed_(options.seed != 0 ? options.seed : random_seed()) {}

absl::StatusOr<std::unique_ptr<EmbeddedLog>> OwnerLog::open(const std::string& directory,
                                                            const EmbeddedLogOptions& options) {
  KAPPA_RETURN_IF_ERROR(make_directory(directory));
  KAPPA_ASSIGN_OR_RETURN(DirectoryLock lock, DirectoryLock::take(directory));
  std::unique_ptr<OwnerLog> log(new OwnerLog(directory, options, std::move(lock)));
  KAPPA_RETURN_IF_ERROR(log->recover());
  if (options.fsync == Fsync::kInterval) {
    // What a failed sync leaves behind is reported by the next append.
    log->sync_thread_.emplace(std::chrono::milliseconds(options.fsync_interval_ms),
                              [raw = log.get()] { raw->sync().IgnoreError(); });
  }
  return log;
}

absl::Status OwnerLog::recover() {
  KAPPA_ASSIGN_OR_RETURN(const std::vector<std::string> names, list_directory(directory_));
  for (const std::string& name : names) {
    const std::string path = absl::StrCat(directory_, "/", name);
    if (!validate_topic_name(name).ok()) {
      if (name != "~lock" && name.ends_with('~')) KAPPA_RETURN_IF_ERROR(remove_path(path));
      continue;
    }
    absl::StatusOr<TopicConfig> config = read_topic(directory_, name);
    if (absl::IsNotFound(config.status())) continue;  // no topic of ours
    KAPPA_RETURN_IF_ERROR(config.status());
    KAPPA_RETURN_IF_ERROR(open_topic(name, *config));
  }
  return lock_.set_recovered();
}

absl::Status OwnerLog::open_topic(const std::string& name, const TopicConfig& config) {
  auto topic = std::make_unique<TopicMap::Topic>();
  topic->info = {.name = name, .config = config};
  const OwnedPartition::Settings settings{.segment_bytes = options_.segment_bytes,
                                          .fsync = options_.fsync != Fsync::kNever};
  for (int32_t i = 0; i < config.partitions; ++i) {
    const TopicPartition id{.topic = name, .partition = i};
    std::optional<CutTail> cut;
    KAPPA_ASSIGN_OR_RETURN(std::unique_ptr<OwnedPartition> partition,
                           OwnedPartition::open(id, partition_directory(directory_, id), settings,
                                                lock_.machine_restarted(), &cut));
    if (cut) cut_tails_.push_back(*std::move(cut));
    topic->partitions.push_back(std::move(partition));
  }
  topics_.add(std::move(topic));
  start_retention_thread_if_needed(config);
  return absl::OkStatus();
}

void OwnerLog::start_retention_thread_if_needed(const TopicConfig& config) {
  if (!config.retention_ms && !config.retention_bytes) return;
  if (retention_thread_ || options_.retention_check_ms == 0) return;
  // What could not be removed now is tried again next time.
  retention_thread_.emplace(std::chrono::milliseconds(options_.retention_check_ms),
                            [this] { enforce_retention().IgnoreError(); });
}

absl::StatusOr<std::vector<TopicInfo>> OwnerLog::topics() const {
  std::vector<TopicInfo> infos;
  for (const TopicMap::Topic* topic : topics_.all()) infos.push_back(topic->info);
  return infos;
}

absl::StatusOr<TopicInfo> OwnerLog::topic(const std::string& name) const {
  KAPPA_ASSIGN_OR_RETURN(const TopicMap::Topic* const topic, topics_.find(name));
  return topic->info;
}

absl::Status OwnerLog::create_topic(const std::string& name, const TopicConfig& config) {
  KAPPA_RETURN_IF_ERROR(validate_topic_name(name));
  KAPPA_RETURN_IF_ERROR(validate_topic_config(name, config));
  const std::lock_guard lock(create_mutex_);
  if (const TopicMap::Topic* const present = topics_.find_if_there(name)) {
    if (same_config(present->info.config, config)) return absl::OkStatus();
    return absl::AlreadyExistsError(absl::StrCat("topic ", name, " is there already, with ",
                                                 describe(present->info.config),
                                                 "; asked for: ", describe(config)));
  }
  KAPPA_RETURN_IF_ERROR(write_topic(directory_, name, config, options_.fsync != Fsync::kNever));
  return open_topic(name, config);
}

absl::StatusOr<PartitionRange> OwnerLog::range(const TopicPartition& partition) const {
  KAPPA_ASSIGN_OR_RETURN(const Partition* const found, topics_.find(partition));
  return found->range();
}

absl::StatusOr<Offset> OwnerLog::offset_for_time(const TopicPartition& partition,
                                                 LogTime time) const {
  KAPPA_ASSIGN_OR_RETURN(const Partition* const found, topics_.find(partition));
  return found->offset_for_time(time);
}

absl::StatusOr<std::unique_ptr<LogReader>> OwnerLog::open_reader(const TopicPartition& partition,
                                                                 Offset from) const {
  KAPPA_ASSIGN_OR_RETURN(Partition* const found, topics_.find(partition));
  return std::make_unique<PartitionReader>(found, from);
}

absl::StatusOr<std::vector<AppendedAt>> OwnerLog::append(const std::string& topic,
                                                         std::span<const RecordToAppend> records) {
  KAPPA_ASSIGN_OR_RETURN(TopicMap::Topic* const found, topics_.find(topic));
  if (records.empty()) return std::vector<AppendedAt>();
  absl::StatusOr<std::vector<AppendedAt>> appended =
      append_to_partitions(*found, records, clock_.now(), seed_);
  if (!appended.ok()) return appended;
  listeners_.notify();
  if (options_.fsync == Fsync::kAlways) KAPPA_RETURN_IF_ERROR(sync());
  return appended;
}

absl::Status OwnerLog::sync_all() {
  absl::Status first_failure;
  for (const TopicMap::Topic* topic : topics_.all()) {
    for (const std::unique_ptr<Partition>& partition : topic->partitions) {
      first_failure.Update(static_cast<OwnedPartition&>(*partition).sync());
    }
  }
  return first_failure;
}

absl::Status OwnerLog::enforce_retention() {
  const std::lock_guard lock(retention_mutex_);
  const LogTime now = clock_.now();
  absl::Status first_failure;
  for (const TopicMap::Topic* topic : topics_.all()) {
    for (const std::unique_ptr<Partition>& partition : topic->partitions) {
      first_failure.Update(
          static_cast<OwnedPartition&>(*partition).enforce_retention(topic->info.config, now));
    }
  }
  return first_failure;
}

}  // namespace kappa::log
