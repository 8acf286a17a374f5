#include <csignal>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "engine/log/embedded/embedded_log.h"
#include "engine/types/clock.h"
#include "test/cli/process.h"
#include "test/cli/scratch.h"

namespace kappa::cli {
namespace {

using Lines = std::vector<std::string>;

const std::string kSources = R"(
CREATE FOREIGN TABLE sales (id text, store text, amount bigint, PRIMARY KEY (id))
SERVER log OPTIONS (format 'json');
CREATE FOREIGN TABLE visits (id text, store text, PRIMARY KEY (id)) SERVER log OPTIONS (format 'json');
CREATE MATERIALIZED VIEW visitors AS SELECT store, count(*) AS n FROM visits GROUP BY store;
)";
const std::string kLarge =
    "CREATE MATERIALIZED VIEW large AS\nSELECT store, count(*) AS n FROM sales\n"
    "WHERE amount > 100 GROUP BY store;\n";
const std::string kLarger =
    "CREATE MATERIALIZED VIEW large AS\nSELECT store, count(*) AS n FROM sales\n"
    "WHERE amount > 500 GROUP BY store;\n";

const std::string kTwoSales =
    "{\"value\": {\"id\": \"1\", \"store\": \"a\", \"amount\": 200}}\n"
    "{\"value\": {\"id\": \"2\", \"store\": \"a\", \"amount\": 600}}\n";

// A directory with a product that has applied sales, two if not said otherwise, and nobody serves
// now.
struct Shop {
  Scratch scratch;
  std::string data = scratch.path("data");

  // `topic`: how the one of the sales is made, if not as a server does.
  explicit Shop(const std::string& view = kLarge, const std::string& sales = kTwoSales,
                const Lines& topic = {}) {
    files(view);
    if (!topic.empty()) {
      Lines words = {"topics", "--create", "sales", "--data", data};
      words.insert(words.end(), topic.begin(), topic.end());
      REQUIRE(kappa(words).code == 0);
    }
    Process server = serve();
    REQUIRE(server.wait_for_output("\n"));
    const Ended sent = kappa({"produce", "sales", "--data", data, "--json"}, sales);
    INFO(sent.err);
    REQUIRE(sent.code == 0);
    server.signal(SIGTERM);
    server.wait();
  }
  Process serve() const {
    return {scratch.directory(),
            {"serve", "--product", scratch.path("shop"), "--data", data, "--listen", "127.0.0.1:0",
             "--http", "127.0.0.1:0"}};
  }
  void files(const std::string& view) const { scratch.file("shop/product.sql", kSources + view); }
  Ended plan(const std::string& output = "table", const Lines& course = {}) const {
    Lines words = {"plan", scratch.path("shop"), "--data", data, "--output", output};
    words.insert(words.end(), course.begin(), course.end());
    return kappa(words);
  }
  nlohmann::json plan_json(const Lines& course = {}) const {
    return nlohmann::json::parse(plan("json", course).out);
  }
  Ended replay(const std::string& verb, const Lines& more) const {
    Lines words = {"replay", verb, "--data", data};
    words.insert(words.end(), more.begin(), more.end());
    return kappa(words);
  }
};

// A sale at 8 o'clock on a day in January 2024, and the partition where it is to be.
std::string dated_sale(const std::string& day, int partition) {
  return "{\"value\": {\"id\": \"of " + day + "\", \"store\": \"b\", \"amount\": 700}, " +
         "\"timestamp\": \"2024-01-" + day +
         "T08:00:00Z\", \"partition\": " + std::to_string(partition) + "}\n";
}
const std::string kDatedSales =
    dated_sale("02", 0) + dated_sale("03", 0) + dated_sale("05", 0) + dated_sale("04", 1);
const Lines kFromThe3rd = {"--from", "2024-01-03T08:00:00Z"};

// What a plan as JSON reads of the partitions of the sales: from, to, missing.
using Ranges = std::vector<std::vector<int64_t>>;
Ranges ranges_of(const nlohmann::json& plan) {
  Ranges ranges;
  for (const auto& range : plan["ranges"]) {
    if (range["topic"] == "sales") ranges.push_back({range["from"], range["to"], range["missing"]});
  }
  return ranges;
}

std::string many_sales(int count) {
  std::string lines;
  for (int i = 0; i < count; ++i) {
    lines += "{\"id\": \"more " + std::to_string(i) + "\", \"store\": \"a\", \"amount\": 300}\n";
  }
  return lines;
}

}  // namespace

