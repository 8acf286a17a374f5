// `kappa import`, run as a user runs it, and killed while it runs.

#include "engine/cli/commands/import.h"

#include <chrono>
#include <cstdlib>
#include <map>
#include <thread>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <signal.h>

#include "absl/strings/str_cat.h"
#include "engine/cli/deployment.h"
#include "test/cli/process.h"
#include "test/cli/scratch.h"
#include "test/environment.h"
#include "test/runtime/model/dice.h"

namespace kappa::cli {
namespace {

using Json = nlohmann::json;
using model::Dice;
using test::number_from_environment;

bool mentions(const std::string& text, const std::string& part) {
  INFO(text);
  INFO(part);
  return text.find(part) != std::string::npos;
}

// Data directories and files of one test.
class ImportTest {
 public:
  std::string data(const std::string& name = "data") const {
    scratch_.file(name + "/.keep", "");
    return scratch_.path(name);
  }
  std::string file(const std::string& name, const std::string& text) const {
    return scratch_.file(name, text);
  }
  std::string path(const std::string& name) const { return scratch_.path(name); }
  const std::string& scratch() const { return scratch_.directory(); }

  Ended import(const std::string& file, std::vector<std::string> words,
               const std::string& input = "") const {
    words.insert(words.begin(), {"import", file, "--topic", "t", "--data", data()});
    return kappa(words, input);
  }
  std::string consumed() const {
    return kappa({"consume", "t", "--data", data(), "--key-separator", "="}).out;
  }

