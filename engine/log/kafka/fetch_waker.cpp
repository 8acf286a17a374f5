#include "engine/log/kafka/fetch_waker.h"

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
    wanted_.insert_or_assign(&client, partition);
  }
  changed_.notify_all();
}

void FetchWaker::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stop_ || !wanted_.empty(); });
    if (stop_) return;
    const auto [client, partition] = *wanted_.begin();
    wanted_.erase(wanted_.begin());
    lock.unlock();
    int64_t start = 0;
    int64_t end = 0;
    rd_kafka_query_watermark_offsets(client->get(), partition.topic.c_str(), partition.partition,
                                     &start, &end, kQueryMs);
    lock.lock();
  }
}

}  // namespace kappa::log
