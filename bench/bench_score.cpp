// How long does it take from a payment's arrival over gRPC to its decision: append, features,
// model, rules, answer? At 1,000 requests a second beside 20,000 other events a second, with the
// data product sales_fraud in the real binary, a process of its own, and the load in this one, on
// the same cores. Then: how many a second, if as many as possible are asked?
//
// The load is open: request n is due at n / rate, whatever became of those before, and its time
// counts from when it was due. So a stall counts for every request that fell into it. The features
// in the answers are checked: of each card the n-th answer counts n payments.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "absl/strings/str_cat.h"
#include "bench/bench.h"
#include "bench/kafka_bids.h"
#include "bench/served_kappa.h"
#include "engine/log/embedded/embedded_log.h"
#include "engine/serve/client.h"
#include "engine/types/status_macros.h"
#include "kappa/v1/fraud.grpc.pb.h"

namespace kappa::bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

constexpr int64_t kRequestsPerSecond = 1'000;
constexpr int64_t kEventsPerSecond = 20'000;  // of sales beside
constexpr microseconds kTick{5'000};          // between two appends of these
constexpr int64_t kCards = 5'000;
constexpr int64_t kTerminals = 1'000;
constexpr size_t kCallersAtOnce = 64;  // where as many as possible are asked
constexpr const char* kProduct = KAPPA_SOURCE_DIR "/schemas/sales_fraud";
constexpr const char* kTopics[] = {"transactions", "fraud-reports", "fraud-rules", "sale-lines",
                                   "fraud-alerts"};

int64_t now_us() {
  return std::chrono::duration_cast<microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

absl::Status make_topics(log::Log& log) {
  for (const char* topic : kTopics) {
    if (log.topic(topic).ok()) {
      return absl::FailedPreconditionError(
          absl::StrCat("topic ", topic, " is there already; give a broker without it"));
    }
    KAPPA_RETURN_IF_ERROR(log.create_topic(topic, {.partitions = 1}));
  }
  return absl::OkStatus();
}

// ---- the requests ---------------------------------------------------------------------------

// Calls of Score and what became of them. Called back on gRPC's threads.
class Calls {
 public:
  Calls(const std::string& address, int64_t requests)
      : stub_(v1::FraudService::NewStub(
            grpc::CreateChannel(address, grpc::InsecureChannelCredentials()))),
        latency_ms_(static_cast<size_t>(requests)) {}

  // Request n, whose time counts from `due`.
  void start(int64_t n, Clock::time_point due) {
    auto* call = new Call{*this, n, due, {}, {}, {}};
    v1::Transaction* payment = call->request.mutable_transaction();
    payment->set_transaction_id(absl::StrCat("bench-", n));
    payment->set_event_time_us(now_us());
    payment->set_card_id(absl::StrCat("card-", n % kCards));
    payment->set_customer_id(absl::StrCat("customer-", n % kCards));
    payment->set_device_id(absl::StrCat("device-", n % kCards));
    payment->set_terminal_id(absl::StrCat("terminal-", n * 7 % kTerminals));
    payment->set_amount(absl::StrCat(1 + n % 200, ".50"));
    payment->set_country("DE");
    call->request.set_durability(v1::DURABILITY_WRITTEN);
    call->context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    stub_->async()->Score(&call->context, &call->request, &call->response,
                          [this, call](const grpc::Status& status) { done(call, status); });
  }
  // Waits until fewer than `open` calls have no answer yet.
  void wait_for_fewer_than(int64_t started, size_t open) {
    std::unique_lock lock(mutex_);
    answered_.wait(lock, [&] { return started - done_ < static_cast<int64_t>(open); });
  }
  // The first thing that was wrong.
  absl::Status status() const {
    const std::lock_guard lock(mutex_);
    return status_;
  }
  // Of requests [begin, end), ascending. All have ended.
  std::vector<double> latencies(int64_t begin, int64_t end) const {
    std::vector<double> some(latency_ms_.begin() + begin, latency_ms_.begin() + end);
    std::sort(some.begin(), some.end());
    return some;
  }
  // Whether of each card the answers have counted its payments, each number once.
  absl::Status check_counts() const {
    const std::lock_guard lock(mutex_);
    for (const auto& [card, counts] : counts_) {
      if (counts.size() == static_cast<size_t>(*counts.rbegin()) && *counts.begin() == 1) continue;
      return absl::InternalError(absl::StrCat(card, " has ", counts.size(), " answers, of which ",
                                              "the last counts ", *counts.rbegin()));
    }
    return absl::OkStatus();
  }

 private:
  struct Call {
    Calls& calls;
    int64_t n;
    Clock::time_point due;
    grpc::ClientContext context;
    v1::ScoreRequest request;
    v1::ScoreResponse response;
  };

  void done(Call* ended, const grpc::Status& status) {
    const std::unique_ptr<Call> call(ended);
    const Clock::time_point now = Clock::now();
    latency_ms_[static_cast<size_t>(call->n)] =
        std::chrono::duration<double, std::milli>(now - call->due).count();
    const std::lock_guard lock(mutex_);
    ++done_;
    answered_.notify_one();
    if (!status_.ok()) return;
    if (!status.ok()) {
      status_ = absl::InternalError("Score failed: " + status.error_message());
      return;
    }
    for (const v1::Feature& feature : call->response.decision().features()) {
      if (feature.name() != "card_count_24h") continue;
      const bool fresh = counts_[call->request.transaction().card_id()]
                             .insert(static_cast<int64_t>(feature.value()))
                             .second;
      if (fresh && call->response.decision().has_score()) return;
    }
    status_ = absl::InternalError(
        absl::StrCat("the answer to request ", call->n, " has no score or a wrong count"));
  }

  const std::unique_ptr<v1::FraudService::Stub> stub_;
  std::vector<double> latency_ms_;  // by request; each written once, before `done_` covers it
  mutable std::mutex mutex_;
  std::condition_variable answered_;
  int64_t done_ = 0;
  absl::Status status_;
  std::map<std::string, std::set<int64_t>> counts_;  // by card
};

// ---- the other events -----------------------------------------------------------------------

// Sales, appended at their pace until it is destroyed.
class OtherEvents {
 public:
  explicit OtherEvents(const std::string& address)
      : address_(address), thread_([this] { run(); }) {}
  ~OtherEvents() { stop(); }
  void stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  // After stop().
  const absl::Status& status() const { return status_; }
  double per_second() const { return per_second_; }

 private:
  void run() { status_ = append_all(); }
  absl::Status append_all() {
    serve::ClientOptions options;
    options.server = address_;
    KAPPA_ASSIGN_OR_RETURN(const auto client, serve::Client::make(options));
    const Clock::time_point begin = Clock::now();
    int64_t sent = 0;
    while (!stop_) {
      const int64_t due = (Clock::now() - begin) / microseconds(1) * kEventsPerSecond / 1'000'000;
      std::vector<serve::RecordToSend> records;
      for (; sent < due; ++sent) {
        const std::string invoice = absl::StrCat("i", sent / 4);
        records.push_back(
            {invoice,
             absl::StrCat(R"({"invoice_no": ")", invoice, R"(", "event_time": )", now_us() / 1000,
                          R"(, "stock_code": "p)", sent % 977, R"(", "quantity": )", 1 + sent % 5,
                          R"(, "unit_price": )", 1 + sent % 90, R"(.25, "country": "DE", )",
                          R"("store_id": "store-)", sent % 40, R"("})"),
             {},
             {},
             {}});
      }
      if (!records.empty()) {
        KAPPA_RETURN_IF_ERROR(client->append("sale-lines", records, false).status());
      }
      std::this_thread::sleep_for(kTick);
    }
    per_second_ =
        static_cast<double>(sent) / std::chrono::duration<double>(Clock::now() - begin).count();
    return absl::OkStatus();
  }

  const std::string address_;
  std::atomic<bool> stop_{false};
  absl::Status status_;
  double per_second_ = 0;
  std::thread thread_;
};

// ---- the bench ------------------------------------------------------------------------------

// How many of the latencies are at most so many milliseconds, as a histogram has it.
void add_histogram(const std::vector<double>& ascending, Result* result) {
  for (const double bound : {1, 2, 3, 5, 7, 10, 15, 25, 50, 100, 250}) {
    const auto up_to = std::upper_bound(ascending.begin(), ascending.end(), bound);
    result->more[absl::StrCat("up_to_", bound, "_ms")] =
        static_cast<double>(up_to - ascending.begin());
  }
}

absl::StatusOr<std::unique_ptr<ServedKappa>> serve_product(const Options& options) {
  const std::string data = options.directory + "/data";
  std::vector<std::string> arguments = {"--data", data, "--product", kProduct};
  if (options.over_kafka) {
    Options kafka = options;
    kafka.topic = kTopics[0];
    KAPPA_ASSIGN_OR_RETURN(const auto log, open_kafka(kafka));
    KAPPA_RETURN_IF_ERROR(make_topics(*log));
    arguments.insert(arguments.end(), {"--log", "kafka://" + options.brokers});
  } else {
    std::filesystem::create_directories(data);
    KAPPA_ASSIGN_OR_RETURN(const auto log, log::open_embedded_log(data + "/log", {}));
    KAPPA_RETURN_IF_ERROR(make_topics(*log));
  }
  return ServedKappa::start(options.directory, arguments);
}

// Asks at the pace, then as fast as answers come.
absl::Status ask(Calls& calls, int64_t paced, int64_t all, double* most_per_second) {
  const Clock::time_point begin = Clock::now();
  for (int64_t n = 0; n < paced; ++n) {
    const Clock::time_point due = begin + microseconds(n * 1'000'000 / kRequestsPerSecond);
    std::this_thread::sleep_until(due);
    calls.start(n, due);
  }
  calls.wait_for_fewer_than(paced, 1);
  const Clock::time_point second = Clock::now();
  for (int64_t n = paced; n < all; ++n) {
    calls.wait_for_fewer_than(n, kCallersAtOnce);
    calls.start(n, Clock::now());
  }
  calls.wait_for_fewer_than(all, 1);
  *most_per_second = static_cast<double>(all - paced) /
                     std::chrono::duration<double>(Clock::now() - second).count();
  return calls.status();
}

absl::StatusOr<Result> run(const Options& options) {
  const int64_t all = *options.records;
  const int64_t paced = all / 2;
  const int64_t warm = paced / 10;  // connections, and the first checkpoint
  KAPPA_ASSIGN_OR_RETURN(const auto served, serve_product(options));
  Calls calls(served->address(), all);
  OtherEvents events(served->address());
  Result result;
  double most_per_second = 0;
  const double cpu_before = served->cpu_seconds();
  const Stopwatch stopwatch;
  KAPPA_RETURN_IF_ERROR(ask(calls, paced, all, &most_per_second));
  stopwatch.stop(&result);
  const double cpu_after = served->cpu_seconds();
  events.stop();
  KAPPA_RETURN_IF_ERROR(events.status());
  KAPPA_RETURN_IF_ERROR(calls.check_counts());
  KAPPA_RETURN_IF_ERROR(served->stop());

  const std::vector<double> latencies = calls.latencies(warm, paced);
  result.records = all;
  result.bytes_per_record = 260;
  result.checked = true;
  result.more["server_cpu_seconds"] = cpu_after - cpu_before;
  result.more["other_events_per_second"] = events.per_second();
  result.more["p50_ms"] = percentile(latencies, 0.5);
  result.more["p90_ms"] = percentile(latencies, 0.9);
  result.more["p99_ms"] = percentile(latencies, 0.99);
  result.more["p999_ms"] = percentile(latencies, 0.999);
  result.more["max_ms"] = latencies.back();
  add_histogram(latencies, &result);
  result.more["most_per_second"] = most_per_second;
  result.more["most_p99_ms"] = percentile(calls.latencies(paced, all), 0.99);
  return result;
}

const bool added =
    add({"score", "a payment to its decision over gRPC, at 1,000 a second beside 20,000 events",
         40 * kRequestsPerSecond, run});

}  // namespace
}  // namespace kappa::bench
