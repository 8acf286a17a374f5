#include "engine/cli/scenario/record_line.h"

#include <catch2/catch.hpp>

namespace kappa::cli::scenario {
namespace {

std::string fault_of(const std::string& json) {
  const auto record = parse_record_line(json);
  return record.ok() ? "" : std::string(record.status().message());
}

}  // namespace

TEST_CASE("the fields of a record become its payload digit for digit") {
  const auto record = parse_record_line(
      R"({"@timestamp": 1000, "a": 12.50, "@key": "k", "b": {"c": ["}", "\"", 1e30]} , "d":null})");
  REQUIRE(record.ok());
  CHECK(*record->value == R"({"a":12.50,"b":{"c": ["}", "\"", 1e30]},"d":null})");
  CHECK(*record->key == "k");
  CHECK(record->timestamp->ms == 1000);
}

TEST_CASE("a record may be a tombstone, raw bytes or an empty object") {
  CHECK_FALSE(parse_record_line(R"({"@value": null})")->value);
  CHECK(*parse_record_line(R"({"@raw": "not JSON\n"})")->value == "not JSON\n");
  CHECK(*parse_record_line("{}")->value == "{}");
}

TEST_CASE("a key may be an object of key columns, headers are texts") {
  const auto record = parse_record_line(R"({"@key": {"id": 1, "a": "x"}, "@headers": {"h": "v"}})");
  REQUIRE(record.ok());
  CHECK(*record->key == R"({"id":1,"a":"x"})");
  CHECK(record->headers == RecordHeaders{{"h", "v"}});
}

TEST_CASE("a faulty record line says what would be right") {
  CHECK(fault_of("nonsense").find("expected one JSON object") == 0);
  CHECK(fault_of("[1]").find("expected one JSON object") == 0);
  CHECK(fault_of(R"({"@key": 1})") ==
        "@key: expected a text, or an object of the key columns, found 1");
  CHECK(fault_of(R"({"@timestamp": "noon"})").find("@timestamp: expected milliseconds") == 0);
  CHECK(fault_of(R"({"@value": 1})") == "@value: expected null, for a tombstone, found 1");
  CHECK(fault_of(R"({"@headers": {"h": 1}})").find("@headers: expected an object of texts") == 0);
  CHECK(fault_of(R"({"@kez": 1})").find("unknown field \"@kez\"") == 0);
  CHECK(fault_of(R"({"@raw": "x", "a": 1})").find("found more than one") != std::string::npos);
}

}  // namespace kappa::cli::scenario
