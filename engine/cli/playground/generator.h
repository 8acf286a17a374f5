#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

#include "absl/status/statusor.h"
#include "engine/cli/playground/schedule.h"
#include "engine/cli/playground/shop.h"
#include "engine/log/log.h"
#include "engine/types/clock.h"

namespace kappa::cli::playground {

struct GeneratorOptions {
  int64_t rate = 2000;      // sales and clicks a second, 1 to 1,000,000
  int64_t records_max = 0;  // sales and clicks of this run; 0: no limit
};

// Appends the shop's records to the log as they fall due, on a thread of its own. What the log
// holds says where to go on, so a run goes on exactly where the last one ended, however it ended.
class Generator {
 public:
  // Makes the topics if they are not there, and begins a run of the schedule. All borrowed things
  // outlive the generator. FailedPrecondition: a topic is there with other partitions.
  static absl::StatusOr<std::unique_ptr<Generator>> open(Schedule* schedule, log::Log* log,
                                                         const Clock* clock,
                                                         GeneratorOptions options);
  ~Generator();

  void start();
  void stop();
  // Sales and clicks that all runs have put into the log, and this one.
  int64_t records_in_log() const { return before_ + records_.load(); }
  int64_t records() const { return records_.load(); }
  // Records of the other topics that all runs have put into the log.
  int64_t others_in_log() const { return others_.load(); }
  // Whether the run has put its last record into the log, or cannot go on.
  bool done() const { return done_.load(); }
  absl::Status failure() const;

 private:
  Generator(Schedule* schedule, log::Log* log, const Clock* clock, GeneratorOptions options);
  absl::Status begin();
  void run();
  absl::Status append_due(bool* caught_up);
  absl::Status append(Topic topic, const ByPartition& due, int64_t* appended);

  const Schedule& schedule() const { return *schedule_; }
  Schedule* schedule_;
  log::Log* log_;
  const Clock* clock_;
  GeneratorOptions options_;
  std::unique_ptr<Shop> shop_;
  ByPartition next_{};  // the offset of the next record
  int64_t before_ = 0;
  std::atomic<int64_t> records_{0};
  std::atomic<int64_t> others_{0};
  std::atomic<bool> stop_{false};
  std::atomic<bool> done_{false};
  mutable std::mutex mutex_;  // of failure_
  absl::Status failure_;
  std::thread thread_;
};

}  // namespace kappa::cli::playground