TEST_CASE("a plan for the files that run says that nothing changes, and ends with 0") {
  const Shop shop;
  const Ended ended = shop.plan();
  INFO(ended.err);
  CHECK(ended.code == 0);
  CHECK(ended.out == "product shop: the files say what generation 1 does; nothing changes\n");
}

TEST_CASE("a plan shows what changes, why, and what is read again, and ends with 2") {
  const Shop shop;
  shop.files(kLarger);
  const Ended ended = shop.plan();
  INFO(ended.err);
  CHECK(ended.code == 2);
  const size_t estimate = ended.out.find("How long it takes");
  CHECK(ended.out.substr(0, estimate) == R"(product shop, against generation 1

  ~ view large  its statement has changed; replayed
        CREATE MATERIALIZED VIEW large AS
        SELECT store, count(*) AS n FROM sales
      - WHERE amount > 100 GROUP BY store
      + WHERE amount > 500 GROUP BY store
    1 view does not change, and brings its state along

A replay reads 2 records at most:
  sales  4 partitions, 2 records
)");
  const auto json = shop.plan_json();
  CHECK(json["changes"] == true);
  CHECK(json["records"] == 2);
  REQUIRE(json["parts"].size() == 2);
  CHECK(json["parts"][0]["change"] == "none");
  CHECK(json["parts"][1]["name"] == "large");
  CHECK(json["parts"][1]["replayed"] == true);
  CHECK(json["kept_views"] == nlohmann::json::array({"visitors"}));
  CHECK(json["ranges"].size() == 4);
}

TEST_CASE("a plan from a time reads what is not earlier, and computes what does not change, too") {
  const Shop shop(kLarge, kDatedSales);
  shop.files(kLarger);
  CHECK(shop.plan_json()["records"] == 4);
  const auto json = shop.plan_json(kFromThe3rd);
  CHECK(ranges_of(json) == Ranges{{1, 3, 0}, {0, 1, 0}, {0, 0, 0}, {0, 0, 0}});
  CHECK(json["records"] == 3);
  CHECK(json["kept_views"].empty());
  CHECK(json["from_timestamp"] == "2024-01-03T08:00:00Z");
  CHECK(json["order"] == "journal");
  CHECK(json["recompute_all"] == false);
  const Ended ended =
      shop.plan("table", {"--from", "2024-01-03T08:00:00.001Z", "--order", "log-time"});
  CHECK(ended.code == 2);
  CHECK_THAT(ended.out,
             Catch::Contains("    1 view does not change, and is computed again\n\n"
                             "A replay begins at 2024-01-03T08:00:00.001Z and goes by log time.\n"
                             "A replay reads 2 records at most:\n"
                             "  sales  4 partitions, 2 records\n"
                             "  visits  4 partitions, 0 records\n"));
  CHECK_THAT(
      shop.plan("table", {"--order", "log-time"}).out,
      Catch::Contains("\n\nA replay goes by log time.\nA replay reads 4 records at most:\n"));
  CHECK(shop.plan_json({"--order", "log-time"})["order"] == "log-time");
  CHECK(shop.plan_json({"--order", "log-time"})["from_timestamp"].is_null());
}

