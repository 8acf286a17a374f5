// Pipelines over a real broker.

#include "engine/runtime/pipeline.h"

#include "absl/strings/match.h"
#include "test/kafka/broker.h"
#include "test/kafka/source.h"
#include "test/kafka/upstream.h"
#include "test/pipeline/test_product.h"

namespace kappa::test {
namespace {

using Rows = std::vector<std::string>;

std::string sql_over(const std::string& topic) {
  return absl::StrCat(R"(
CREATE FOREIGN TABLE hits (page text, n integer, at timestamptz) SERVER log OPTIONS (topic ')",
                      topic, R"(', format 'json', event_time 'at', out_of_orderness '1 second');
CREATE MATERIALIZED VIEW pages AS SELECT page, count(*) AS n, sum(n) AS total FROM hits GROUP BY page;
CREATE MATERIALIZED VIEW minutes AS SELECT window_start, page, count(*) AS n
FROM tumble(hits, at, INTERVAL '10 seconds') GROUP BY window_start, page;)");
}

std::string hit(int i) {
  if (i % 97 == 13) return "{malformed";
  return absl::StrCat(R"({"page":"p)", i % 7, R"(","n":)", i, R"(,"at":"2026-01-01T00:)",
                      absl::Dec(i / 60 % 60, absl::kZeroPad2), ":",
                      absl::Dec(i % 60, absl::kZeroPad2), R"(Z"})");
}

int64_t time_of(int i) {
  return 1'767'225'600'000 + int64_t{i} * 1000;
}

// Some history, some more, an end; with a crash in between.
std::string run(TestProduct& product, const std::string& topic) {
  constexpr int kHits = 600;
  for (int i = 0; i < kHits; ++i) {
    product.append(topic, hit(i), time_of(i), i % 3 == 0 ? 1 : 0);
    if (i == kHits / 3) require_ok(product->advance());
    if (i == kHits / 2) {
      require_ok(product->advance());
      require_ok(product->checkpoint());
      product.crash_and_reopen();
    }
  }
  require_ok(product->advance());
  require_ok(product->complete());
  require_ok(product->checkpoint());
  return product.dump();
}

std::unique_ptr<TestProduct> product_on_kafka(const std::string& bootstrap,
                                              const std::string& topic,
                                              runtime::PipelineOptions options = {}) {
  auto product = std::make_unique<TestProduct>(sql_over(topic), std::move(options));
  product->log = open_log(bootstrap);
  return product;
}

std::string recomputed(TestProduct& product) {
  auto store = state::make_memory_store();
  runtime::PipelineOptions options{.workers = 2, .mute_outputs = true, .follow_only = true};
  auto again = runtime::Pipeline::open(product->plan(), {}, product.log.get(), store.get(),
                                       product.directory.path("journal"), &product.clock, options);
  require_ok(again.status());
  require_ok((*again)->follow(UINT64_MAX));
  auto dump = (*again)->canonical_dump();
  require_ok(dump.status());
  return *dump;
}

}  // namespace

TEST_CASE("a journal whose records Kafka has compacted away is followed by what is left of them") {
  KAPPA_NEED_KAFKA();
  const std::string topic = unique_name("compacted");
  create_topic(shared_broker(), topic, 1,
               {{"cleanup.policy", "compact"},
                {"segment.ms", "10"},
                {"min.cleanable.dirty.ratio", "0.01"},
                {"max.compaction.lag.ms", "100"}});
  const auto owner = product_on_kafka(shared_broker(), topic);
  TestProduct& product = *owner;
  CHECK(product.rows("pages").empty());
  int64_t now_ms = time_of(0);
  // Each in a segment of its own.
  const auto put = [&](const std::string& key, int i) {
    const std::string value = hit(i);
    const log::RecordToAppend record{key, value, LogTime{now_ms += 1000}, 0, nullptr};
    require_ok(product.log->append(topic, {&record, 1}).status());
    product.clock.set(LogTime{now_ms});
  };
  put("a", 0);
  put("b", 1);
  require_ok(product->advance());
  CHECK(product.rows("pages") == Rows{"p0|1|0", "p1|1|1"});
  put("b", 1);
  put("c", 2);
  CHECK(eventually([&] {
    return committed_records(shared_broker(), topic, "%o") == Rows{"0", "2", "3"};
  }));
  // The last record that the entry had is gone.
  product.crash_and_reopen();
  CHECK(product.rows("pages") == Rows{"p0|1|0"});
  require_ok(product->advance());
  CHECK(product.rows("pages") == Rows{"p0|1|0", "p1|1|1", "p2|1|2"});
  require_ok(product->checkpoint());
  product.crash_and_reopen();
  CHECK(product.rows("pages") == Rows{"p0|1|0", "p1|1|1", "p2|1|2"});
}

TEST_CASE("the same records give the same dump from Kafka as from the embedded log") {
  KAPPA_NEED_KAFKA();
  for (const uint32_t workers : {1u, 2u}) {
    const std::string topic = unique_name("hits");
    TestProduct embedded(sql_over(topic), {.workers = workers});
    const auto kafka = product_on_kafka(shared_broker(), topic, {.workers = workers});
    const std::string expected = run(embedded, topic);
    CHECK(run(*kafka, topic) == expected);
    CHECK(kafka->rows("pages") == embedded.rows("pages"));
    CHECK(kafka->topic(topic + ".dead-letters") == embedded.topic(topic + ".dead-letters"));
    CHECK(recomputed(*kafka) == expected);
  }
}

