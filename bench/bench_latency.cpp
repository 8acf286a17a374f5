// How long does it take from an append until a gRPC point read shows it? Under a load of 50,000
// records a second, with log, durable view, server and client on the same cores.
//
// Some of the records are probes: bids for an auction of their own, with ascending prices. One
// thread appends at a fixed pace, whatever becomes of it; another asks for the probes' auction and
// takes the time of each probe that is now seen. So every probe counts, and a stall counts for all
// probes that fell into it. A probe's time includes the pause until the next question.
//
// `latency-replay` measures that twice in one process, with a history behind it that is ten times
// as long: alone, and while the same logic is replayed from the first record on, over and over,
// with one core at most.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <thread>

#include "absl/strings/str_cat.h"
#include "bench/bid_log.h"
#include "bench/product_run.h"
#include "engine/serve/client.h"
#include "engine/serve/server.h"
#include "engine/sql/catalog.h"
#include "engine/types/status_macros.h"
#include "state/store.h"

namespace kappa::bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

constexpr int64_t kRecordsPerSecond = 50'000;
constexpr int64_t kProbeEvery = 100;   // records: 500 probes a second
constexpr int64_t kProbeAuction = -1;  // no bid's
constexpr microseconds kTick{1000};    // between two appends
constexpr microseconds kQuestionPause{250};

constexpr const char* kSql = R"(
CREATE MATERIALIZED VIEW auctions AS
SELECT auction, count(*) AS bids, max(price) AS price, sum(price) AS sum FROM bid GROUP BY auction;
)";

int64_t probes_of(int64_t records) {
  return (records + kProbeEvery - 1) / kProbeEvery;
}

// What the two threads know of the probes among so many records behind `first`, with so many probes
// before. Probe n has the price n + 1 above those.
struct Probes {
  explicit Probes(int64_t records, int64_t first = 0, int64_t probes_before = 0)
      : first_record(first),
        first_price(probes_before),
        appended(static_cast<size_t>(probes_of(records))),
        latency_ms(appended.size()) {}

  const int64_t first_record;
  const int64_t first_price;
  std::vector<Clock::time_point> appended;  // before the append; written before `sent` covers it
  std::atomic<int64_t> sent{0};
  std::vector<double> latency_ms;
  std::atomic<bool> failed{false};
};

// Appends all records at the pace of the load, late ones at once.
absl::Status append_at_pace(log::Log& log, int64_t records, Probes& probes) {
  const Clock::time_point begin = Clock::now();
  for (int64_t n = 0; n < records && !probes.failed;) {
    std::this_thread::sleep_until(begin + microseconds(n * 1'000'000 / kRecordsPerSecond));
    const int64_t due = (Clock::now() - begin) / microseconds(1'000'000 / kRecordsPerSecond);
    const int64_t tick_end = n + kRecordsPerSecond * kTick.count() / 1'000'000;
    const int64_t end = std::min(records, std::max(tick_end, due));
    std::vector<std::string> payloads(static_cast<size_t>(end - n));
    std::vector<log::RecordToAppend> batch(payloads.size());
    int64_t sent = probes.sent;
    const Clock::time_point now = Clock::now();
    for (size_t i = 0; i < batch.size(); ++i, ++n) {
      Bid bid = nexmark_bid(probes.first_record + n, {});
      if (n % kProbeEvery == 0) {
        bid.auction = kProbeAuction;
        bid.price = probes.first_price + sent + 1;
        probes.appended[static_cast<size_t>(sent++)] = now;
      }
      append_json(bid, &payloads[i]);
      batch[i].value = payloads[i];
      batch[i].partition = static_cast<int32_t>(n % kBidPartitions);
    }
    probes.sent = sent;
    KAPPA_RETURN_IF_ERROR(log.append("bid", batch).status());
  }
  return absl::OkStatus();
}

// Asks until all probes were seen.
absl::Status watch(serve::Client& client, Probes& probes) {
  const std::vector<Row> key = {{Value::bigint(kProbeAuction)}};
  const auto give_up = Clock::now() + std::chrono::minutes(10);
  for (size_t seen = 0; seen < probes.appended.size() && !probes.failed;) {
    KAPPA_ASSIGN_OR_RETURN(const serve::KeyedAnswer answer, client.get("", "auctions", key));
    const Clock::time_point now = Clock::now();
    int64_t newest = answer.rows[0] ? std::get<int64_t>((*answer.rows[0])[2].data) : 0;
    newest -= std::min(newest, probes.first_price);
    for (; seen < static_cast<size_t>(newest); ++seen) {
      probes.latency_ms[seen] =
          std::chrono::duration<double, std::milli>(now - probes.appended[seen]).count();
    }
    if (now > give_up) return absl::DeadlineExceededError("a probe was not seen for minutes");
    std::this_thread::sleep_for(kQuestionPause);
  }
  return absl::OkStatus();
}

