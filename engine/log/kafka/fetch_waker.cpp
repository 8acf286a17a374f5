#include "engine/log/kafka/fetch_waker.h"

#include <algorithm>

#include <librdkafka/rdkafka.h>

namespace kappa::log {
namespace {

constexpr int kQueryMs = 1000;

}  // namespace

FetchWaker::~FetchWaker() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void FetchWaker::wake(const Client& client, const TopicPartition& partition) {
  {
    const std::lock_guard lock(mutex_);
    // Leaders differ: another partition's question does not do for this one.
    const std::pair<const Client*, TopicPartition> wanted(&client, partition);
    if (std::find(wanted_.begin(), wanted_.end(), wanted) != wanted_.end()) return;
    wanted_.push_back(wanted);
  }
  changed_.notify_all();
}

void FetchWaker::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stop_ || !wanted_.empty(); });
    if (stop_) return;
    const auto [client, partition] = std::move(wanted_.front());
    wanted_.pop_front();
    lock.unlock();
    int64_t start = 0;
    int64_t end = 0;
    rd_kafka_query_watermark_offsets(client->get(), partition.topic.c_str(), partition.partition,
                                     &start, &end, kQueryMs);
    lock.lock();
  }
}

}  // namespace kappa::log
