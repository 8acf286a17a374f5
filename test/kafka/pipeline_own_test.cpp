// A pipeline whose broker goes away.

#include "absl/strings/match.h"
#include "engine/runtime/pipeline.h"
#include "test/kafka/broker.h"
#include "test/kafka/source.h"
#include "test/pipeline/test_product.h"

namespace kappa::test {
namespace {

const std::string kSql = R"(
CREATE FOREIGN TABLE hits (page text, n integer) SERVER log OPTIONS (topic 'hits', format 'json');
CREATE MATERIALIZED VIEW pages AS SELECT page, count(*) AS n, sum(n) AS total FROM hits GROUP BY page;)";

std::string hit(int i) {
  return absl::StrCat(R"({"page":"p)", i % 3, R"(","n":)", i, "}");
}

}  // namespace

TEST_CASE("a pipeline is held while its broker is killed or hangs, serves reads, and goes on") {
  KAPPA_NEED_KAFKA();
  Broker broker;
  TestProduct product(kSql, {.checkpoint_interval_ms = 50});
  product.log = open_log(broker.bootstrap());
  for (int i = 0; i < 30; ++i) product.append("hits", hit(i), 1000 + i, i % 2);
  require_ok(product->start());
  CHECK(eventually([&] { return product->stats().records == 30; }));
  const auto held = [&] { return !product->stats().held.ok(); };

  broker.kill();
  CHECK(eventually(held));
  const runtime::PipelineStats stats = product->stats();
  INFO(stats.held);
  CHECK(absl::StrContains(stats.held.message(), "waiting for topic hits partition"));
  CHECK(stats.failure.ok());
  CHECK(product.rows("pages").size() == 3);
  broker.start();
  CHECK(eventually([&] { return !held(); }));
  for (int i = 30; i < 60; ++i) product.append("hits", hit(i), 1000 + i, i % 2);
  CHECK(eventually([&] { return product->stats().records == 60; }));

  broker.pause();
  CHECK(eventually(held));
  CHECK(product.rows("pages").size() == 3);
  broker.resume();
  CHECK(eventually([&] { return !held(); }));
  for (int i = 60; i < 90; ++i) product.append("hits", hit(i), 1000 + i, i % 2);
  CHECK(eventually([&] { return product->stats().records == 90; }));
  require_ok(product->stop());
  CHECK(product.rows("pages") ==
        std::vector<std::string>{"p0|30|1305", "p1|30|1335", "p2|30|1365"});
}

}  // namespace kappa::test
