#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "test/cli/process.h"
#include "test/cli/scratch.h"

namespace kappa::cli {
namespace {

const std::string kFaulty =
    "CREATE FOREIGN TABLE t (a integer) SERVER log OPTIONS (topic 't', format 'json');\n"
    "CREATE MATERIALIZED VIEW v AS SELECT b FROM t;\n"
    "CREATE MATERIALIZED VIEW w AS SELECT a FROM u;\n";

bool mentions(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a sound product is counted") {
  const Ended ended = kappa({"validate", std::string(KAPPA_SOURCE_DIR) + "/schemas/playground"});
  INFO(ended.out);
  CHECK(ended.code == 0);
  CHECK(mentions(ended.out, "7 sources, "));
  CHECK(mentions(ended.out, "1 output)"));
}

TEST_CASE("every faulty statement is named with its place") {
  const Scratch scratch;
  scratch.file("shop/product.sql", kFaulty);
  const Ended ended = kappa({"validate", scratch.path("shop")});
  CHECK(ended.code == 1);
  CHECK(mentions(ended.out, "product.sql:2:38: error: "));
  CHECK(mentions(ended.out, "product.sql:3:"));
  CHECK(mentions(ended.out, "2 faulty statements"));
}

TEST_CASE("a lone SQL file can be checked, and the faults come as JSON") {
  const Scratch scratch;
  const Ended ended = kappa({"validate", "--output", "json", scratch.file("x.sql", kFaulty)});
  CHECK(ended.code == 1);
  const auto json = nlohmann::json::parse(ended.out);
  REQUIRE(json.size() == 1);
  CHECK(json[0]["ok"] == false);
  REQUIRE(json[0]["diagnostics"].size() == 2);
  CHECK(json[0]["diagnostics"][0]["line"] == 2);
  CHECK(json[0]["diagnostics"][0]["column"] == 38);
}

TEST_CASE("what is no product is refused with the reason") {
  const Scratch scratch;
  scratch.file("empty/README.md", "");
  scratch.file("Bad Name/product.sql", "");
  CHECK(mentions(kappa({"validate", scratch.path("empty")}).err, "it has no product.sql"));
  CHECK(mentions(kappa({"validate", scratch.path("none")}).err, "none"));
  CHECK(mentions(kappa({"validate", scratch.path("Bad Name")}).err, "names its product"));
  CHECK(kappa({"validate", scratch.path("none")}).code == 2);
}

TEST_CASE("kappa test prints a line a file and ends with 1 if one fails") {
  const Scratch scratch;
  const std::string good =
      scratch.file("good.slt", "statement error\nSELECT nothing FROM nowhere;\n");
  const std::string bad = scratch.file("bad.slt", "statemnt ok\nX;\n");
  Ended ended = kappa({"test", good});
  INFO(ended.out);
  CHECK(ended.code == 0);
  CHECK(mentions(ended.out, "1 passed, 0 failed\n"));
  ended = kappa({"test", scratch.directory()});
  CHECK(ended.code == 1);
  CHECK(mentions(ended.out, "bad.slt:1: unknown step \"statemnt\""));
  CHECK(mentions(ended.out, "1 passed, 1 failed\n"));
  const auto json =
      nlohmann::json::parse(kappa({"test", "--output", "json", scratch.directory()}).out);
  CHECK(json["failed"] == 1);
  CHECK(json["files"][0]["ok"] == false);
  CHECK(kappa({"test", scratch.path("none.slt")}).code == 2);
}

}  // namespace kappa::cli
