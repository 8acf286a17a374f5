#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

namespace kappa::test {

// A sale by its number, of which everything else follows: it is in partition n % 2, its event time
// is n * 10 ms after 2026-01-01, its amount one of 100, 500 and 900 in turn, its card one of five.
struct Sale {
  static int partition(int64_t n) { return static_cast<int>(n % 2); }
  static int64_t amount(int64_t n) { return 100 + n % 3 * 400; }
  static std::string card(int64_t n) { return "c" + std::to_string(n % 5); }
  static int64_t time_ms(int64_t n);
  static std::string json(int64_t n);
};

// Sends sales 0, 1, 2 … to a topic of two partitions, some hundred a second, on a thread of its
// own, through librdkafka as an idempotent producer, until it is stopped.
class SalesLoad {
 public:
  SalesLoad(std::string bootstrap, std::string topic)
      : bootstrap_(std::move(bootstrap)), topic_(std::move(topic)), thread_([this] { run(); }) {}
  ~SalesLoad() { stop(); }
  SalesLoad(const SalesLoad&) = delete;
  SalesLoad& operator=(const SalesLoad&) = delete;

  // The broker has the sales below.
  int64_t sent() const { return sent_; }
  void stop();
  // Why it has stopped by itself; after stop(). Empty: it has not.
  const std::string& failure() const { return failure_; }

 private:
  void run();

  const std::string bootstrap_;
  const std::string topic_;
  std::atomic<int64_t> sent_{0};
  std::atomic<bool> stop_{false};
  std::string failure_;
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace kappa::test