TEST_CASE("a live pipeline on Kafka takes what arrives, and a recomputation agrees") {
  KAPPA_NEED_KAFKA();
  const std::string topic = unique_name("hits");
  const auto product = product_on_kafka(shared_broker(), topic, {.checkpoint_interval_ms = 50});
  product->append(topic, hit(0), time_of(0));
  require_ok((*product)->start());
  constexpr int kHits = 300;
  for (int i = 1; i < kHits; ++i) product->append(topic, hit(i), time_of(i), i % 2);
  CHECK(eventually([&] { return (*product)->stats().records == kHits; }));
  const runtime::PipelineStats stats = (*product)->stats();
  CHECK(stats.held.ok());
  REQUIRE(stats.sources.size() == 1);
  REQUIRE(stats.sources[0].partitions.size() == 2);
  CHECK(stats.sources[0].partitions[0].headroom_records +
            stats.sources[0].partitions[1].headroom_records ==
        kHits);
  CHECK(eventually([&] { return (*product)->stats().sources[0].lag_records == 0; }));
  require_ok((*product)->stop());
  CHECK(recomputed(*product) == product->dump());
}

TEST_CASE("aborted records and marks of transactions at the end are no backlog and no result") {
  KAPPA_NEED_KAFKA();
  const std::string topic = unique_name("hits");
  create_topic(shared_broker(), topic, 2, kForEver);
  TransactionalProducer upstream(shared_broker(), topic);
  const auto send = [&](int i, bool commit) {
    upstream.begin();
    upstream.produce(topic, i % 2, {hit(i)}, time_of(i));
    commit ? upstream.commit() : upstream.abort();
  };
  for (int i = 0; i < 6; ++i) send(i, true);
  for (int i = 6; i < 12; ++i) send(i, false);
  const auto product = product_on_kafka(shared_broker(), topic);
  product->clock.set(LogTime{time_of(100)});
  CHECK(product->rows("pages").empty());
  require_ok((*product)->advance());
  CHECK((*product)->stats().records == 6);
  CHECK(product->rows("pages").size() == 6);
  require_ok((*product)->advance());  // nothing but marks: no entry
  CHECK((*product)->stats().records == 6);
  send(12, true);
  CHECK(eventually([&] {
    require_ok((*product)->advance());
    return (*product)->stats().records == 7;
  }));
  CHECK((*product)->stats().sources[0].lag_records == 0);
  require_ok((*product)->checkpoint());
  const std::string dump = product->dump();
  product->crash_and_reopen();
  CHECK(product->dump() == dump);
  CHECK(recomputed(*product) == dump);
}

TEST_CASE("partitions that are added while a pipeline runs are read from their first record on") {
  KAPPA_NEED_KAFKA();
  const std::string topic = unique_name("hits");
  const auto product = product_on_kafka(shared_broker(), topic, {.checkpoint_interval_ms = 50});
  product->append(topic, hit(0), time_of(0));
  require_ok((*product)->start());
  CHECK(eventually([&] { return (*product)->stats().records == 1; }));
  add_partitions(shared_broker(), topic, 4);
  CHECK(eventually([&] { return product->log->topic(topic)->config.partitions == 4; }));
  for (int i = 1; i < 40; ++i) product->append(topic, hit(i), time_of(i), i % 4);
  CHECK(eventually([&] { return (*product)->stats().records == 40; }));
  require_ok((*product)->stop());
  const std::string dump = product->dump();
  CHECK(recomputed(*product) == dump);
  product->crash_and_reopen();
  CHECK(product->dump() == dump);
}

TEST_CASE("a checkpoint of a topic that was made anew since is refused by name") {
  KAPPA_NEED_KAFKA();
  const std::string topic = unique_name("hits");
  const auto product = product_on_kafka(shared_broker(), topic);
  for (int i = 0; i < 5; ++i) product->append(topic, hit(i), time_of(i));
  require_ok((*product)->advance());
  require_ok((*product)->checkpoint());
  const operators::Plan plan = (*product)->plan();
  product->pipeline.reset();
  delete_topic(shared_broker(), topic);
  CHECK(eventually([&] { return absl::IsNotFound(product->log->topic(topic).status()); }));
  create_topic(shared_broker(), topic, 2, kForEver);
  CHECK(eventually([&] { return product->log->topic(topic).ok(); }));
  const auto reopened = [&] {
    return runtime::Pipeline::open(plan, {}, product->log.get(), product->store.get(),
                                   product->directory.path("journal"), &product->clock, {})
        .status();
  };
  absl::Status fewer = reopened();
  INFO(fewer);
  CHECK(absl::IsDataLoss(fewer));
  CHECK(absl::StrContains(
      fewer.message(),
      "partition 0 ends at offset 0, but the checkpoint has applied all before 5"));
  append_values(*product->log, topic, 0, {"a", "b", "c", "d", "e", "f"});
  absl::Status others = reopened();
  INFO(others);
  CHECK(absl::IsDataLoss(others));
  CHECK(absl::StrContains(others.message(), "partition 0: the record at offset 4 is not the one"));
}

}  // namespace kappa::test
