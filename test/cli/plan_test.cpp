#include <csignal>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

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

// A directory with a product that has applied two sales, and nobody serves now.
struct Shop {
  Scratch scratch;
  std::string data = scratch.path("data");

  explicit Shop(const std::string& view = kLarge) {
    files(view);
    Process server = serve();
    REQUIRE(server.wait_for_output("\n"));
    const Ended sent = kappa({"produce", "sales", "--data", data},
                             "{\"id\": \"1\", \"store\": \"a\", \"amount\": 200}\n"
                             "{\"id\": \"2\", \"store\": \"a\", \"amount\": 600}\n");
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
  Ended plan(const std::string& output = "table") const {
    return kappa({"plan", scratch.path("shop"), "--data", data, "--output", output});
  }
  nlohmann::json plan_json() const { return nlohmann::json::parse(plan("json").out); }
};

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
