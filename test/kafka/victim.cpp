#include "test/kafka/victim.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <thread>
#include <utility>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "engine/log/embedded/embedded_log.h"
#include "engine/log/kafka/kafka_outbox.h"
#include "engine/runtime/pipeline.h"
#include "engine/sql/catalog.h"
#include "state/store.h"
#include "test/kafka/broker.h"

namespace kappa::test {
namespace {

constexpr int kRecords = 6'000;
constexpr int kPortion = 200;
constexpr std::chrono::seconds kPatience{120};

// On standard error, too: a child's standard output is for its parent's eyes only.
void require_ok(const absl::Status& status) {
  if (!status.ok()) std::fprintf(stderr, "victim: %s\n", status.ToString().c_str());
  INFO(status.ToString());
  REQUIRE(status.ok());
}

// Topics have the product's name in theirs, so that runs do not meet on the shared broker.
std::string sql(const std::string& name) {
  return absl::StrCat(
      "CREATE FOREIGN TABLE clicks (page text, n bigint) SERVER log OPTIONS (topic '", name,
      "', format 'json');\n",
      "CREATE FOREIGN TABLE even (page text, n bigint) SERVER log OPTIONS (topic '", name,
      ".even', format 'json');\n",
      "CREATE FOREIGN TABLE totals (page text, clicks bigint, PRIMARY KEY (page)) SERVER log "
      "OPTIONS (topic '",
      name, ".totals', format 'json', mode 'upsert');\n", R"(
CREATE MATERIALIZED VIEW pages AS SELECT page, count(*) AS clicks, sum(n) AS total
FROM clicks GROUP BY page;
INSERT INTO even SELECT page, n FROM clicks WHERE n % 2 = 0;
INSERT INTO totals SELECT page, clicks FROM pages WHERE clicks % 5 > 0;)");
}

bool is_malformed(int i) {
  return i % 10 == 7;
}

std::string page_of(int i) {
  return absl::StrCat("p", i % 13);
}

std::unique_ptr<log::Log> open_log(const std::string& directory, Clock* clock) {
  log::EmbeddedLogOptions options;
  options.clock = clock;
  auto log = log::open_embedded_log(directory + "/log", options);
  require_ok(log.status());
  return *std::move(log);
}

// Appends the records that come after those that are there, a portion of them. Every tenth is
// malformed, for the dead letters; all of these are odd. False: all of them are there.
bool append_portion(log::Log& log, const std::string& topic) {
  const auto range = log.range({topic, 0});
  require_ok(range.status());
  const auto from = static_cast<int>(range->end.value);
  for (int i = from; i < kRecords && i < from + kPortion; ++i) {
    const std::string json = is_malformed(i)
                                 ? absl::StrCat("{", i)
                                 : absl::StrCat(R"({"page":")", page_of(i), R"(","n":)", i, "}");
    log::RecordToAppend record;
    record.value = json;
    record.timestamp = LogTime{1'704'067'200'000 + i};
    require_ok(log.append(topic, {&record, 1}).status());
  }
  return from < kRecords;
}

void wait_until_published(const runtime::Pipeline& pipeline, log::Log& log,
                          const std::string& topic) {
  const auto range = log.range({topic, 0});
  require_ok(range.status());
  const auto records = static_cast<uint64_t>(range->end.value);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  runtime::PipelineStats stats;
  do {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    stats = pipeline.stats();
    require_ok(stats.failure);
    REQUIRE(std::chrono::steady_clock::now() < deadline);
  } while (stats.records < records || stats.outbox_pending > 0);
}

// Feeds the product a portion after the other, each published before the next, so that there are
// many checkpoints and transactions to die in; returns its dump's checksum.
// `broker` empty: outputs go to the embedded log.
std::string run(const std::string& directory, const std::string& name, const std::string& broker) {
  SystemClock clock;
  const auto log = open_log(directory, &clock);
  require_ok(log->create_topic(name, {.partitions = 1}));
  auto store = state::open_rocksdb_store(directory + "/db");
  require_ok(store.status());
  std::unique_ptr<log::OutboxPublisher> outbox;
  if (!broker.empty()) {
    log::KafkaOutboxOptions options;
    options.brokers = broker;
    options.product = name;
    auto made = log::make_kafka_outbox(options);
    require_ok(made.status());
    outbox = *std::move(made);
  }
  auto compiled = sql::compile_product({{"product.sql", sql(name)}}, {});
  REQUIRE(compiled.ok());
  runtime::PipelineOptions options;
  options.product = name;
  options.publisher = outbox.get();
  options.epoch_records_max = 16;
  options.checkpoint_interval_ms = 1;
  auto pipeline = runtime::Pipeline::open(std::move(compiled.plan), {}, log.get(), store->get(),
                                          directory + "/journal", &clock, options);
  require_ok(pipeline.status());
  require_ok((*pipeline)->start());
  do {
    wait_until_published(**pipeline, *log, name);
  } while (append_portion(*log, name));
  require_ok((*pipeline)->stop());
  const auto dump = (*pipeline)->canonical_dump();
  require_ok(dump.status());
  std::string checksum = dump->substr(dump->rfind("checksum "));
  checksum.resize(checksum.find('\n'));
  return checksum;
}

constexpr char kTombstone[] = "-1 ";  // as kcat shows a value with its size

// The changelog that an undisturbed run has left in its own log: a line a record, as kcat shows
// key, size, value and headers.
std::vector<std::string> changelog_in(const std::string& directory, const std::string& topic) {
  SystemClock clock;
  const auto log = open_log(directory, &clock);
  auto reader = log->open_reader({topic, 0}, Offset{0});
  require_ok(reader.status());
  std::vector<std::string> lines;
  while (true) {
    const auto block = (*reader)->read(1u << 20);
    require_ok(block.status());
    if (block->empty()) return lines;
    for (const RecordView& record : block->records) {
      std::vector<std::string> headers;
      for (const auto& [name, value] : parse_headers(record)) {
        headers.push_back(absl::StrCat(name, "=", value));
      }
      const auto value = record.value_view();
      lines.push_back(
          absl::StrCat(std::string(*record.key_view()), " ",
                       value ? absl::StrCat(value->size(), " ", std::string(*value)) : kTombstone,
                       " ", absl::StrJoin(headers, ",")));
    }
  }
}

// What the view's rows are in the end, by page, as JSON.
std::map<std::string, std::string> rows_in_the_end() {
  std::map<std::string, int> clicks;
  for (int i = 0; i < kRecords; ++i) clicks[page_of(i)] += is_malformed(i) ? 0 : 1;
  std::map<std::string, std::string> rows;
  for (const auto& [page, n] : clicks) {
    if (n % 5 > 0) rows[page] = absl::StrCat(R"({"page":")", page, R"(","clicks":)", n, "}");
  }
  return rows;
}

// An identity as kcat prints headers, without what is not one.
std::string identity(const std::string& headers) {
  const size_t end = headers.find(",kappa-outbox=");
  return headers.substr(0, end);
}

}  // namespace

Victim::Victim(std::string broker) : broker_(std::move(broker)), name_(unique_name("victim")) {
  create_topic(broker_, name_ + ".totals", 1, kCompactedSomeDay);
}

std::unique_ptr<state::ChildProcess> Victim::start(const std::string& failpoint) const {
  std::map<std::string, std::string> environment = {{"KAPPA_TEST_PATH", directory_.path()},
                                                    {"KAPPA_TEST_NAME", name_},
                                                    {"KAPPA_TEST_BROKER", broker_}};
  if (!failpoint.empty()) environment["KAPPA_FAIL_AT"] = failpoint;
  return std::make_unique<state::ChildProcess>("publish to Kafka until all is published",
                                               environment);
}

void Victim::check_end_of(state::ChildProcess& last) const {
  const std::string checksum = last.read_line("published ");
  REQUIRE(last.wait() == 0);
  const state::TemporaryDirectory undisturbed;
  CHECK(checksum == run(undisturbed.path(), name_, ""));
  check_topic(name_ + ".even", kRecords / 2);
  check_topic(name_ + ".dead-letters", kRecords / 10);
  check_changelog(changelog_in(undisturbed.path(), name_ + ".totals"));
}

void Victim::check_changelog(const std::vector<std::string>& undisturbed) const {
  const std::string topic = name_ + ".totals";
  CHECK(committed_records(broker_, topic, "%k %S %s %h") == undisturbed);
  std::map<std::string, std::string> folded;
  int tombstones = 0;
  for (const std::string& record : committed_records(broker_, topic, "%k %S %s")) {
    const std::vector<std::string> parts = absl::StrSplit(record, ' ');
    REQUIRE(parts.size() == 3);
    const bool deletes = parts[1] == "-1";
    tombstones += deletes ? 1 : 0;
    if (deletes) {
      CHECK(folded.erase(parts[0]) == 1);
    } else {
      folded[parts[0]] = parts[2];
    }
  }
  // Every fifth click of a page takes its row back.
  CHECK(tombstones > kRecords / 10);
  CHECK(folded == rows_in_the_end());
}

void Victim::check_topic(const std::string& topic, size_t expected) const {
  std::map<std::string, int> times;
  for (const std::string& headers : committed_records(broker_, topic, "%h")) {
    ++times[identity(headers)];
  }
  INFO(topic);
  CHECK(times.size() == expected);
  for (const auto& [of, n] : times) {
    if (n != 1) FAIL_CHECK(topic << ": " << n << " times " << of);
  }
}

TEST_CASE("publish to Kafka until all is published", "[.][child]") {
  const std::string checksum = run(std::getenv("KAPPA_TEST_PATH"), std::getenv("KAPPA_TEST_NAME"),
                                   std::getenv("KAPPA_TEST_BROKER"));
  std::printf("\npublished %s\n", checksum.c_str());
  std::fflush(stdout);
}

}  // namespace kappa::test
