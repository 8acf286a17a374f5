#include "replay/logic_change.h"

#include <map>
#include <string>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "engine/sql/catalog.h"

namespace kappa::replay {
namespace {

const std::string kShop = R"(
CREATE FOREIGN TABLE sales (id text, at timestamptz, store text, amount bigint, PRIMARY KEY (id))
SERVER log OPTIONS (topic 'sales-in', format 'json', event_time 'at');
CREATE FOREIGN TABLE limits (store text, most bigint)
SERVER log OPTIONS (format 'json');
CREATE FOREIGN TABLE alerts (store text, amount bigint) SERVER log OPTIONS (format 'json');
CREATE MATERIALIZED VIEW minutes WITH (emit = 'final') AS
SELECT window_start, store, max(amount) AS amount
FROM tumble(sales, at, INTERVAL '1 minute') GROUP BY window_start, store;
CREATE MATERIALIZED VIEW busy AS SELECT window_start, store, amount FROM minutes WHERE amount > 100;
CREATE MATERIALIZED VIEW most AS SELECT store, max(most) AS most FROM limits GROUP BY store;
INSERT INTO alerts SELECT store, amount FROM busy;
)";

operators::Plan plan_of(const std::string& sql, const schemas::ProductFiles& files = {}) {
  sql::CompiledPlan compiled = sql::compile_product({{"product.sql", sql}}, files);
  for (const sql::Diagnostic& fault : compiled.diagnostics) FAIL(sql::to_text(fault));
  return std::move(compiled.plan);
}

// What changes from one plan to another, a line a part that is not simply kept.
std::string changes(const operators::Plan& before, const operators::Plan& now) {
  static const char* const kChanges[] = {"none", "added", "changed", "upstream", "removed"};
  const LogicChange change = compare({before, {}}, {now, {}});
  std::string text;
  for (const PartChange& part : change.parts) {
    if (part.change == Change::kNone && !part.replayed) continue;
    absl::StrAppend(&text, part.name, ": ", kChanges[static_cast<int>(part.change)],
                    part.replayed ? ", replayed: " : ": ", part.because, "\n");
  }
  for (int source : change.sources) {
    absl::StrAppend(&text, "from ", now.sources[static_cast<size_t>(source)].name, "\n");
  }
  CHECK(change.none() == text.empty());
  return text;
}

std::string changes_to(const std::string& after) {
  return changes(plan_of(kShop), plan_of(after));
}

std::string with(const std::string& old, const std::string& now) {
  REQUIRE(kShop.find(old) != std::string::npos);
  return absl::StrReplaceAll(kShop, {{old, now}});
}

}  // namespace

TEST_CASE("equal files change nothing, nor do comments, spaces and the order of statements") {
  CHECK(changes_to(kShop) == "");
  CHECK(changes_to(with("SELECT store, max(most)", "-- the most\nSELECT  store,\n max(most)")) ==
        "");
  const std::string most =
      "CREATE MATERIALIZED VIEW most AS SELECT store, max(most) AS most FROM limits GROUP BY "
      "store;\n";
  CHECK(changes_to(with(most, "") + most) == "");
}

TEST_CASE("a changed view takes along what reads it, and leaves alone what does not") {
  CHECK(changes_to(with("INTERVAL '1 minute'", "INTERVAL '2 minutes'")) ==
        "minutes: changed, replayed: its statement has changed\n"
        "busy: upstream, replayed: reads minutes, which changes\n"
        "alerts: upstream: reads busy, which changes\n"
        "from sales\n");
}

TEST_CASE("what a replayed view reads is replayed with it, since it needs the history") {
  CHECK(changes_to(with("amount > 100", "amount > 50")) ==
        "minutes: none, replayed: is read by busy, which is replayed\n"
        "busy: changed, replayed: its statement has changed\n"
        "alerts: upstream: reads busy, which changes\n"
        "from sales\n");
}

TEST_CASE("options of a view are part of its logic") {
  CHECK(changes_to(with("emit = 'final'", "emit = 'final', grace = '1 second'")) ==
        "minutes: changed, replayed: its statement has changed\n"
        "busy: upstream, replayed: reads minutes, which changes\n"
        "alerts: upstream: reads busy, which changes\n"
        "from sales\n");
}

TEST_CASE("a source that is declared otherwise changes what reads it") {
  CHECK(changes_to(with("store text, most bigint", "store text, most integer")) ==
        "most: upstream, replayed: reads limits, which is declared otherwise\n"
        "from limits\n");
}

TEST_CASE("a changed model changes what calls it, takes along what reads that, and nothing else") {
  const std::string sql =
      kShop +
      "CREATE MATERIALIZED VIEW scores AS SELECT store, max(predict('risk', amount)) AS score FROM "
      "sales GROUP BY store;"
      "CREATE MATERIALIZED VIEW risky AS SELECT store FROM scores WHERE score > 0.9;";
  const auto risk = [](const char* intercept) {
    return schemas::ProductFiles{
        {"models/risk.json",
         absl::StrCat("{\"kind\": \"logistic\", \"features\": [\"amount\"], \"coefficients\": "
                      "[0.01], \"intercept\": ",
                      intercept, "}")}};
  };
  CHECK(changes(plan_of(sql, risk("-1")), plan_of(sql, risk("-1"))) == "");
  CHECK(changes(plan_of(sql, risk("-1")), plan_of(sql, risk("-2"))) ==
        "scores: upstream, replayed: calls the model risk, which has changed\n"
        "risky: upstream, replayed: reads scores, which changes\n"
        "from sales\n");
}

TEST_CASE("views are added and removed by name") {
  CHECK(changes_to(with("VIEW most AS", "VIEW highest AS")) ==
        "highest: added, replayed: is new\n"
        "most: removed: is there no more\n"
        "from limits\n");
}

TEST_CASE("an output needs history only if it keeps something from row to row") {
  CHECK(changes_to(with("AS SELECT window_start, store, amount FROM minutes WHERE amount > 100;",
                        "AS SELECT window_start, store, amount FROM minutes WHERE amount > 100;") +
                   "INSERT INTO alerts SELECT store, amount FROM busy WHERE amount > 1000;") ==
        "alerts (2): added: is new\n");
  CHECK(changes_to(
            kShop +
            "INSERT INTO alerts SELECT store, max(amount) OVER (PARTITION BY store ORDER BY at "
            "RANGE '1 hour' PRECEDING) FROM sales;") ==
        "alerts (2): added, replayed: is new\n"
        "from sales\n");
}

TEST_CASE("an output's table that is declared otherwise changes what is written") {
  CHECK(changes_to(with("alerts (store text, amount bigint)",
                        "alerts (store text OPTIONS (field 'shop'), amount bigint)")) ==
        "alerts: upstream: writes alerts, which is declared otherwise\n");
}

TEST_CASE("statements come along, as they were and as they are") {
  const operators::Plan before = plan_of(kShop);
  const operators::Plan after = plan_of(with("amount > 100", "amount > 50"));
  const LogicChange change = compare({before, {}}, {after, {}});
  REQUIRE(change.parts.size() == 4);
  CHECK_THAT(change.parts[1].before, Catch::EndsWith("amount > 100"));
  CHECK_THAT(change.parts[1].after, Catch::EndsWith("amount > 50"));
}

}  // namespace kappa::replay