TEST_CASE("what a plan with a course foretells is what the replay of that course does") {
  const Shop shop(kLarge, kDatedSales);
  shop.files(kLarger);
  const auto alone = shop.plan_json(kFromThe3rd);  // nobody serves
  Process server = shop.serve();
  REQUIRE(server.wait_for_output("\n"));
  const auto served = shop.plan_json(kFromThe3rd);
  CHECK(served["ranges"] == alone["ranges"]);
  CHECK(served["records"] == 3);
  const std::string directory = shop.scratch.path("shop");
  Lines start = {directory, "--wait", "--output", "json"};
  start.insert(start.end(), kFromThe3rd.begin(), kFromThe3rd.end());
  const Ended replayed = shop.replay("start", start);
  INFO(replayed.err);
  REQUIRE(replayed.code == 0);
  const auto made = nlohmann::json::parse(replayed.out);
  CHECK(made["from"] == served["from_timestamp"]);
  CHECK(made["kept_views"] == served["kept_views"]);
  REQUIRE(shop.replay("swap", {"--yes"}).code == 0);
  const Ended rows =
      kappa({"query", "SELECT n FROM large", "--data", shop.data, "--output", "json"});
  CHECK(nlohmann::json::parse(rows.out)["rows"] == nlohmann::json::parse(R"([{"n":3}])"));

  // The course that the live generation has gone keeps what it has, any other does not.
  const Ended same = shop.plan("table", kFromThe3rd);
  CHECK(same.code == 0);
  CHECK(same.out == "product shop: the files say what generation 2 does; nothing changes\n");
  CHECK(shop.replay("start", start).code == 1);
  CHECK_THAT(shop.plan("table", {"--from", "2024-01-04"}).out,
             Catch::Contains("nothing changes, but all is computed again"));
  shop.files(kLarge);
  const auto kept = shop.plan_json(kFromThe3rd);
  CHECK(kept["kept_views"] == nlohmann::json::array({"visitors"}));
  CHECK(kept["records"] == 3);
  CHECK(shop.plan_json()["kept_views"].empty());
  CHECK(shop.plan_json()["records"] == 4);
  server.signal(SIGTERM);
  CHECK(server.wait().code == 0);
}

TEST_CASE("a plan tells of what the log no longer has where a start refuses it, and only there") {
  const Shop shop(kLarge, kDatedSales, {"--partitions", "2", "--retention", "100000 days"});
  {
    // In the year 2318, when all of them are too old.
    const ManualClock clock(LogTime{11'000'000'000'000});
    log::EmbeddedLogOptions options;
    options.clock = &clock;
    options.retention_check_ms = 0;
    auto log = log::open_embedded_log(shop.data + "/log", options);
    REQUIRE(log.ok());
    REQUIRE((*log)->enforce_retention().ok());
  }
  Process server = shop.serve();
  REQUIRE(server.wait_for_output("\n"));
  REQUIRE(kappa({"produce", "sales", "--data", shop.data, "--json"},
                dated_sale("10", 0) + dated_sale("12", 0) + dated_sale("10", 1))
              .code == 0);
  shop.files(kLarger);
  const auto plan = [&](const std::string& from) {
    nlohmann::json made;
    do {
      made = shop.plan_json({"--from", from});
    } while (ranges_of(made)[0][1] < 5 || ranges_of(made)[1][1] < 2);
    return ranges_of(made);
  };
  const auto start = [&](const std::string& from) {
    return shop.replay("start", {shop.scratch.path("shop"), "--from", from});
  };
  // Nothing is left that is earlier than the 9th, so what is gone may have been of that day.
  CHECK(plan("2024-01-09") == Ranges{{3, 5, 3}, {1, 2, 1}});
  CHECK_THAT(shop.plan("table", {"--from", "2024-01-09"}).out,
             Catch::Contains("  sales  2 partitions, 3 records\n    the log no longer has 4 before "
                             "these, some maybe not earlier than that: what came of them would be "
                             "missing\n"));
  CHECK_THAT(shop.plan().out, Catch::Contains("no longer has 4 before these: what came of them"));
  CHECK_THAT(start("2024-01-09").err, Catch::Contains("--accept-gap sales"));
  CHECK(plan("2024-01-11") == Ranges{{4, 5, 0}, {2, 2, 0}});
  CHECK(start("2024-01-11").code == 0);
  server.signal(SIGTERM);
  CHECK(server.wait().code == 0);
}