 private:
  Scratch scratch_;
};

// A record without what differs from run to run: the timestamp it has from the clock.
using Records = std::map<int32_t, std::vector<std::string>>;

Records records_of(const std::string& data) {
  DeploymentOptions options;
  options.data = data;
  options.command = "this test";
  const auto deployment = Deployment::open(options);
  INFO(deployment.status());
  REQUIRE(deployment.ok());
  log::Log& log = (*deployment)->log();
  Records records;
  const auto topic = log.topic("t");
  REQUIRE(topic.ok());
  for (int32_t p = 0; p < topic->config.partitions; ++p) {
    const auto reader = log.open_reader({"t", p}, Offset{0});
    REQUIRE(reader.ok());
    while (true) {
      const auto block = (*reader)->read(1u << 20);
      REQUIRE(block.ok());
      if (block->empty()) break;
      for (const RecordView& record : block->records) {
        std::string text = absl::StrCat(record.timestamp.ms, " ");
        if (const auto key = record.key_view()) text += *key;
        text += " ";
        text += record.value_view().value_or("NULL");
        for (const auto& [name, value] : parse_headers(record))
          absl::StrAppend(&text, " ", name, "=", value);
        records[p].push_back(text);
      }
    }
  }
  return records;
}

size_t count(const Records& records) {
  size_t count = 0;
  for (const auto& [partition, texts] : records) count += texts.size();
  return count;
}

// Sales, some without a card, and every 1000th line not one.
std::string sales_csv(int lines) {
  std::string text = "card,sold_at_ms,amount,note\n";
  for (int i = 0; i < lines; ++i) {
    if (i % 1000 == 999) {
      text += "not a sale\n";
    } else {
      absl::StrAppend(&text, i % 5 == 0 ? "" : absl::StrCat("c", i % 97), ",",
                      1'600'000'000'000 + i, ",", i % 100, ".50,\"a note, of some\nlength: ", i,
                      "\"\n");
    }
  }
  return text;
}

const std::string kProduct =
    "CREATE FOREIGN TABLE sales (id text, amount numeric(12,2) NOT NULL, at timestamptz "
    "OPTIONS (unit 'ms'))\n"
    "SERVER log OPTIONS (topic 't', format 'json', event_time 'at');\n"
    "CREATE MATERIALIZED VIEW spent AS SELECT id, sum(amount) AS amount FROM sales GROUP BY id;\n"
    "CREATE MATERIALIZED VIEW minutes WITH (emit = 'final') AS SELECT window_start, count(*) AS n\n"
    "FROM tumble(sales, at, INTERVAL '1 minute') GROUP BY window_start;\n";

std::unique_ptr<Process> serve(const ImportTest& test, std::string* address) {
  auto server = std::make_unique<Process>(
      test.scratch(), std::vector<std::string>{"serve", "--product", test.path("shop"), "--data",
                                               test.data(), "--listen", "127.0.0.1:0", "--http",
                                               "127.0.0.1:0", "--output", "json"});
  if (!server->wait_for_output("\n")) FAIL("not ready: " << server->wait().err);
  *address = Json::parse(server->out())["grpc"].get<std::string>();
  return server;
}

}  // namespace

TEST_CASE("import makes a record of each line, and says what it did") {
  const ImportTest test;
  const std::string file = test.file("in.csv", "id,amount\n007,1.50\n8,\n");
  const Ended ended = test.import(file, {"--create", "--partitions", "1", "--key", "id"});
  INFO(ended.err);
  CHECK(ended.code == 0);
  CHECK(ended.out.empty());
  CHECK(mentions(ended.err, "2 records appended to t in "));
  CHECK(test.consumed() == "007={\"id\":\"007\",\"amount\":1.50}\n8={\"id\":8}\n");

  const Ended again = test.import(file, {"--key", "id"});
  CHECK(again.code == 0);
  CHECK(mentions(again.err, "t has all of it already: 2 records of import "));
  const Ended once_more = test.import(file, {"--key", "id", "--id", "second", "--output", "json"});
  CHECK(once_more.code == 0);
  const Json summary = Json::parse(once_more.out);
  CHECK(summary["records"] == 2);
  CHECK(summary["import"] == "second");
  CHECK(summary["bad_lines"] == 0);
}

TEST_CASE("import reads standard input, which nothing remembers") {
  const ImportTest test;
  for (int i = 0; i < 2; ++i) {
    const Ended ended = test.import("-", {"--format", "ndjson", "--create", "--partitions", "1"},
                                    "{\"a\": 1}\n{\"a\": 2}\n");
    INFO(ended.err);
    CHECK(ended.code == 0);
  }
  CHECK(kappa({"consume", "t", "--data", test.data()}).out ==
        "{\"a\": 1}\n{\"a\": 2}\n{\"a\": 1}\n{\"a\": 2}\n");
  const Ended unclear = test.import("-", {}, "{}\n");
  CHECK(unclear.code == 2);
  CHECK(mentions(unclear.err, "say --format csv or --format ndjson"));
}

TEST_CASE("import refuses a topic, a file or a column that is not there") {
  const ImportTest test;
  const std::string file = test.file("in.csv", "id\n1\n");
  const Ended no_topic = test.import(file, {});
  CHECK(no_topic.code == 1);
  CHECK(mentions(no_topic.err, "there is no topic t; check its name, or make it with --create"));
  CHECK(test.import(test.path("none.csv"), {}).code == 1);
  const Ended no_column = test.import(file, {"--create", "--key", "di"});
  CHECK(no_column.code == 2);
  CHECK(mentions(no_column.err, "the file has no column \"di\""));
}

TEST_CASE("bad lines are kept aside with their line and reason, and too many end the import") {
  const ImportTest test;
  const std::string file = test.file("in.csv", "a,b\n1,2\nx\n3,4\n5,\"6\n\xff,8\n");
  const Ended ended = test.import(file, {"--create", "--partitions", "1"});
  CHECK(ended.code == 3);
  CHECK(mentions(ended.err, "line 3: it has 1 field, the header has 2"));
  CHECK(mentions(ended.err, "2 records appended"));
  CHECK(mentions(ended.err, "3 bad lines in " + file + ".bad.ndjson"));
  CHECK(text_of_file(file + ".bad.ndjson") ==
        "{\"line\":3,\"reason\":\"it has 1 field, the header has 2\",\"text\":\"x\"}\n"
        "{\"line\":5,\"reason\":\"a quote is never closed\",\"text\":\"5,\\\"6\"}\n"
        "{\"line\":6,\"reason\":\"it is not UTF-8\",\"text_base64\":\"/yw4\"}\n");

  const Ended few = test.import(
      file, {"--bad-max", "1", "--id", "few", "--bad", test.path("few"), "--output", "json"});
  CHECK(few.code == 1);
  CHECK(mentions(few.err, "there are more than 1 bad lines, the last is line 5"));
  CHECK(Json::parse(few.out)["records"] == 2);
  // Once more of them are let pass, it goes on.
  const Ended more = test.import(
      file, {"--bad-max", "9", "--id", "few", "--bad", test.path("few"), "--output", "json"});
  CHECK(more.code == 3);
  const Json summary = Json::parse(more.out);
  CHECK(summary["records"] == 0);
  CHECK(summary["already"] == 2);
  CHECK(summary["bad_lines"] == 3);
  CHECK(text_of_file(test.path("few")) == text_of_file(file + ".bad.ndjson"));
}

TEST_CASE("an import goes on only with the options that it was begun with") {
  const ImportTest test;
  const std::string file = test.file("in.csv", "a,b\n1,2\nx\n");
  CHECK(test.import(file, {"--create", "--bad-max", "0"}).code == 1);
  const Ended other = test.import(file, {"--key", "a"});
  CHECK(other.code == 1);
  CHECK(mentions(other.err, "was begun with other options"));
}

TEST_CASE("what a running product refuses of an import is kept aside too") {
  const ImportTest test;
  test.file("shop/product.sql", kProduct);
  std::string address;
  const auto server = serve(test, &address);
  std::string text = "id,amount,at\n";
  for (int i = 0; i < 3000; ++i) {
    absl::StrAppend(&text, i % 10, ",", i % 100 == 50 ? "none" : "1.25", ",", 1000 * i, "\n");
  }
  const Ended ended =
      kappa({"import", test.file("in.csv", text), "--topic", "t", "--server", address, "--key",
             "id", "--timestamp", "at", "--type", "id=text", "--output", "json"});
  INFO(ended.err);
  CHECK(ended.code == 3);
  const Json summary = Json::parse(ended.out);
  CHECK(summary["records"] == 2970);
  CHECK(summary["bad_lines"] == 30);
  CHECK(mentions(ended.err, "line 52: it does not meet what product shop declares: "));
  server->signal(SIGTERM);
  CHECK(server->wait().code == 0);
}

TEST_CASE("import makes text of what a product declares as text") {
  const ImportTest test;
  test.file("shop/product.sql", kProduct);
  std::string address;
  const auto server = serve(test, &address);
  const std::string file = test.file("in.csv", "id,amount,at\n17,1.50,1000\n");
  const Ended ended = kappa({"import", file, "--topic", "t", "--server", address});
  INFO(ended.err);
  CHECK(ended.code == 0);
  CHECK(kappa({"consume", "t", "--server", address}).out ==
        "{\"id\":\"17\",\"amount\":1.50,\"at\":1000}\n");
}

TEST_CASE("an import with --complete closes every window, with a server and without one") {
  const ImportTest test;
  test.file("shop/product.sql", kProduct);
  const std::string text = "id,amount,at\na,1,1000\nb,2,59999\nc,3,60000\nd,4,130000\n";
  const std::string all =
      "window_start\tn\n1970-01-01T00:00:00Z\t2\n1970-01-01T00:01:00Z\t1\n"
      "1970-01-01T00:02:00Z\t1\n";
  const std::string question = "SELECT window_start, n FROM minutes ORDER BY window_start";
  const bool with_server = GENERATE(true, false);
  INFO("with a server: " << with_server);
  std::string address;
  auto server = serve(test, &address);
  std::vector<std::string> where = {"--server", address};
  if (!with_server) {
    server->signal(SIGTERM);
    CHECK(server->wait().code == 0);
    where = {"--data", test.data()};
  }
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.end(), where.begin(), where.end());
    return kappa(words);
  };
  const std::string file = test.file("in.csv", text);
  const Ended ended =
      run({"import", file, "--topic", "t", "--timestamp", "at", "--complete", "--output", "json"});
  INFO(ended.err);
  CHECK(ended.code == 0);
  CHECK(Json::parse(ended.out)["completed"] == "shop");
  CHECK(run({"query", question}).out == all);
  const Ended again = run({"import", file, "--topic", "t", "--timestamp", "at", "--complete"});
  CHECK(again.code == 0);
  CHECK(mentions(again.err, "every window of shop is closed"));
  CHECK(run({"query", question}).out == all);

  const Ended other = run({"import", file, "--topic", "u", "--create", "--complete"});
  CHECK(other.code == 1);
  CHECK(mentions(other.err,
                 "--complete closes the windows of a product, and no product here reads "
                 "topic u"));
}

