#include "engine/cli/playground/generator.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "absl/strings/str_cat.h"
#include "engine/types/status_macros.h"

namespace kappa::cli::playground {
namespace {

constexpr std::chrono::milliseconds kPause{10};
constexpr int64_t kAppendedMax = 500;  // to one partition in one call

}  // namespace

Generator::Generator(Schedule* schedule, log::Log* log, const Clock* clock,
                     GeneratorOptions options)
    : schedule_(schedule), log_(log), clock_(clock), options_(options) {}

Generator::~Generator() {
  stop();
}

absl::StatusOr<std::unique_ptr<Generator>> Generator::open(Schedule* schedule, log::Log* log,
                                                           const Clock* clock,
                                                           GeneratorOptions options) {
  std::unique_ptr<Generator> generator(new Generator(schedule, log, clock, options));
  KAPPA_RETURN_IF_ERROR(generator->begin());
  return generator;
}

absl::Status Generator::begin() {
  for (const Topic topic : kTopics) {
    log::TopicConfig config;
    config.partitions = kPartitions;
    const char* name = kTopicNames[static_cast<size_t>(topic)];
    const auto there = log_->topic(name);
    if (absl::IsNotFound(there.status())) {
      KAPPA_RETURN_IF_ERROR(log_->create_topic(name, config));
    } else if (!there.ok()) {
      return there.status();
    } else if (there->config.partitions != kPartitions) {
      return absl::FailedPreconditionError(absl::StrCat(
          "topic ", name, " has ", there->config.partitions, " partitions, the playground fills ",
          kPartitions, "; name another directory with --data"));
    }
    for (int32_t partition = 0; partition < kPartitions; ++partition) {
      KAPPA_ASSIGN_OR_RETURN(const log::PartitionRange range, log_->range({name, partition}));
      next_[static_cast<size_t>(topic)][static_cast<size_t>(partition)] = range.end.value;
      if (is_shopping(topic)) {
        before_ += range.end.value;
      } else {
        others_ += range.end.value;
      }
    }
  }
  KAPPA_RETURN_IF_ERROR(
      schedule_->begin_run(EventTime{clock_->now().ms * kMicrosPerMilli}, options_.rate, next_));
  shop_ = std::make_unique<Shop>(*schedule_);
  return absl::OkStatus();
}

void Generator::start() {
  thread_ = std::thread([this] { run(); });
}

void Generator::stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

absl::Status Generator::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void Generator::run() {
  while (!stop_ && !done_) {
    bool caught_up = false;
    const absl::Status appended = append_due(&caught_up);
    if (!appended.ok()) {
      const std::lock_guard lock(mutex_);
      failure_ = appended;
      done_ = true;
      return;
    }
    if (!caught_up) continue;
    if (options_.records_max > 0 && records_ >= options_.records_max) done_ = true;
    if (!done_) std::this_thread::sleep_for(kPause);
  }
}

absl::Status Generator::append_due(bool* caught_up) {
  const int64_t records_max =
      options_.records_max > 0 ? options_.records_max : std::numeric_limits<int64_t>::max();
  const EventTime now{clock_->now().ms * kMicrosPerMilli};
  const ByPartition due = schedule().due(now, records_max);
  for (const Topic topic : kTopics) {
    int64_t appended = 0;
    KAPPA_RETURN_IF_ERROR(append(topic, due, &appended));
    (is_shopping(topic) ? records_ : others_) += appended;
  }
  *caught_up = next_ == due;
  return absl::OkStatus();
}

absl::Status Generator::append(Topic topic, const ByPartition& due, int64_t* appended) {
  std::vector<ShopRecord> records;
  std::vector<log::RecordToAppend> to_append;
  auto& next = next_[static_cast<size_t>(topic)];
  for (int32_t partition = 0; partition < kPartitions; ++partition) {
    const auto p = static_cast<size_t>(partition);
    const int64_t end = std::min(due[static_cast<size_t>(topic)][p], next[p] + kAppendedMax);
    for (; next[p] < end; ++next[p]) {
      records.push_back(shop_->record(topic, partition, next[p]));
      log::RecordToAppend entry;
      entry.partition = partition;
      entry.timestamp = LogTime{schedule().arrival(topic, partition, next[p]).us / kMicrosPerMilli};
      to_append.push_back(entry);
    }
  }
  if (records.empty()) return absl::OkStatus();
  for (size_t i = 0; i < records.size(); ++i) {  // once `records` no longer moves
    to_append[i].key = records[i].key;
    to_append[i].value = records[i].value;
  }
  *appended = static_cast<int64_t>(records.size());
  return log_->append(kTopicNames[static_cast<size_t>(topic)], to_append).status();
}

}  // namespace kappa::cli::playground
