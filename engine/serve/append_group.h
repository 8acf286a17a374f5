#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/log/log.h"

namespace kappa::serve {

// Appends single records together: while one append is on its way, which on a log of other machines
// takes as long as these take to answer, those that come meanwhile wait for the next one, which
// takes them all. Records of one topic stay in their order. Thread-safe; one thread of its own.
class AppendGroup {
 public:
  explicit AppendGroup(log::Log* log);  // borrowed
  // Appends what waits, then ends.
  ~AppendGroup();
  AppendGroup(const AppendGroup&) = delete;
  AppendGroup& operator=(const AppendGroup&) = delete;

  // Calls `done` with where the record is in the log, or why it is not, on this group's thread.
  using Done = std::function<void(const absl::StatusOr<log::AppendedAt>&)>;
  void append(std::string topic, std::string key, std::string value, Done done);

 private:
  struct Waiting {
    std::string topic;
    std::string key;
    std::string value;
    Done done;
  };

  void run();
  void append_all(const std::vector<Waiting>& records);

  log::Log* const log_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Waiting> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace kappa::serve
