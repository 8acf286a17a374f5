// Kills a loaded `kappa serve` at random moments and looks at what is left.

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <map>
#include <set>
#include <thread>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <signal.h>

#include "absl/strings/str_cat.h"
#include "engine/cli/deployment.h"
#include "engine/serve/client.h"
#include "engine/sql/catalog.h"
#include "test/cli/process.h"
#include "test/cli/scratch.h"
#include "test/environment.h"
#include "test/runtime/model/dice.h"

namespace kappa::cli {
namespace {

using model::Dice;
using test::number_from_environment;

const std::string kProduct = R"(
CREATE FOREIGN TABLE sales (
  id bigint NOT NULL, store text, amount bigint, sold_at timestamptz
) SERVER log OPTIONS (topic 'sales', format 'json', event_time 'sold_at',
                      out_of_orderness '2 seconds');
CREATE FOREIGN TABLE large_sales (id bigint, amount bigint)
  SERVER log OPTIONS (topic 'large_sales', format 'json');

CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n, sum(amount) AS amount FROM sales;
CREATE MATERIALIZED VIEW stores AS
SELECT store, count(*) AS n, min(amount) AS least, max(amount) AS most, count(DISTINCT amount) AS kinds
FROM sales GROUP BY store;
CREATE MATERIALIZED VIEW minutes WITH (grace = '1 second', emit = 'final') AS
SELECT window_start, store, sum(amount) AS amount
FROM tumble(sales, sold_at, INTERVAL '1 second') GROUP BY window_start, store;
CREATE MATERIALIZED VIEW store_sizes AS SELECT n, count(*) AS stores FROM stores GROUP BY n;
INSERT INTO large_sales SELECT id, amount FROM sales WHERE amount >= 900;
)";

void sleep_ms(int64_t ms) {
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

std::unique_ptr<serve::Client> client_of(const std::string& server) {
  serve::ClientOptions options;
  options.server = server;
  options.timeout_ms = 60'000;
  auto client = serve::Client::make(options);
  REQUIRE(client.ok());
  return *std::move(client);
}

// Sends sales to one server after the other, on a thread of its own, and remembers what was
// acknowledged.
class Load {
 public:
  struct Acknowledged {
    std::string payload;
    log::AppendedAt at;
  };

  // `first_id`: of its sales.
  Load(uint64_t seed, int64_t first_id) : dice_(seed), next_id_(first_id) {}
  ~Load() { stop(); }

  void start(const std::string& server) {
    stop_ = false;
    thread_ = std::thread([this, client = client_of(server)] {
      while (!stop_) send(*client);
    });
  }
  void stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  // Not while it runs.
  const std::vector<Acknowledged>& acknowledged() const { return acknowledged_; }

 private:
  // What fails is not sent again: nobody knows what became of it.
  void send(serve::Client& client) {
    std::vector<serve::RecordToSend> records;
    for (int64_t count = dice_.between(1, 300); count > 0; --count) records.push_back(next());
    // What the process has written survives it, synced or not.
    const auto appended = client.append("sales", records, dice_.one_in(3));
    if (!appended.ok()) return sleep_ms(5);
    for (size_t i = 0; i < records.size(); ++i) {
      acknowledged_.push_back({*records[i].value, (*appended)[i]});
    }
  }

  // Some come out of order, some too late, and some are no sales.
  serve::RecordToSend next() {
    const int64_t now_ms = SystemClock().now().ms;
    const int64_t behind_ms = dice_.one_in(10) ? dice_.below(6'000) : dice_.below(500);
    nlohmann::json sale;
    sale["id"] = next_id_;
    if (!dice_.one_in(20)) sale["store"] = absl::StrCat("store ", dice_.below(50));
    sale["amount"] = dice_.below(1000);
    sale["sold_at"] = to_text(Value::timestamptz((now_ms - behind_ms) * 1000));
    serve::RecordToSend record;
    record.key = absl::StrCat(next_id_++ % 17);
    record.value = dice_.one_in(200) ? "not JSON" : sale.dump();
    return record;
  }

  Dice dice_;
  int64_t next_id_;
  std::vector<Acknowledged> acknowledged_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// A data directory, and the servers that run in it one after the other.
class CrashTest {
 public:
  explicit CrashTest(uint64_t seed) : dice_(seed) {
    scratch_.file("shop/product.sql", kProduct);
    for (int64_t i = 0; i < 3; ++i) {
      loads_.push_back(std::make_unique<Load>(seed + 1 + static_cast<uint64_t>(i), i << 40));
    }
  }

  // Now and then a server dies while it is still starting.
  void serve_and_kill() {
    const auto server = start();
    if (dice_.one_in(4)) {
      sleep_ms(dice_.between(0, 100));
    } else {
      for (const auto& load : loads_) load->start(address(*server));
      sleep_ms(dice_.between(10, 400));
      look(address(*server));
      sleep_ms(dice_.between(0, 50));
    }
    server->signal(SIGKILL);
    server->wait();
    for (const auto& load : loads_) load->stop();
  }

  void serve_and_stop() {
    const auto server = start();
    for (const auto& load : loads_) load->start(address(*server));
    sleep_ms(200);
    for (const auto& load : loads_) load->stop();
    look(address(*server));
    server->signal(SIGTERM);
    const Ended ended = server->wait();
    INFO(ended.err);
    CHECK(ended.code == 0);
  }

  DeploymentOptions deployment() const {
    DeploymentOptions options;
    options.data = data();
    options.command = "this test";
    return options;
  }
  std::vector<Load::Acknowledged> acknowledged() const {
    std::vector<Load::Acknowledged> all;
    for (const auto& load : loads_) {
      all.insert(all.end(), load->acknowledged().begin(), load->acknowledged().end());
    }
    return all;
  }

 private:
  std::string data() const { return scratch_.path("data"); }

  std::unique_ptr<Process> start() {
    static const std::vector<std::string> workers{"1", "2", "4"};
    return std::make_unique<Process>(
        scratch_.directory(),
        std::vector<std::string>{"serve", "--data", data(), "--product", scratch_.path("shop"),
                                 "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--output",
                                 "json", "--checkpoint-interval-ms", "50", "--workers",
                                 dice_.pick(workers)});
  }

  // Its address, once it is ready.
  static std::string address(Process& server) {
    const bool ready = server.wait_for_output("\n");
    if (!ready) FAIL("not ready: " << server.wait().err);
    return nlohmann::json::parse(server.out())["grpc"].get<std::string>();
  }

  // What a reader has seen is never taken back.
  void look(const std::string& server) {
    const auto answer = client_of(server)->query("shop", "SELECT n FROM totals");
    INFO(answer.status());
    REQUIRE(answer.ok());
    const auto sales = std::get<int64_t>(answer->rows.at(0).at(0).data);
    CHECK(sales >= seen_);
    seen_ = sales;
  }

  Scratch scratch_;
  Dice dice_;
  std::vector<std::unique_ptr<Load>> loads_;
  int64_t seen_ = 0;
};

// ---- what is left -----------------------------------------------------------------------------

using Contents = std::map<TopicPartition, std::vector<std::string>>;

Contents read_topic(log::Log& log, const std::string& topic) {
  Contents contents;
  const auto info = log.topic(topic);
  REQUIRE(info.ok());
  for (int32_t p = 0; p < info->config.partitions; ++p) {
    auto& payloads = contents[{topic, p}];
    auto reader = log.open_reader({topic, p}, Offset{0});
    REQUIRE(reader.ok());
    while (true) {
      const auto block = (*reader)->read(1u << 20);
      REQUIRE(block.ok());
      if (block->empty()) break;
      for (const RecordView& record : block->records) {
        payloads.emplace_back(*record.value_view());
      }
    }
  }
  return contents;
}

// The state after an undisturbed pass over the same log and journal.
std::string dump_of_undisturbed_pass(log::Log& log, const std::string& journal) {
  const sql::CompiledPlan compiled = sql::compile_product({{"product.sql", kProduct}}, {});
  REQUIRE(compiled.ok());
  const auto store = state::make_memory_store();
  SystemClock clock;
  runtime::PipelineOptions options;
  options.workers = 2;
  options.follow_only = options.mute_outputs = true;
  const auto pipeline =
      runtime::Pipeline::open(compiled.plan, {}, &log, store.get(), journal, &clock, options);
  INFO(pipeline.status());
  REQUIRE(pipeline.ok());
  const absl::Status followed = (*pipeline)->follow(~uint64_t{0});
  INFO(followed);
  REQUIRE(followed.ok());
  const auto dump = (*pipeline)->canonical_dump();
  REQUIRE(dump.ok());
  return *dump;
}

void check_acknowledged(const std::vector<Load::Acknowledged>& acknowledged,
                        const Contents& sales) {
  size_t missing = 0;
  for (const auto& [payload, at] : acknowledged) {
    const auto& payloads = sales.at({"sales", at.partition});
    const auto offset = static_cast<size_t>(at.offset.value);
    missing += offset >= payloads.size() || payloads[offset] != payload;
  }
  CHECK(missing == 0);
}

// Counts each sale once, and finds each of 900 and more in the output topic, once.
void check_sales(const Contents& sales, const Contents& outputs, runtime::Pipeline& pipeline) {
  int64_t count = 0;
  std::multiset<int64_t> expected;
  for (const auto& [partition, payloads] : sales) {
    for (const std::string& payload : payloads) {
      const auto sale = nlohmann::json::parse(payload, nullptr, false);
      if (!sale.is_object()) continue;
      ++count;
      if (sale["amount"].get<int64_t>() >= 900) expected.insert(sale["id"].get<int64_t>());
    }
  }
  std::multiset<int64_t> published;
  for (const auto& [partition, payloads] : outputs) {
    for (const std::string& payload : payloads) {
      published.insert(nlohmann::json::parse(payload)["id"].get<int64_t>());
    }
  }
  CHECK(published == expected);
  absl::StatusOr<runtime::ViewReader::Rows> totals = absl::InternalError("not called");
  pipeline.get(pipeline.plan().find_view("totals"), {Row()},
               [&](auto found) { totals = std::move(found); });
  REQUIRE(totals.ok());
  REQUIRE(totals->rows.at(0));
  CHECK(totals->rows[0]->at(0) == Value::bigint(count));
}

}  // namespace

// KAPPA_KILLS kills (10), from the seed KAPPA_SEED_FIRST (another one each time).
TEST_CASE("a server killed at random moments loses nothing and computes nothing twice") {
  const auto now = static_cast<uint64_t>(SystemClock().now().ms);
  const uint64_t seed = number_from_environment("KAPPA_SEED_FIRST", now % 100'000);
  INFO("KAPPA_SEED_FIRST=" << seed);
  CrashTest test(seed);
  for (uint64_t kills = number_from_environment("KAPPA_KILLS", 10); kills > 0; --kills) {
    test.serve_and_kill();
  }
  test.serve_and_stop();
  const auto acknowledged = test.acknowledged();
  REQUIRE(acknowledged.size() > 100);

  auto deployment = Deployment::open(test.deployment());
  REQUIRE(deployment.ok());
  REQUIRE((*deployment)->open_products(/*live_only=*/true).ok());
  const auto shop = (*deployment)->find("shop");
  REQUIRE(shop.ok());
  runtime::Pipeline& pipeline = *(*shop)->live()->pipeline;
  // What arrived after the last epoch of the last server.
  REQUIRE(pipeline.advance().ok());
  REQUIRE(pipeline.checkpoint().ok());

  const auto dump = pipeline.canonical_dump();
  REQUIRE(dump.ok());
  log::Log& log = (*deployment)->log();
  CHECK(*dump == dump_of_undisturbed_pass(log, (*deployment)->directory().journal_path("shop")));
  const Contents sales = read_topic(log, "sales");
  check_acknowledged(acknowledged, sales);
  check_sales(sales, read_topic(log, "large_sales"), pipeline);
}

}  // namespace kappa::cli