TEST_CASE("a plan of files that change nothing tells what is computed again, and ends with 0") {
  const Shop shop;
  const Ended ended = shop.plan("table", {"--recompute-all", "--max-rate", "0.5"});
  INFO(ended.err);
  CHECK(ended.code == 0);
  CHECK_THAT(ended.out, Catch::StartsWith("product shop: the files say what generation 1 does; "
                                          "nothing changes, but all is computed again\n\n"
                                          "A replay reads 2 records at most:\n"
                                          "  sales  4 partitions, 2 records\n"
                                          "  visits  4 partitions, 0 records\n"
                                          "It takes about 4 s at 0.5 records/s"));
  const auto json = shop.plan_json({"--recompute-all"});
  CHECK(json["changes"] == false);
  CHECK(json["recompute_all"] == true);
  CHECK(json["records"] == 2);
  CHECK(json["kept_views"].empty());
  const auto plain = shop.plan_json();
  CHECK(plain["recompute_all"] == false);
  CHECK(plain["order"] == "journal");
  CHECK(plain["from_timestamp"].is_null());
  CHECK(plain["ranges"].empty());
}

TEST_CASE("a plan refuses the times that a replay does, in the same words") {
  const Shop shop;
  const Ended never = shop.plan("table", {"--from", "yesterday"});
  CHECK(never.code == 2);
  CHECK_THAT(never.err, Catch::Contains("--from: expected a time from 1970 on"));
  CHECK(shop.plan("table", {"--order", "offset"}).code == 2);
  CHECK(shop.plan("table", {"--accept-gap", "sales"}).code == 2);
  const Lines later = {"--from", "9999-12-31T00:00:00Z"};
  const Ended plan = shop.plan("table", later);
  CHECK(plan.code == 1);
  CHECK(plan.out.empty());
  CHECK(plan.err ==
        "kappa: error: a replay cannot begin at 9999-12-31T00:00:00Z, which is still to come\n");
  Process server = shop.serve();
  REQUIRE(server.wait_for_output("\n"));
  const Ended start =
      shop.replay("start", {shop.scratch.path("shop"), "--from", "9999-12-31T00:00:00Z"});
  CHECK(start.code == 1);
  CHECK(start.err == plan.err);
  server.signal(SIGTERM);
  server.wait();
}

TEST_CASE("a plan tells that a model has changed") {
  const std::string scored =
      "CREATE MATERIALIZED VIEW scored AS SELECT store, predict('risk', amount) AS risk FROM "
      "sales;";
  const std::string model =
      "{\"kind\": \"logistic\", \"features\": [\"amount\"], \"coefficients\": [0.01], "
      "\"intercept\": ";
  const Scratch scratch;
  const auto files = [&](const std::string& intercept) {
    scratch.file("shop/product.sql", kSources + scored);
    scratch.file("shop/models/risk.json", model + intercept + "}");
  };
  files("-1");
  const Lines words = {"plan", scratch.path("shop"), "--data", scratch.path("data")};
  Process server(scratch.directory(),
                 {"serve", "--product", scratch.path("shop"), "--data", scratch.path("data"),
                  "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"});
  REQUIRE(server.wait_for_output("\n"));
  server.signal(SIGTERM);
  server.wait();
  CHECK_THAT(kappa(words).out, Catch::Contains("nothing changes"));
  files("-2");
  CHECK_THAT(kappa(words).out,
             Catch::Contains("view scored  calls the model risk, which has changed; replayed\n"));
}

TEST_CASE("a plan does not make up how long a replay takes, and tells what it keeps on disk") {
  const Shop shop;
  CHECK(shop.plan_json()["rate_from"] == nullptr);  // nothing changes
  shop.files(kLarger);
  const Ended ended = shop.plan();
  CHECK_THAT(ended.out, Catch::Contains("How long it takes is not known: no replay has shown") &&
                            Catch::Contains("iB of disk, ") && Catch::Contains("iB are free\n"));
  const auto json = shop.plan_json();
  CHECK(json["rate_from"] == nullptr);
  CHECK(json["records_per_second"] == nullptr);
  CHECK(json["estimated_seconds"] == nullptr);
  CHECK(json["estimated_disk_bytes"] > 0);
  CHECK(json["disk_free_bytes"] > 0);
  const Ended bound =
      kappa({"plan", shop.scratch.path("shop"), "--data", shop.data, "--max-rate", "0.5"});
  CHECK_THAT(bound.out, Catch::Contains("about 4 s at 0.5 records/s, what it may take; about"));
}

