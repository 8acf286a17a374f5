// `kappa export`, run as a user runs it.

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <sstream>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <signal.h>

#include "absl/strings/str_cat.h"
#include "engine/cli/export/row_text.h"
#include "test/cli/process.h"
#include "test/cli/pty.h"
#include "test/cli/scratch.h"

namespace kappa::cli {
namespace {

using Json = nlohmann::ordered_json;

const std::string kProduct =
    "CREATE FOREIGN TABLE facts (id bigint, note text, amount numeric(20,4), at timestamptz,\n"
    "                            day date, ok boolean, share double precision, big bigint)\n"
    "SERVER log OPTIONS (topic 'facts', format 'json', event_time 'at');\n"
    "CREATE MATERIALIZED VIEW kept AS SELECT id, note, amount, at, day, ok, share, big FROM "
    "facts;\n"
    "CREATE MATERIALIZED VIEW minutes WITH (emit = 'final') AS SELECT window_start, count(*) AS n\n"
    "FROM tumble(facts, at, INTERVAL '1 minute') GROUP BY window_start;\n";

bool mentions(const std::string& text, const std::string& part) {
  INFO(text);
  INFO(part);
  return text.find(part) != std::string::npos;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// A product that is served, with records applied.
class ExportTest {
 public:
  explicit ExportTest(const std::string& records) {
    scratch_.file("shop/product.sql", kProduct);
    server_ = std::make_unique<Process>(
        scratch_.directory(),
        std::vector<std::string>{"serve", "--product", path("shop"), "--data", path("data"),
                                 "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"});
    if (!server_->wait_for_output("gRPC")) FAIL(server_->wait().err);
    const Ended produced = run({"produce", "facts"}, records);
    INFO(produced.err);
    REQUIRE(produced.code == 0);
    const std::string applied = absl::StrCat("count\n", lines_of(records).size(), "\n");
    while (run({"query", "SELECT count(*) FROM kept"}).out != applied) {
    }
  }

  void stop_serving() {
    server_->signal(SIGTERM);
    REQUIRE(server_->wait().code == 0);
  }
  Process& server() { return *server_; }
  std::string path(const std::string& name) const { return scratch_.path(name); }
  Ended run(std::vector<std::string> words, const std::string& input = "") const {
    words.push_back("--data");
    words.push_back(path("data"));
    return kappa(words, input);
  }
  // `kappa export VIEW …`; a test fails if that does.
  std::string exported(std::vector<std::string> words) const {
    words.insert(words.begin(), "export");
    const Ended ended = run(std::move(words));
    INFO(ended.err);
    REQUIRE(ended.code == 0);
    return ended.out;
  }
  std::vector<std::string> left_beside(const std::string& name) const {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(scratch_.directory())) {
      const std::string file = entry.path().filename();
      if (file.starts_with(name)) files.push_back(file);
    }
    return files;
  }

 private:
  Scratch scratch_;
  std::unique_ptr<Process> server_;
};

const std::string kOdd =
    "{\"id\": 1, \"note\": \"plain\", \"amount\": -12.5, \"at\": \"2024-05-01T10:00:00.25Z\", "
    "\"day\": \"2024-05-01\", \"ok\": true, \"share\": 0.1, \"big\": 9007199254740993}\n"
    "{\"id\": 2, \"note\": \"a, b\", \"at\": \"2024-05-01T10:00:00Z\", \"share\": 1e300}\n"
    "{\"id\": 3, \"note\": \"say \\\"hi\\\"\", \"at\": \"2024-05-01T10:00:00Z\"}\n"
    "{\"id\": 4, \"note\": \"two\\nlines\\r\\n\", \"at\": \"2024-05-01T10:00:00Z\"}\n"
    "{\"id\": 5, \"note\": \"\", \"at\": \"2024-05-01T10:00:00Z\"}\n"
    "{\"id\": 6, \"at\": \"2024-05-01T10:00:00Z\"}\n"
    "{\"id\": 7, \"note\": \" Zürich 北京 \", \"at\": \"2024-05-01T10:00:00Z\"}\n"
    "{\"id\": 8, \"note\": \"\\\\N\\ttab\", \"at\": \"2024-05-01T10:00:00Z\"}\n";

std::string many_facts(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    absl::StrAppend(&text, "{\"id\": ", i, ", \"note\": \"n", i % 7, "\", \"amount\": ", i,
                    ".5, \"at\": \"2024-05-01T10:00:00Z\"}\n");
  }
  return text;
}

}  // namespace

