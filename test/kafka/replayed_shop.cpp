#include "test/kafka/replayed_shop.h"

#include <map>

#include <nlohmann/json.hpp>
#include <signal.h>

#include "absl/strings/str_cat.h"
#include "test/kafka/broker.h"

namespace kappa::cli {

using nlohmann::json;

ReplayedShop::ReplayedShop() : name_(test::unique_name("shop")), address_(test::shared_broker()) {
  write("former", kFormer, "");
  write("later", kLater, "");
}

std::string ReplayedShop::topic(const std::string& what) const {
  return absl::StrCat(name_, "-", what);
}

std::string ReplayedShop::product(const std::string& version) const {
  return scratch_.path(absl::StrCat(version, "/", name_));
}

void ReplayedShop::serve(const std::string& failpoint) {
  std::map<std::string, std::string> environment;
  if (!failpoint.empty()) environment["KAPPA_FAIL_AT"] = failpoint;
  process_ = std::make_unique<Process>(
      scratch_.directory(),
      Words{"serve", "--output", "json", "--data", data(), "--product", product("former"),
            "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--partitions", "2",
            "--checkpoint-interval-ms", "100", "--log", absl::StrCat("kafka://", address_)},
      "", environment);
  if (!process_->wait_for_output("\n")) FAIL(process_->wait().err);
}

void ReplayedShop::stop() {
  process_->signal(SIGTERM);
  const Ended ended = process_->wait();
  INFO(ended.err);
  CHECK(ended.code == 0);
}

Ended ReplayedShop::run(Words words) const {
  words.insert(words.end(), {"--data", data()});
  return kappa(words);
}

void ReplayedShop::require_done(const Words& words) const {
  const Ended ended = run(words);
  INFO(ended.out << ended.err);
  REQUIRE(ended.code == 0);
}

int64_t ReplayedShop::number(const std::string& sql) const {
  const Ended ended = run({"query", sql, "--output", "json"});
  INFO(ended.out << ended.err);
  REQUIRE(ended.code == 0);
  const json rows = json::parse(ended.out)["rows"];
  if (rows.empty() || rows[0]["n"].is_null()) return 0;
  return rows[0]["n"].get<int64_t>();
}

std::string ReplayedShop::state(uint32_t generation) const {
  const Ended ended = run({"replay", "status", "--output", "json"});
  INFO(ended.err);
  REQUIRE(ended.code == 0);
  const json status = json::parse(ended.out);
  for (const json& one : status["generations"]) {
    if (one["generation"] == generation) return one["state"];
  }
  return "gone";
}

void ReplayedShop::start_replay(uint32_t generation) const {
  require_done({"replay", "start", product("later")});
  wait_until([&] { return state(generation) == "ready"; });
}

void ReplayedShop::wait_until_applied(const test::SalesLoad& load) const {
  const int64_t sent = load.sent();
  wait_until([&] { return number("SELECT n FROM totals") >= sent; });
}

void ReplayedShop::wait_for_sales(const test::SalesLoad& load, int64_t more) const {
  const int64_t sent = load.sent();
  wait_until([&] { return load.sent() >= sent + more; });
  wait_until_applied(load);
}

std::vector<std::string> ReplayedShop::published(const std::string& what,
                                                 const std::string& format) const {
  return test::committed_records(address_, topic(what), format);
}

void ReplayedShop::write(const std::string& version, const Logic& logic,
                         const std::string& more) const {
  const auto server = [this](const std::string& what) {
    return absl::StrCat("SERVER log OPTIONS (topic '", topic(what), "', format 'json'");
  };
  scratch_.file(
      absl::StrCat(version, "/", name_, "/product.sql"),
      absl::StrCat(
          "CREATE FOREIGN TABLE sales (card text, n bigint, amount bigint, ts timestamptz)\n",
          server("sales"), ", event_time 'ts', out_of_orderness '1 second');\n",
          "CREATE FOREIGN TABLE big (n bigint, amount bigint)\n", server("big"), ");\n",
          "CREATE FOREIGN TABLE busy (card text, n bigint, from_us bigint, seconds bigint)\n",
          server("busy"), ");\n",
          "CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n FROM sales;\n"
          "CREATE MATERIALIZED VIEW windows WITH (emit = 'final') AS\n"
          "SELECT window_start, card, count(*) AS n FROM tumble(sales, ts, INTERVAL '",
          logic.window_seconds, " seconds') GROUP BY window_start, card;\n",
          "INSERT INTO big SELECT n, amount FROM sales WHERE amount >= ", logic.amount_min, ";\n",
          "INSERT INTO busy SELECT card, n,\n"
          "  CAST(extract(epoch FROM window_start) * 1000000 AS bigint), ",
          logic.window_seconds, " FROM windows;\n", more));
}

}  // namespace kappa::cli