TEST_CASE("import refuses a topic that holds Protobuf messages") {
  const ImportTest test;
  test.file("shop/product.sql",
            "CREATE FOREIGN TABLE clicks (id text) SERVER log OPTIONS (topic 't', format "
            "'protobuf', proto 'events/click.proto', message 'Click');\n"
            "CREATE MATERIALIZED VIEW n AS SELECT count(*) AS n FROM clicks;\n");
  test.file("shop/events/click.proto", "syntax = \"proto3\";\nmessage Click { string id = 1; }\n");
  std::string address;
  const auto server = serve(test, &address);
  const Ended ended =
      kappa({"import", test.file("in.csv", "id\n1\n"), "--topic", "t", "--server", address});
  CHECK(ended.code == 1);
  CHECK(mentions(ended.err, "product shop declares that topic t holds Protobuf messages"));
}

namespace {

// Imports one file into two directories: into one at a go, into the other with interruptions.
class CrashTest {
 public:
  static constexpr int kLines = 400'000;

  explicit CrashTest(uint64_t seed) : dice_(seed) {
    file_ = test_.file("in.csv", sales_csv(kLines));
    test_.file("shop/product.sql",
               "CREATE FOREIGN TABLE other (a text) SERVER log OPTIONS (topic 'other');\n"
               "CREATE MATERIALIZED VIEW n AS SELECT count(*) AS n FROM other;\n");
  }

