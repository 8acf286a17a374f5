#include <algorithm>

#include <catch2/catch.hpp>

#include "engine/cli/doctor/checks.h"
#include "engine/sql/catalog.h"

namespace kappa::cli::doctor {
namespace {

constexpr int64_t kDayMs = 86'400'000;
constexpr int64_t kDayUs = kDayMs * 1000;

ExaminedTopic topic(const std::string& name, int32_t partitions, int64_t records = 0) {
  ExaminedTopic topic;
  topic.info = {name, {.partitions = partitions, .retention_ms = {}, .retention_bytes = {}}};
  topic.partitions.assign(static_cast<size_t>(partitions), {});
  topic.partitions[0].end = topic.partitions[0].durable_end = Offset{records};
  return topic;
}

TopicNeed source(const std::string& name, Reach reach = {}) {
  return {name, "shop", TopicNeed::Role::kSource, 1, std::move(reach)};
}

// Everything as it should be.
Examined healthy() {
  Examined examined;
  examined.now = LogTime{100 * kDayMs};
  examined.topics = {topic("sales", 2, 10), topic("alerts", 1)};
  examined.topics[0].newest = examined.topics[0].quietest = examined.now;
  examined.needs = {source("sales", {30 * kDayUs, ""}),
                    {"alerts", "shop", TopicNeed::Role::kOutput, 1, {}},
                    {"sales.dead-letters", "shop", TopicNeed::Role::kDeadLetters, 1, {}}};
  examined.directory = {"data", true, true, uint64_t{100} << 30, {}};
  examined.open_files_max = 20000;
  serve::ProductInfo product;
  product.name = "shop";
  product.state = "running";
  product.stats.last_checkpoint_ms = examined.now.ms - 500;
  examined.running = {product};
  return examined;
}

// What one check finds, as "severity what".
std::vector<std::string> found(Check check, const Examined& examined) {
  Findings findings;
  check(examined, &findings);
  std::vector<std::string> texts;
  for (const Finding& finding : findings) {
    CHECK_FALSE(finding.fix.empty());
    const std::string severity = finding.severity == Severity::kError     ? "error "
                                 : finding.severity == Severity::kWarning ? "warning "
                                                                          : "notice ";
    texts.push_back(severity + finding.what);
  }
  return texts;
}

bool only(const std::vector<std::string>& texts, const std::string& begin) {
  UNSCOPED_INFO(begin);
  for (const std::string& text : texts) UNSCOPED_INFO(text);
  CHECK(texts.size() == 1);
  return texts.size() == 1 && texts[0].starts_with(begin);
}

operators::Plan plan_of(const std::string& sql) {
  sql::CompiledPlan compiled = sql::compile_product({{"product.sql", sql}}, {});
  for (const sql::Diagnostic& diagnostic : compiled.diagnostics) {
    INFO(sql::to_text(diagnostic));
    REQUIRE(false);
  }
  return std::move(compiled.plan);
}

const std::string kSales =
    "CREATE FOREIGN TABLE sales (id text, card text, amount integer, at timestamptz)\n"
    "SERVER log OPTIONS (topic 'sales', format 'json', event_time 'at', out_of_orderness "
    "'1 minute');\n";

}  // namespace

TEST_CASE("topics whose records replace each other by key are compacted") {
  Examined examined = healthy();
  CHECK(found(check_compaction, examined).empty());
  examined.needs[1].compacted = true;
  examined.topics.push_back(topic("shop.kappa-outbox", 1, 3));
  examined.needs.push_back(outbox_place_need("shop"));
  log::TopicConfig& alerts = examined.topics[1].info.config;
  log::TopicConfig& place = examined.topics[2].info.config;
  // A log that does not tell is not blamed.
  CHECK(found(check_compaction, examined).empty());
  alerts.compacted = place.compacted = true;
  CHECK(found(check_compaction, examined).empty());
  alerts.compacted = false;
  CHECK(only(found(check_compaction, examined),
             "warning topic alerts, output of product shop by key, keeps every change of a key for "
             "ever: its cleanup.policy lacks compact"));
  alerts.retention_ms = 7 * kDayMs;
  CHECK(only(found(check_compaction, examined),
             "error topic alerts, output of product shop by key, is deleted from after 7 days"));
  // With compact,delete keys are lost all the same.
  alerts.compacted = true;
  CHECK(only(found(check_compaction, examined), "error topic alerts, output of product shop"));
  alerts.retention_ms.reset();
  place.compacted = false;
  CHECK(
      only(found(check_compaction, examined),
           "error topic shop.kappa-outbox says how far the outputs of product shop are published, "
           "and its cleanup.policy lacks compact"));
  place.compacted = true;
  place.retention_ms = 7 * kDayMs;
  CHECK(only(found(check_compaction, examined),
             "error topic shop.kappa-outbox says how far the outputs of product shop are "
             "published, and its cleanup.policy lets retention delete that"));
  Findings findings;
  check_compaction(examined, &findings);
  CHECK(findings[0].fix.ends_with("--entity-name shop.kappa-outbox"));
}

TEST_CASE("doctor: nothing is found where all is well") {
  CHECK(run_checks(healthy()).empty());
}

TEST_CASE("doctor: a log that does not answer is one error, without guesses about its topics") {
  Examined examined = healthy();
  examined.log = absl::UnavailableError("nobody answers at 127.0.0.1:7070");
  examined.topics.clear();
  examined.running.clear();
  const Findings findings = run_checks(examined);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].severity == Severity::kError);
  CHECK(findings[0].check == "log");
}