// Every record is in the view, each probe once.
absl::Status check(runtime::ViewReader& reader, int64_t records, int64_t probes) {
  int64_t bids = 0;
  int64_t probes_seen = 0;
  KAPPA_RETURN_IF_ERROR(for_each_row(reader, "auctions", [&](const Row& row) {
    bids += std::get<int64_t>(row[1].data);
    if (std::get<int64_t>(row[0].data) == kProbeAuction) {
      probes_seen = std::get<int64_t>(row[1].data);
    }
    return absl::OkStatus();
  }));
  if (bids == records && probes_seen == probes) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("the view counts ", bids, " bids and ", probes_seen,
                                          " probes, not ", records, " and ", probes));
}

// Log, durable view, server and client.
struct Service {
  operators::Plan plan;
  std::unique_ptr<log::EmbeddedLog> log;
  std::unique_ptr<state::StateStore> store;
  SystemClock clock;
  std::unique_ptr<runtime::Pipeline> pipeline;
  std::unique_ptr<serve::Server> server;
  std::unique_ptr<serve::Client> client;

  // Over a log with so many records, which are all in the view then.
  absl::Status start(const Options& options, int64_t history) {
    KAPPA_ASSIGN_OR_RETURN(log, make_bid_log(options.directory + "/log", history, {}));
    const sql::CompiledPlan compiled =
        sql::compile_product({{"bench.sql", std::string(kBidTable) + kSql}}, {});
    if (!compiled.ok()) return sql::to_status(compiled.diagnostics);
    plan = compiled.plan;
    KAPPA_ASSIGN_OR_RETURN(store, state::open_rocksdb_store(options.directory + "/db"));
    KAPPA_ASSIGN_OR_RETURN(pipeline, open(options, *store, false));
    KAPPA_RETURN_IF_ERROR(pipeline->start());
    KAPPA_RETURN_IF_ERROR(wait_for_records(*pipeline, history));

    serve::ServedProduct product;
    product.name = "bench";
    product.reader = pipeline.get();
    serve::ServerOptions server_options;
    server_options.listen = "127.0.0.1:0";
    server_options.http_listen = "";
    KAPPA_ASSIGN_OR_RETURN(server, serve::Server::start(server_options, {product}, log.get()));
    serve::ClientOptions client_options;
    client_options.server = absl::StrCat("127.0.0.1:", server->port());
    KAPPA_ASSIGN_OR_RETURN(client, serve::Client::make(client_options));
    return client->get("", "auctions", {{Value::bigint(0)}}).status();  // connects
  }

  absl::StatusOr<std::unique_ptr<runtime::Pipeline>> open(const Options& options,
                                                          state::StateStore& state, bool follows) {
    runtime::PipelineOptions pipeline_options;
    pipeline_options.workers = options.workers;
    pipeline_options.follow_only = follows;
    return runtime::Pipeline::open(plan, {}, log.get(), &state, options.directory + "/journal",
                                   &clock, pipeline_options);
  }

  absl::Status stop() {
    server->stop();
    return pipeline->stop();
  }
};

// Appends, and sees all probes; their times are ascending then.
absl::Status measure(Service& service, int64_t records, Probes& probes) {
  absl::Status appended;
  std::thread appender([&] {
    appended = append_at_pace(*service.log, records, probes);
    if (!appended.ok()) probes.failed = true;
  });
  const absl::Status watched = watch(*service.client, probes);
  if (!watched.ok()) probes.failed = true;
  appender.join();
  KAPPA_RETURN_IF_ERROR(appended);
  KAPPA_RETURN_IF_ERROR(watched);
  std::sort(probes.latency_ms.begin(), probes.latency_ms.end());
  return absl::OkStatus();
}

