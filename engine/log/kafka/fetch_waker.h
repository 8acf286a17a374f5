#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "engine/log/kafka/client.h"

namespace kappa::log {

// Makes librdkafka look again at partitions whose queues were full. It fetches until enough is
// queued, and whether there is room again it sees only when something comes to the broker's thread:
// an answer, or after a second nothing. A small question to the partition's leader is such a thing.
// librdkafka waits for its answer, so it is asked on a thread of this class. Thread-safe; clients
// outlive it.
class FetchWaker {
 public:
  FetchWaker() : thread_([this] { run(); }) {}
  ~FetchWaker();

  // Returns at once. What waits to be asked already is asked once.
  void wake(const Client& client, const TopicPartition& partition);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<const Client*, TopicPartition>> wanted_;  // by the time of the call
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace kappa::log