TEST_CASE("a plan takes the rate of the last replay, or else what the live generation reaches") {
  const Shop shop;
  Process first = shop.serve();
  REQUIRE(first.wait_for_output("\n"));
  REQUIRE(kappa({"produce", "sales", "--data", shop.data}, many_sales(20'001)).code == 0);
  shop.files(kLarger);
  nlohmann::json live = shop.plan_json();
  while (live["records"] < 20'003 || live["rate_from"] == nullptr) live = shop.plan_json();
  CHECK(live["rate_from"] == "live");
  CHECK(live["estimated_seconds"].get<double>() ==
        Approx(20'003 / live["records_per_second"].get<double>()));
  first.signal(SIGTERM);
  REQUIRE(first.wait().code == 0);

  // Nothing arrives at this one, so a replay that is ready has applied ten thousand at least.
  Process server = shop.serve();
  REQUIRE(server.wait_for_output("\n"));
  const Ended replay =
      kappa({"replay", "start", shop.scratch.path("shop"), "--data", shop.data, "--wait"});
  INFO(replay.err);
  REQUIRE(replay.code == 0);
  CHECK_THAT(shop.plan().out, Catch::Contains(" records/s, what the last replay reached; about "));
  server.signal(SIGTERM);
  REQUIRE(server.wait().code == 0);
  const auto last = shop.plan_json();
  CHECK(last["rate_from"] == "last replay");
  CHECK(last["records_per_second"] > 0);
}

TEST_CASE("a plan tells beforehand what a replay or the way back would be refused for") {
  const auto by_store = [](int least) {
    return "CREATE FOREIGN TABLE by_store (store text, n bigint, PRIMARY KEY (store))\n"
           "SERVER log OPTIONS (topic 'by-store', format 'json', mode 'upsert');\n"
           "INSERT INTO by_store SELECT store, count(*) FROM sales WHERE amount > " +
           std::to_string(least) + " GROUP BY store;\n";
  };
  const Shop shop(by_store(0));
  shop.files(by_store(100));
  const Ended both = shop.plan();
  CHECK_THAT(both.out, Catch::Contains("A replay of these files would be refused: product.sql:") &&
                           Catch::Contains("From there would be no way back: product.sql:"));
  CHECK_FALSE(shop.plan_json()["refused_because"].is_null());
  shop.files(kLarge);
  CHECK(shop.plan_json()["refused_because"].is_null());
  CHECK(shop.plan_json()["no_way_back_because"].is_string());
}

TEST_CASE("files that differ and change nothing are named, since serve names them, too") {
  const Shop shop;
  shop.files("-- Large ones.\n" + kLarge);
  const Ended ended = shop.plan();
  CHECK(ended.code == 0);
  CHECK(ended.out ==
        "product shop: the files say what generation 1 does; nothing changes (differing to no "
        "effect: product.sql)\n");
}

TEST_CASE("faulty files and a product that does not run yet end a plan with 1 and the reason") {
  const Shop shop;
  shop.files("CREATE MATERIALIZED VIEW large AS SELECT nothing FROM sales;");
  const Ended faulty = shop.plan();
  CHECK(faulty.code == 1);
  CHECK_THAT(faulty.err, Catch::Contains("product.sql:6:42") && Catch::Contains("\"nothing\""));
  shop.scratch.file("other/product.sql", kSources);
  const Ended other = kappa({"plan", shop.scratch.path("other"), "--data", shop.data});
  CHECK(other.code == 1);
  CHECK_THAT(other.err, Catch::Contains("there is no product other in"));
}

}  // namespace kappa::cli