TEST_CASE("export writes CSV that tells NULL from the empty text and quotes what it must") {
  const ExportTest test(kOdd);
  const auto value = [&](const char* columns, int id) {
    return test.exported({"kept", "--columns", columns, "--where", absl::StrCat("id = ", id)});
  };
  CHECK(value("id,amount,at,day,ok,share,big,note", 1) ==
        "id,amount,at,day,ok,share,big,note\n"
        "1,-12.5000,2024-05-01T10:00:00.25Z,2024-05-01,true,0.1,9007199254740993,plain\n");
  CHECK(value("note,amount,ok,share", 2) == "note,amount,ok,share\n\"a, b\",,,1e+300\n");
  CHECK(value("note,id", 3) == "note,id\n\"say \"\"hi\"\"\",3\n");
  CHECK(value("note,id", 4) == "note,id\n\"two\nlines\r\n\",4\n");
  CHECK(value("note,id", 5) == "note,id\n\"\",5\n");
  CHECK(value("note,id", 6) == "note,id\n,6\n");
  CHECK(value("note,id", 7) == "note,id\n Zürich 北京 ,7\n");
  CHECK(value("note,id", 8) == "note,id\n\\N\ttab,8\n");
  CHECK(lines_of(test.exported({"kept", "--columns", "id"})).size() == 9);
}

TEST_CASE("names of columns are quoted in CSV as values are") {
  const RowText csv(ExportFormat::kCsv, {{"a,b", Type::text()}, {"c\"d", Type::bigint()}});
  CHECK(csv.head() == "\"a,b\",\"c\"\"d\"\n");
  const RowText json(ExportFormat::kNdjson, {{"a\"b", Type::text()}, {"c", Type::bigint()}});
  CHECK(json.head().empty());
  std::string text;
  json.append({Value::text("x"), Value::null(Type::bigint())}, &text);
  CHECK(text == "{\"a\\\"b\":\"x\",\"c\":null}\n");
}

TEST_CASE("export writes NDJSON with values as a query's JSON has them") {
  const ExportTest test(kOdd);
  std::map<int64_t, Json> exported;
  for (const std::string& line : lines_of(test.exported({"kept", "--format", "ndjson"}))) {
    const Json row = Json::parse(line);
    exported[row["id"].get<int64_t>()] = row;
  }
  const Json queried =
      Json::parse(test.run({"query", "--output", "json", "SELECT * FROM kept"}).out)["rows"];
  REQUIRE(queried.size() == 8);
  REQUIRE(exported.size() == 8);
  for (const Json& row : queried) CHECK(exported[row["id"].get<int64_t>()] == row);
  CHECK(exported[1]["big"] == "9007199254740993");
  CHECK(exported[6]["note"].is_null());
  CHECK(exported[5]["note"] == "");
}

TEST_CASE("export writes a file that is there once it is whole, and replaces none unasked") {
  const ExportTest test(kOdd);
  const std::string file = test.path("kept.ndjson");
  const Ended first = test.run({"export", "kept", "--file", file, "--output", "json"});
  INFO(first.err);
  REQUIRE(first.code == 0);
  const Json result = Json::parse(first.out);
  CHECK(result["view"] == "kept");
  CHECK(result["file"] == file);
  CHECK(result["rows"] == 8);
  CHECK(result["bytes"] == std::filesystem::file_size(file));
  CHECK(result["generation"] == 1);
  CHECK(result["place"]["facts"].is_array());
  CHECK(result["watermark"] == "2024-05-01T10:00:00.25Z");
  CHECK(lines_of(text_of_file(file)).size() == 8);
  CHECK(Json::parse(lines_of(text_of_file(file))[0]).is_object());  // by the file's name

  const Ended refused = test.run({"export", "kept", "--file", file});
  CHECK(refused.code == 2);
  CHECK(mentions(refused.err, "is there already; name another, or replace it with --force"));
  const Ended replaced = test.run(
      {"export", "kept", "--file", file, "--force", "--format", "csv", "--where", "false"});
  CHECK(replaced.code == 0);
  CHECK(replaced.out.empty());
  CHECK(mentions(replaced.err, "0 rows of kept, 35 bytes, as of generation 1 and watermark 2024"));
  CHECK(text_of_file(file) == "id,note,amount,at,day,ok,share,big\n");

  CHECK(test.run({"export", "kept", "--where", "1 / (id - 3) > 0", "--file", test.path("bad.csv")})
            .code == 1);
  CHECK(test.left_beside("bad.csv").empty());
  CHECK(test.left_beside("kept.ndjson").size() == 1);
  CHECK(test.run({"export", "kept", "--file", test.path("no/such/dir.csv")}).code == 2);
  CHECK(test.run({"export", "kept", "--force", "--file", test.path("shop")}).code == 2);
}

