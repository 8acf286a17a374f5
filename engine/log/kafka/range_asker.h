#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "absl/status/statusor.h"
#include "engine/log/kafka/consumer_shelf.h"
#include "engine/log/kafka/topic_catalog.h"
#include "engine/log/log.h"

namespace kappa::log {

// Asks partition leaders where their log starts and ends (the last stable offset), on a thread of
// its own: librdkafka's call can take much longer than it is told to, and who asks has readers to
// serve. Thread-safe.
class RangeAsker {
 public:
  RangeAsker(ConsumerShelf* consumers, TopicCatalog* topics);
  ~RangeAsker();

  // The range as it was at a moment of this call, or of a call that was given up on before it.
  // NotFound: no such topic or partition. Unavailable: no answer in time, which is a second, or a
  // moment if an earlier question is still open; the next call goes on waiting for it.
  absl::StatusOr<PartitionRange> ask(const TopicPartition& partition);
  // The last answer, however old. NotFound: there has been none.
  absl::StatusOr<PartitionRange> last(const TopicPartition& partition) const;

 private:
  // Questions about a partition are numbered; an answer serves all that were asked before it was
  // sought.
  struct Question {
    uint64_t asked = 0;
    uint64_t answered = 0;
    bool given_up = false;  // who asked last has gone without the answer
    absl::StatusOr<PartitionRange> answer = absl::UnknownError("not asked yet");
  };
  void run();
  absl::StatusOr<PartitionRange> query(const TopicPartition& partition);

  ConsumerShelf* consumers_;
  TopicCatalog* topics_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<TopicPartition, Question> questions_;
  std::map<TopicPartition, PartitionRange> last_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace kappa::log