TEST_CASE("doctor: topics that a plan reads or writes and nobody has made are named") {
  Examined examined = healthy();
  examined.topics.erase(examined.topics.begin());
  CHECK(only(found(check_topics, examined),
             "warning topic sales, source of product shop, is not there"));
}

TEST_CASE("doctor: topics that meet by key have equally many partitions") {
  Examined examined = healthy();
  examined.topics.push_back(topic("labels", 2));
  examined.joins = {{"a join of product shop", {"labels", "sales"}}};
  CHECK(found(check_partitions, examined).empty());
  examined.topics.back() = topic("labels", 3);
  CHECK(only(found(check_partitions, examined), "notice a join of product shop meets topics"));
}

TEST_CASE("doctor: a source is kept as long as its plan looks back") {
  Examined examined = healthy();
  auto& retention_ms = examined.topics[0].info.config.retention_ms;
  retention_ms = 30 * kDayMs;
  CHECK(found(check_retention, examined).empty());
  retention_ms = 30 * kDayMs - 1;
  CHECK(only(found(check_retention, examined), "error topic sales keeps records for 29 days"));
  retention_ms = 60 * kDayMs;
  examined.needs[0].reach.for_ever = "spent";
  CHECK(only(found(check_retention, examined), "notice topic sales keeps only 60 days"));
  retention_ms.reset();
  CHECK(found(check_retention, examined).empty());
  examined.topics[0].info.config.retention_bytes = 1000;
  CHECK(only(found(check_retention, examined), "notice topic sales keeps only 1000 bytes"));
}

TEST_CASE("doctor: records that are older than their topic's retention will not stay") {
  Examined examined = healthy();
  ExaminedTopic& sales = examined.topics[0];
  sales.quietest = LogTime{1 * kDayMs};
  CHECK(found(check_old_records, examined).empty());  // kept for ever
  sales.info.config.retention_ms = 7 * kDayMs;
  CHECK(only(found(check_old_records, examined), "warning the last records of topic sales are of"));
  sales.quietest = LogTime{94 * kDayMs};
  CHECK(found(check_old_records, examined).empty());
  sales.newest.reset();
  sales.quietest.reset();
  sales.partitions[0].start = sales.partitions[0].end;
  CHECK(
      only(found(check_old_records, examined), "warning topic sales is empty: retention (7 days)"));
}

TEST_CASE("doctor: the data directory is there, writable, with room, and served by who holds it") {
  Examined examined = healthy();
  examined.directory->writable = false;
  CHECK(only(found(check_directory, examined), "error the data directory data cannot be written"));
  examined.directory->there = false;
  CHECK(only(found(check_directory, examined), "error there is no data directory data"));
  examined.directory->free_bytes = uint64_t{1} << 30;
  CHECK(only(found(check_disk, examined), "warning only 1024 MiB are free"));
  examined.directory->free_bytes = uint64_t{1} << 20;
  CHECK(only(found(check_disk, examined), "error only 1 MiB are free"));
  examined.directory->holder = state::LockHolder{17, "kappa serve", "127.0.0.1:7070"};
  CHECK(found(check_lock, examined).empty());
  examined.directory->holder->address.clear();
  CHECK(only(found(check_lock, examined), "warning process 17 (kappa serve) holds"));
  examined.directory.reset();  // a server was named
  CHECK(found(check_directory, examined).empty());
  CHECK(found(check_disk, examined).empty());
  CHECK(found(check_lock, examined).empty());
}

