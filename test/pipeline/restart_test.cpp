#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "engine/runtime/order_journal.h"
#include "test/pipeline/test_product.h"

namespace kappa::runtime {
namespace {

using test::require_ok;
using test::TestProduct;
using Rows = std::vector<std::string>;

constexpr int64_t kStartMs = 1'704'067'200'000;

const std::string kSql = R"(
CREATE FOREIGN TABLE clicks (page text, at timestamptz)
SERVER log OPTIONS (topic 'clicks', format 'json', event_time 'at');
CREATE FOREIGN TABLE busy (page text, n bigint) SERVER log OPTIONS (topic 'busy', format 'json');
CREATE MATERIALIZED VIEW pages AS SELECT page, count(*) AS n FROM clicks GROUP BY page;
CREATE MATERIALIZED VIEW minutes WITH (emit = 'final') AS
SELECT window_start, page, count(*) AS n
FROM tumble(clicks, at, INTERVAL '10 seconds') GROUP BY window_start, page;
INSERT INTO busy SELECT page, n FROM minutes WHERE n > 1;)";

std::string click(const std::string& page, int second) {
  return absl::StrCat(R"({"page":")", page, R"(","at":"2024-01-01T00:)",
                      second / 60 < 10 ? "0" : "", second / 60, ":", second % 60 < 10 ? "0" : "",
                      second % 60, R"(Z"})");
}

void load(TestProduct& product, int from, int to) {
  for (int i = from; i < to; ++i) {
    product.append("clicks", click(absl::StrCat("p", i % 3), i), kStartMs + i * 1000, i % 2);
  }
}

TEST_CASE("after a crash the pipeline goes on from its checkpoint and the journal") {
  TestProduct undisturbed(kSql);
  load(undisturbed, 0, 100);
  require_ok(undisturbed->advance());

  for (const uint32_t workers : {1u, 3u}) {
    TestProduct product(kSql);
    load(product, 0, 40);
    require_ok(product->advance());
    require_ok(product->checkpoint());
    load(product, 40, 70);
    require_ok(product->advance());  // journalled, not in the checkpoint
    product.options.workers = workers;
    product.crash_and_reopen();
    load(product, 70, 100);
    require_ok(product->advance());
    CHECK(product.rows("pages") == undisturbed.rows("pages"));
    CHECK(product.rows("minutes") == undisturbed.rows("minutes"));
  }
}

TEST_CASE("an outbox entry is published once, whatever happens after its checkpoint") {
  TestProduct product(kSql);
  load(product, 0, 60);
  require_ok(product->advance());
  CHECK(product.topic("busy").empty());  // not before the checkpoint
  product.crash_and_reopen();
  require_ok(product->checkpoint());
  const size_t published = product.topic("busy").size();
  CHECK(published == 15);
  product.crash_and_reopen();
  require_ok(product->checkpoint());
  CHECK(product.topic("busy").size() == published);
}

TEST_CASE("state of another plan is refused") {
  TestProduct product(kSql);
  load(product, 0, 3);
  require_ok(product->advance());
  require_ok(product->checkpoint());
  product.pipeline.reset();
  TestProduct other(kSql +
                    "CREATE MATERIALIZED VIEW more AS SELECT page, count(*) AS n FROM clicks "
                    "WHERE page <> 'p0' GROUP BY page;");
  const auto dump = other.dump();
  auto opened = Pipeline::open(other->plan(), {}, product.log.get(), product.store.get(),
                               product.directory.path("journal"), &product.clock, {});
  CHECK(absl::IsFailedPrecondition(opened.status()));
  CHECK_THAT(std::string(opened.status().message()), Catch::Contains("another plan"));
}

TEST_CASE("an entry beyond the checkpoint that the log does not hold is cut from the journal") {
  TestProduct product(kSql);
  load(product, 0, 10);
  require_ok(product->advance());
  require_ok(product->checkpoint());
  const std::string before = product.dump();
  product.pipeline.reset();
  {
    // As after a crash of the machine: the journal names records that the log has lost.
    auto journal = OrderJournal::open(product.directory.path("journal"), true);
    require_ok(journal.status());
    while (true) {
      auto entry = (*journal)->next();
      require_ok(entry.status());
      if (!*entry) break;
    }
    require_ok((*journal)->append({JournalEntry::Kind::kLive,
                                   LogTime{kStartMs + 60'000},
                                   {{{"clicks", 0}, Offset{50}, 123}}}));
  }
  product.crash_and_reopen();
  CHECK(product.dump() == before);
  load(product, 10, 20);
  require_ok(product->advance());
  TestProduct undisturbed(kSql);
  load(undisturbed, 0, 20);
  require_ok(undisturbed->advance());
  CHECK(product.rows("pages") == undisturbed.rows("pages"));
}

TEST_CASE("what stands still goes on by hand no more than by itself") {
  TestProduct product(
      "CREATE FOREIGN TABLE hits (page text) SERVER log OPTIONS (topic 'hits', format 'json');\n"
      "CREATE MATERIALIZED VIEW pages AS SELECT page, count(*) AS n FROM hits GROUP BY page;");
  product.append("hits", R"({"page":"a"})", 1'704'067'200'000);
  require_ok(product->advance());
  require_ok(product->checkpoint());
  product.append("hits", R"({"page":"b"})", 1'704'067'201'000);
  product.options.stand_still = true;
  product.crash_and_reopen();
  CHECK(absl::IsFailedPrecondition(product->advance()));
  CHECK(absl::IsFailedPrecondition(product->complete()));
  CHECK(product->stats().records == 1);
  product.options.stand_still = false;
  product.crash_and_reopen();
  require_ok(product->advance());
  CHECK(product->stats().records == 2);
}

}  // namespace
}  // namespace kappa::runtime
