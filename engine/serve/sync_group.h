#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "engine/log/log.h"

namespace kappa::serve {

// Makes appends durable together: while one sync runs, those that come meanwhile wait for the next
// one, which serves them all. Thread-safe; one thread of its own.
class SyncGroup {
 public:
  explicit SyncGroup(log::Log* log);  // borrowed
  // Answers those that wait, then ends.
  ~SyncGroup();
  SyncGroup(const SyncGroup&) = delete;
  SyncGroup& operator=(const SyncGroup&) = delete;

  // Calls `done` once everything that was appended before this call is durable, or cannot be made
  // so, on this group's thread.
  void after_sync(std::function<void(const absl::Status&)> done);

 private:
  void run();

  log::Log* const log_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::function<void(const absl::Status&)>> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace kappa::serve