  // The import itself is killed. False: it was done before.
  bool kill_import() {
    Process import(test_.scratch(), words({"--data", data("killed")}, "killed"));
    std::this_thread::sleep_for(std::chrono::milliseconds(dice_.between(10, 250)));
    import.signal(SIGKILL);
    return import.wait().code == -1;
  }

  // The server that it appends to is killed, and the import says so.
  bool kill_server() {
    Process server(test_.scratch(),
                   {"serve", "--product", test_.path("shop"), "--data", data("killed"), "--listen",
                    "127.0.0.1:0", "--http", "127.0.0.1:0", "--output", "json"});
    if (!server.wait_for_output("\n")) FAIL("not ready: " << server.wait().err);
    const auto address = Json::parse(server.out())["grpc"].get<std::string>();
    Process import(test_.scratch(), words({"--server", address}, "killed"));
    std::this_thread::sleep_for(std::chrono::milliseconds(dice_.between(10, 250)));
    server.signal(SIGKILL);
    server.wait();
    const Ended ended = import.wait();
    INFO(ended.err);
    const bool broken_off = ended.code == 1;
    CHECK((broken_off || ended.code == 3 || ended.code == 0));
    return broken_off;
  }

  Ended import_rest(const std::string& name) const {
    return kappa(words({"--data", data(name)}, name));
  }
  Dice& dice() { return dice_; }
  std::string data(const std::string& name) const { return test_.data(name); }
  std::string bad_lines(const std::string& name) const {
    return text_of_file(test_.path(name + ".bad"));
  }

 private:
  std::vector<std::string> words(std::vector<std::string> where, const std::string& name) const {
    std::vector<std::string> words = {"import",
                                      file_,
                                      "--topic",
                                      "t",
                                      "--create",
                                      "--partitions",
                                      "3",
                                      "--key",
                                      "card",
                                      "--timestamp",
                                      "sold_at_ms",
                                      "--bad",
                                      test_.path(name + ".bad"),
                                      "--id",
                                      "sales"};
    words.insert(words.end(), where.begin(), where.end());
    return words;
  }

  Dice dice_;
  const ImportTest test_;
  std::string file_;
};

}  // namespace

// KAPPA_KILLS kills at most (8), from the seed KAPPA_SEED_FIRST (another one each time).
TEST_CASE("an import broken off at random moments goes on without a record missing or doubled") {
  const auto now = static_cast<uint64_t>(SystemClock().now().ms);
  const uint64_t seed = number_from_environment("KAPPA_SEED_FIRST", now % 100'000);
  INFO("KAPPA_SEED_FIRST=" << seed);
  CrashTest test(seed);
  uint64_t kills = 0;
  bool broken_off = true;
  while (broken_off && kills < number_from_environment("KAPPA_KILLS", 8)) {
    broken_off = test.dice().one_in(3) ? test.kill_server() : test.kill_import();
    kills += broken_off ? 1 : 0;
  }
  INFO(kills << " kills");
  const Ended rest = test.import_rest("killed");
  INFO(rest.err);
  CHECK(rest.code == (broken_off ? kExitBadLines : kExitOk));
  const Ended whole = test.import_rest("whole");
  INFO(whole.err);
  CHECK(whole.code == kExitBadLines);

  const Records expected = records_of(test.data("whole"));
  CHECK(count(expected) == CrashTest::kLines - CrashTest::kLines / 1000);
  CHECK((records_of(test.data("killed")) == expected));
  CHECK(test.bad_lines("killed") == test.bad_lines("whole"));
}

}  // namespace kappa::cli