absl::StatusOr<Result> run(const Options& options) {
  const int64_t records = *options.records;
  Service service;
  KAPPA_RETURN_IF_ERROR(service.start(options, 0));
  Result result;
  Probes probes(records);
  const Stopwatch stopwatch;
  KAPPA_RETURN_IF_ERROR(measure(service, records, probes));
  stopwatch.stop(&result);
  KAPPA_RETURN_IF_ERROR(service.stop());
  KAPPA_RETURN_IF_ERROR(check(*service.pipeline, records, probes_of(records)));

  result.records = records;
  result.bytes_per_record = 200;
  result.checked = true;
  result.more["probes"] = static_cast<double>(probes_of(records));
  result.more["p50_ms"] = percentile(probes.latency_ms, 0.5);
  result.more["p99_ms"] = percentile(probes.latency_ms, 0.99);
  result.more["p999_ms"] = percentile(probes.latency_ms, 0.999);
  result.more["max_ms"] = probes.latency_ms.back();
  result.more["checkpoints"] = static_cast<double>(service.pipeline->stats().checkpoints);
  return result;
}

// Replays the whole history with one core at most, again as soon as it is done, until it is to
// stop; the last one comes to the end of what there is then, and is right.
class Replays {
 public:
  // Of so many records and more; in the end, of so many, among them so many probes.
  Replays(Service& service, const Options& options, int64_t history, int64_t all, int64_t probes)
      : service_(service), options_(options), history_(history), all_(all), probes_(probes) {}

  absl::Status run() {
    while (true) {
      const std::string directory = absl::StrCat(options_.directory, "/replay", replays);
      KAPPA_ASSIGN_OR_RETURN(const auto store, state::open_rocksdb_store(directory));
      KAPPA_ASSIGN_OR_RETURN(const auto pipeline, service_.open(options_, *store, true));
      const auto give_up = Clock::now() + std::chrono::minutes(10);
      KAPPA_RETURN_IF_ERROR(pipeline->start());
      KAPPA_RETURN_IF_ERROR(pipeline->set_pace({.cpu_cores_max = 1}, give_up));
      int64_t applied = 0;
      while (applied < (stop ? all_ : history_)) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        applied = static_cast<int64_t>(pipeline->stats().records);
        if (Clock::now() > give_up) return absl::DeadlineExceededError("a replay took minutes");
      }
      ++replays;
      KAPPA_RETURN_IF_ERROR(pipeline->stop());
      if (applied == all_) return check(*pipeline, all_, probes_);
    }
  }

  std::atomic<bool> stop{false};
  int64_t replays = 0;

 private:
  Service& service_;
  const Options& options_;
  const int64_t history_;
  const int64_t all_;
  const int64_t probes_;
};

absl::StatusOr<Result> run_beside_replay(const Options& options) {
  // Each half begins with a probe.
  const int64_t half = (*options.records / 2 + kProbeEvery - 1) / kProbeEvery * kProbeEvery;
  const int64_t history = 20 * half;
  const int64_t all = history + 2 * half;
  Service service;
  KAPPA_RETURN_IF_ERROR(service.start(options, history));
  Result result;
  Probes alone(half, history, 0);
  Probes beside(half, history + half, probes_of(half));
  const Stopwatch stopwatch;
  KAPPA_RETURN_IF_ERROR(measure(service, half, alone));
  Replays replays(service, options, history + half, all, 2 * probes_of(half));
  absl::Status replayed;
  std::thread replayer([&] { replayed = replays.run(); });
  const absl::Status measured = measure(service, half, beside);
  replays.stop = true;
  replayer.join();
  stopwatch.stop(&result);
  KAPPA_RETURN_IF_ERROR(measured);
  KAPPA_RETURN_IF_ERROR(replayed);
  KAPPA_RETURN_IF_ERROR(service.stop());
  KAPPA_RETURN_IF_ERROR(check(*service.pipeline, all, 2 * probes_of(half)));

  result.records = 2 * half;
  result.bytes_per_record = 200;
  result.checked = true;
  result.more["replays"] = static_cast<double>(replays.replays);
  result.more["p99_alone_ms"] = percentile(alone.latency_ms, 0.99);
  result.more["p99_beside_ms"] = percentile(beside.latency_ms, 0.99);
  result.more["p99_ratio"] = result.more["p99_beside_ms"] / result.more["p99_alone_ms"];
  return result;
}

const bool added = add({"latency", "append to gRPC point read at 50,000 records a second, durable",
                        20 * kRecordsPerSecond, run});
const bool added_replay = add({"latency-replay", "the same beside a replay that may take one core",
                               40 * kRecordsPerSecond, run_beside_replay});

}  // namespace
}  // namespace kappa::bench