TEST_CASE("doctor: a clock behind the log's newest record is named") {
  Examined examined = healthy();
  examined.topics[0].newest = LogTime{examined.now.ms + 5000};
  CHECK(found(check_clock, examined).empty());
  examined.topics[0].newest = LogTime{examined.now.ms + 60'000};
  CHECK(only(found(check_clock, examined), "warning the newest record of topic sales is of"));
}

TEST_CASE("doctor: few open files are named") {
  Examined examined = healthy();
  examined.open_files_max = 1024;
  CHECK(only(found(check_open_files, examined), "warning only 1024 files"));
  examined.open_files_max.reset();
  CHECK(found(check_open_files, examined).empty());
}

TEST_CASE("doctor: products that have stopped are errors, with their reason") {
  Examined examined = healthy();
  examined.running[0].state = "failed";
  examined.running[0].failure = "a gap in sales";
  CHECK(only(found(check_products, examined), "error product shop has stopped: a gap in sales"));
  examined.running[0].state = "restoring";
  CHECK(only(found(check_products, examined), "notice product shop is restoring"));
}

TEST_CASE("doctor: a checkpoint is late only if there is work") {
  Examined examined = healthy();
  serve::ProductInfo& product = examined.running[0];
  product.stats.last_checkpoint_ms = examined.now.ms - 40'000;
  CHECK(found(check_checkpoints, examined).empty());
  product.stats.outbox_pending = 3;
  CHECK(only(found(check_checkpoints, examined), "warning product shop has work"));
  examined.checkpoint_interval_ms = 10'000;
  CHECK(found(check_checkpoints, examined).empty());
}

TEST_CASE("doctor: dead letters and late rows are counted") {
  Examined examined = healthy();
  examined.topics.push_back(topic("sales.dead-letters", 1, 3));
  CHECK(only(found(check_dead_letters, examined), "warning sales.dead-letters holds 3 records"));
  examined.topics.back() = topic("per_minute.late", 1, 2);
  CHECK(only(found(check_dead_letters, examined), "warning per_minute.late holds 2 rows"));
  examined.topics.back() = topic("per_minute.late", 1, 0);
  CHECK(found(check_dead_letters, examined).empty());
}

TEST_CASE("doctor: errors come first") {
  Examined examined = healthy();
  examined.open_files_max = 10;
  examined.topics.push_back(topic("sales.dead-letters", 1, 3));
  examined.running[0].state = "failed";
  const Findings findings = run_checks(examined);
  REQUIRE(findings.size() == 3);
  CHECK(findings[0].check == "product");
}

TEST_CASE("a plan's reach adds up along the way from a source, and names what forgets nothing") {
  const auto reach = [](const std::string& sql) { return reach_of(plan_of(kSales + sql), 0); };
  constexpr int64_t kMinuteUs = 60'000'000;
  const Reach frames = reach(
      "CREATE MATERIALIZED VIEW v WITH (retention = '1 day') AS SELECT id, at, sum(amount) OVER w "
      "AS s FROM sales WINDOW w AS (PARTITION BY card ORDER BY at RANGE BETWEEN '30 days' "
      "PRECEDING "
      "AND CURRENT ROW);");
  CHECK(frames.us == 30 * kDayUs + kMinuteUs);
  CHECK(frames.for_ever.empty());
  const Reach window = reach(
      "CREATE MATERIALIZED VIEW v WITH (grace = '5 minutes', retention = '1 day') AS SELECT "
      "window_start, count(*) AS n FROM tumble(sales, at, INTERVAL '10 minutes') GROUP BY "
      "window_start;");
  CHECK(window.us == 16 * kMinuteUs);
  CHECK(window.for_ever.empty());
  const Reach ever = reach(
      "CREATE MATERIALIZED VIEW spent AS SELECT card, sum(amount) AS s FROM sales GROUP BY "
      "card;");
  CHECK(ever.us == kMinuteUs);
  CHECK(ever.for_ever == "spent");
}

TEST_CASE("topics that a plan needs: sources, outputs, dead letters, late rows") {
  const operators::Plan plan = plan_of(
      kSales +
      "CREATE FOREIGN TABLE big (id text) SERVER log OPTIONS (topic 'big-sales', format 'json');\n"
      "CREATE MATERIALIZED VIEW v AS SELECT window_start, count(*) AS n FROM tumble(sales, at, "
      "INTERVAL '1 minute') GROUP BY window_start;\n"
      "CREATE MATERIALIZED VIEW plain AS SELECT id, amount FROM sales;\n"
      "INSERT INTO big SELECT id FROM sales WHERE amount > 10;");
  std::vector<std::string> needs;
  for (const TopicNeed& need : topic_needs("shop", plan, 4)) {
    needs.push_back(need.topic + " " + role_text(need.role) + " " +
                    std::to_string(need.partitions));
  }
  CHECK(needs == std::vector<std::string>{"sales source 4", "sales.dead-letters dead letters 1",
                                          "big-sales output 1", "v.dead-letters dead letters 1",
                                          "v.late late rows 1"});
  const TopicNeed place = outbox_place_need("shop");
  CHECK(place.topic == "shop.kappa-outbox");
  CHECK(role_text(place.role) == "the outbox's place");
}

TEST_CASE("what fails when time passes has a topic of the view's, or the product's for outputs") {
  const std::string windows =
      "CREATE MATERIALIZED VIEW w WITH (emit = 'final') AS SELECT window_start, count(*) AS n FROM "
      "tumble(sales, at, INTERVAL '1 minute') GROUP BY window_start;\n";
  const auto has = [&](const std::string& sql, const std::string& topic) {
    const std::vector<TopicNeed> needs = topic_needs("shop", plan_of(kSales + sql), 1);
    return std::any_of(needs.begin(), needs.end(),
                       [&](const TopicNeed& need) { return need.topic == topic; });
  };
  const std::string after =
      "CREATE MATERIALIZED VIEW after AS SELECT window_start, 1 / n AS r FROM w;\n";
  CHECK(has(windows + after, "after.dead-letters"));
  const std::string out =
      "CREATE FOREIGN TABLE out (r bigint) SERVER log OPTIONS (topic 'out', format 'json');\n";
  CHECK(has(windows + out + "INSERT INTO out SELECT 1 / n AS r FROM w;", "shop.dead-letters"));
  // Each of their rows is some record's doing.
  const std::string plain =
      "CREATE MATERIALIZED VIEW plain AS SELECT id, 1 / amount AS r FROM sales;\n";
  CHECK_FALSE(has(plain, "plain.dead-letters"));
  CHECK_FALSE(
      has(plain + out + "INSERT INTO out SELECT 1 / amount AS r FROM sales;", "shop.dead-letters"));
}

TEST_CASE("what brokers refuse is named with the ACL that is missing") {
  Examined examined = healthy();
  CHECK(found(check_access, examined).empty());
  const absl::Status why = absl::PermissionDeniedError("topic sales: not allowed");
  examined.refusals = {
      {"shop", "read topic sales, source", "--operation Read --topic sales", true, why}};
  CHECK(only(found(check_access, examined),
             "error product shop may not read topic sales, source: topic sales: not allowed"));
  Findings findings;
  check_access(examined, &findings);
  CHECK(findings[0].fix.ends_with("--operation Read --topic sales"));
  // Dead letters may never come.
  examined.refusals[0].needed = false;
  CHECK(only(found(check_access, examined), "warning product shop may not"));
}

TEST_CASE("joins bring topics together, other views do not") {
  const std::string labels =
      "CREATE FOREIGN TABLE labels (card text, label text, at timestamptz) SERVER log OPTIONS "
      "(topic "
      "'labels', format 'json', event_time 'at');\n"
      "CREATE MATERIALIZED VIEW latest WITH (key = 'card') AS SELECT card, label FROM labels;\n";
  CHECK(keyed_together("shop", plan_of(kSales + labels)).empty());
  const auto joins = keyed_together(
      "shop", plan_of(kSales + labels +
                      "CREATE MATERIALIZED VIEW j AS SELECT s.id, l.label FROM sales s LEFT JOIN "
                      "latest l ON s.card = l.card;"));
  REQUIRE(joins.size() == 1);
  CHECK(joins[0].topics == std::vector<std::string>{"labels", "sales"});
}

}  // namespace kappa::cli::doctor
