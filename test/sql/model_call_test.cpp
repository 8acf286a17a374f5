#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "test/operators/model_files.h"
#include "test/sql/compiled.h"

// predict() and model_version(): what they bind to, and what they refuse.
namespace kappa::sql {
namespace {

using operators::model_of;
using operators::model_text;

const schemas::ProductFiles& files() {
  static const auto& files = *new schemas::ProductFiles{
      {"models/fraud.json", model_text("fraud")},
      {"models/delay.json", model_text("delay")},
      {"models/churn.json", model_text("churn")},
      {"models/broken.json", "{\"kind\": \"logistic\"}"},
      {"models/README.md", "not a model"},
      {"models/old/fraud.json", "not one either"},
  };
  return files;
}

constexpr char kTable[] =
    "CREATE FOREIGN TABLE t (card text, at timestamptz, amount numeric(12,2), hour integer, events "
    "bigint, online boolean, other double precision) SERVER log OPTIONS (event_time 'at');\n";

std::string with_view(const std::string& query) {
  return absl::StrCat(kTable, "CREATE MATERIALIZED VIEW v AS\n", query, ";");
}

// What is wrong with SELECT <expression>: columns count from the expression, at 1.
std::string fault_of(const std::string& expression,
                     const schemas::ProductFiles& product = files()) {
  const Lines faults =
      faults_of(with_view(absl::StrCat("SELECT\n", expression, "\nFROM t")), product);
  REQUIRE(faults.size() == 1);
  CHECK(faults[0].substr(0, 2) == "4:");
  return faults[0].substr(2);
}

std::string project_of(const operators::Plan& plan) {
  for (const operators::PlanNode& node : plan.nodes) {
    if (std::holds_alternative<operators::ProjectNode>(node.op)) {
      return operators::describe(plan, node);
    }
  }
  return "";
}

std::string fraud(const std::string& args) {
  return absl::StrCat("predict<", model_of("fraud")->facts().digest, ">(", args, ")");
}

uint64_t fingerprint_of(const operators::Plan& plan, const std::string& view) {
  const operators::NodeId id = plan.find_view(view);
  REQUIRE(id != operators::kNoNode);
  return plan.node(id).fingerprint;
}

}  // namespace

TEST_CASE("predict takes the columns that are a model's features, as double precision") {
  const std::string project = project_of(
      plan_of(with_view("SELECT predict('fraud', amount, hour, events) AS score FROM t"), files()));
  CHECK(project ==
        "project " +
            fraud("cast(#1::numeric(12,2))::double precision, cast(#2::integer)::double precision, "
                  "cast(#3::bigint)::double precision"));
}

TEST_CASE("an argument that is no plain column is taken by its place") {
  for (const char* call :
       {"predict('fraud', other * 2, extract(hour FROM at), 3)",
        "predict('fraud', amount, NULL, 1.5)",
        "predict('fraud', CAST(amount AS double precision), hour::bigint, events)",
        "predict('delay', other, events, amount)",
        "predict('fraud', amount, hour, CASE WHEN online THEN 1 ELSE 0 END)",
        "predict('fraud', coalesce(other, 0), hour, (card = 'x'))"}) {
    INFO(call);
    CHECK(faults_of(with_view(absl::StrCat("SELECT ", call, " AS score FROM t")), files()) ==
          Lines{});
  }
}

TEST_CASE("a boolean is a feature, 0 or 1") {
  CHECK(
      project_of(plan_of(
          with_view("SELECT predict('delay', online, online, online) AS score FROM t"), files())) ==
      absl::StrReplaceAll("project predict<D>(X, X, X)",
                          {{"D", model_of("delay")->facts().digest},
                           {"X", "cast(cast(#1::boolean)::integer)::double precision"}}));
}

TEST_CASE("predict stands wherever an expression does") {
  for (const char* query :
       {"SELECT card FROM t WHERE predict('fraud', amount, hour, events) > 0.5",
        "SELECT card, max(predict('fraud', amount, hour, events)) AS worst FROM t GROUP BY card",
        "SELECT card, predict('fraud', max(amount), min(hour), count(*)) AS s FROM t GROUP BY card",
        "SELECT card, count(*) AS n FROM t GROUP BY card HAVING predict('fraud', count(*), 1, 2) > "
        "0.5",
        "SELECT predict('fraud', amount, hour, count(*) OVER (PARTITION BY card ORDER BY at RANGE "
        "'1 hour' PRECEDING)) AS s FROM t",
        "SELECT max(predict('fraud', amount, hour, events)) OVER (PARTITION BY card ORDER BY at "
        "RANGE '1 hour' PRECEDING) AS s FROM t",
        "SELECT predict('fraud', amount, hour, events) AS s FROM (SELECT other AS amount, hour, n "
        "AS events FROM (SELECT other, hour, 2 AS n FROM t) AS a) AS b"}) {
    INFO(query);
    CHECK(faults_of(with_view(query), files()) == Lines{});
  }
}

TEST_CASE("model_version is a text") {
  const std::string project = project_of(
      plan_of(with_view("SELECT model_version('fraud') AS a, model_version('delay') AS b FROM t"),
              files()));
  CHECK(project == absl::StrCat("project '2026-11'::text, '",
                                model_of("delay")->facts().digest.substr(0, 12), "'::text"));
  CHECK(fault_of("model_version('fraud', 1)") ==
        "24: model_version takes nothing but the name of a model");
}

TEST_CASE("a model that is not there is told with those that are") {
  CHECK(
      fault_of("predict('fruad', amount, hour, events)") ==
      "9: model \"fruad\" does not exist; did you mean \"fraud\"? there are broken, churn, delay, "
      "fraud");
  CHECK(fault_of("model_version('nothing')") ==
        "15: model \"nothing\" does not exist; there are broken, churn, delay, fraud");
  CHECK(fault_of("predict('fraud', 1, 2, 3)", {}) ==
        "9: model \"fraud\" does not exist; the product has none: a model is a file "
        "models/NAME.json");
}

TEST_CASE("a model is named by a text in quotes") {
  CHECK(fault_of("predict(fraud, amount)") ==
        "9: predict takes the name of a model first, in single quotes; there are broken, churn, "
        "delay, fraud");
  CHECK(fault_of("predict(1, amount)") ==
        "9: predict takes the name of a model first, in single quotes; there are broken, churn, "
        "delay, fraud");
  CHECK(fault_of("predict()") ==
        "1: predict takes the name of a model first, in single quotes; there are broken, churn, "
        "delay, fraud");
}

TEST_CASE("a model that cannot be read is a fault of who calls it, and names its file") {
  CHECK(fault_of("predict('broken', amount)") == "9: models/broken.json: \"features\" is missing");
  CHECK(fault_of("model_version('broken')") == "15: models/broken.json: \"features\" is missing");
}

TEST_CASE("a model takes as many arguments as it has features") {
  CHECK(fault_of("1 + predict('fraud', amount, hour)") ==
        "5: model \"fraud\" takes 3 features, found 2; write predict('fraud', amount, hour, "
        "events)");
  CHECK(fault_of("predict('delay')") ==
        "1: model \"delay\" takes 3 features, found 0; write them in the order in which it was "
        "trained");
}

TEST_CASE("a column in the place of another feature is refused") {
  CHECK(fault_of("predict('fraud', amount, events, hour)") ==
        "26: feature 2 (\"hour\") of model \"fraud\" is not column \"events\"; write "
        "predict('fraud', amount, hour, events)");
  CHECK(fault_of("predict('fraud', CAST(t.other AS integer), hour, events)").substr(0, 63) ==
        "18: feature 1 (\"amount\") of model \"fraud\" is not column \"other\"");
}

TEST_CASE("a feature is a number or a boolean") {
  CHECK(fault_of("predict('fraud', amount, hour, upper(card))") ==
        "32: feature 3 (\"events\") of model \"fraud\" is a number or a boolean, found text");
  CHECK(
      fault_of("predict('delay', at, 1, 2)") ==
      "18: feature 1 of model \"delay\" is a number or a boolean, found timestamp with time zone");
  CHECK(fault_of("predict('fraud', 'much', 1, 2)") ==
        "18: invalid input for double precision: \"much\"; expected a number, NaN, Infinity or "
        "-Infinity");
}

TEST_CASE("predict has none of what an aggregate has") {
  CHECK(fault_of("predict(DISTINCT 'fraud', amount, hour, events)").substr(0, 3) == "1: ");
  CHECK(fault_of("predict('fraud', amount, hour, events) OVER ()").substr(0, 3) == "1: ");
}

TEST_CASE("a changed model changes the views that call it and those above, and no others") {
  const std::string sql = absl::StrCat(
      kTable,
      "CREATE MATERIALIZED VIEW scored AS SELECT card, at, predict('fraud', amount, hour, events) "
      "AS score FROM t; "
      "CREATE MATERIALIZED VIEW alarms AS SELECT card, at FROM scored WHERE score > 0.9; "
      "CREATE MATERIALIZED VIEW late AS SELECT card, predict('delay', amount, hour, events) AS d "
      "FROM t; "
      "CREATE MATERIALIZED VIEW plain AS SELECT card, count(*) AS n FROM t GROUP BY card;");
  schemas::ProductFiles changed = files();
  changed["models/fraud.json"] =
      absl::StrReplaceAll(changed["models/fraud.json"], {{"\"version\":\"2026-11\"", ""}});
  const operators::Plan before = plan_of(sql, files());
  const operators::Plan after = plan_of(sql, changed);
  CHECK(fingerprint_of(before, "scored") != fingerprint_of(after, "scored"));
  CHECK(fingerprint_of(before, "alarms") != fingerprint_of(after, "alarms"));
  CHECK(fingerprint_of(before, "late") == fingerprint_of(after, "late"));
  CHECK(fingerprint_of(before, "plain") == fingerprint_of(after, "plain"));
  CHECK(operators::fingerprint(before) != operators::fingerprint(after));

  changed = files();
  changed["models/churn.json"] += "\n";  // nobody calls it
  changed.erase("models/broken.json");
  CHECK(operators::fingerprint(before) == operators::fingerprint(plan_of(sql, changed)));
}

TEST_CASE("a query may call the models of the product that it reads") {
  const operators::Plan plan =
      plan_of(with_view("SELECT card, amount, hour, events FROM t"), files());
  const Lines lines =
      query_lines("SELECT card FROM v WHERE predict('fraud', amount, hour, events) > 0.5", plan);
  CHECK_THAT(lines[1] + lines[0], Catch::Contains(model_of("fraud")->facts().digest));
  CHECK(query_faults("SELECT predict('fruad', amount) FROM v", plan) ==
        Lines{"1:16: model \"fruad\" does not exist; did you mean \"fraud\"? there are broken, "
              "churn, delay, fraud"});
  CHECK(query_faults("SELECT model_version('fraud') FROM v",
                     plan_of(with_view("SELECT card FROM t"))) ==
        Lines{"1:22: model \"fraud\" does not exist; the product has none: a model is a file "
              "models/NAME.json"});
}

}  // namespace kappa::sql