TEST_CASE("the result of an export to standard output is told beside it") {
  const ExportTest test(kOdd);
  const Ended ended = test.run({"export", "kept", "--columns", "id", "--output", "json"});
  CHECK(ended.code == 0);
  CHECK(lines_of(ended.out).size() == 9);
  const Json result = Json::parse(ended.err);
  CHECK(result["rows"] == 8);
  CHECK(result["bytes"] == ended.out.size());
  CHECK(result["file"].is_null());
  CHECK(result["waiting"].is_null());
  const Ended waiting = test.run({"export", "minutes"});
  CHECK(waiting.out == "window_start,n\n");
  CHECK(mentions(waiting.err, "minutes: 1 row waits until the watermark reaches"));
}

TEST_CASE(
    "on a terminal, an export to a file shows how far it is, one to the terminal its rows only") {
  const ExportTest test(kOdd);
  Terminal to_file(
      {"export", "kept", "--file", test.path("kept.csv"), "--data", test.path("data")});
  CHECK(to_file.wait_for("0 rows  "));
  CHECK(to_file.wait_for("8 rows of kept"));
  CHECK(to_file.wait() == 0);
  Terminal to_terminal({"export", "kept", "--columns", "id", "--data", test.path("data")});
  CHECK(to_terminal.wait_for("8 rows of kept"));
  CHECK(to_terminal.wait() == 0);
  CHECK_FALSE(mentions(to_terminal.shown(), " rows  "));
}

TEST_CASE("what is wrong with an export is named, and nothing is written") {
  const ExportTest test(kOdd);
  const auto fails = [&](std::vector<std::string> words, int code, const std::string& why) {
    words.insert(words.begin(), "export");
    const Ended ended = test.run(std::move(words));
    CHECK(ended.code == code);
    CHECK(ended.out.empty());
    CHECK(mentions(ended.err, why));
  };
  fails({"keptt"}, 1, "did you mean \"kept\"?");
  fails({"kept", "--columns", "id,note,amout"}, 1, "did you mean \"amount\"?");
  fails({"kept", "--where", "amount > 1\nAND nothing"}, 1, "where:2:5");
  fails({"kept", "--where", "1=1) ORDER BY id --"}, 1, "where:1:4: error: syntax error");
  fails({"kept", "--where", "true ORDER BY id"}, 1, "where:1:6: error: a condition is one");
  fails({"kept", "--product", "bank"}, 1, "bank");
  fails({"kept", "--format", "xml"}, 2, "csv or ndjson");
  fails({}, 2, "view");
}

TEST_CASE("a hundred thousand rows are exported, by a server and without one") {
  constexpr int kRows = 100'000;
  ExportTest test(many_facts(kRows));
  const auto check = [&] {
    std::set<std::string> rows;
    const std::vector<std::string> lines =
        lines_of(test.exported({"kept", "--columns", "id,amount,note"}));
    REQUIRE(lines.size() == kRows + 1);
    rows.insert(lines.begin() + 1, lines.end());
    CHECK(rows.size() == kRows);
    CHECK(rows.contains("99999,99999.5000,n4"));
    CHECK(lines_of(test.exported({"kept", "--where", "note = 'n0'"})).size() == kRows / 7 + 2);
  };
  check();
  test.stop_serving();
  CHECK(mentions(test.server().err(), "done kappa.v1.Query/Export by "));
  CHECK(mentions(test.server().err(), ": product shop, view kept, 100000 rows\n"));
  check();
}

}  // namespace kappa::cli
