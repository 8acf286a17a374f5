#include <optional>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include "schemas/headers_json.h"

namespace kappa::schemas {
namespace {

using namespace std::string_literals;

// The headers as text, or "none".
std::string text_of(const std::string& encoded) {
  RecordView record;
  record.headers = encoded.data();
  record.headers_size = static_cast<uint32_t>(encoded.size());
  std::string out = "before ";
  if (append_headers_json(record, &out)) return out.substr(7);
  REQUIRE(out == "before ");
  return "none";
}
std::string text_of(const RecordHeaders& headers) {
  return text_of(encode_headers(headers));
}

// The header's value, "NULL", or the error.
std::string header(std::string_view text, std::string_view name) {
  const auto value = header_in_json(text, name);
  if (!value.ok()) return std::string(value.status().message());
  return *value ? **value : "NULL";
}

}  // namespace

TEST_CASE("headers are one JSON object in their order") {
  CHECK(text_of({{"b", "1"}, {"a", "2"}}) == R"({"b":"1","a":"2"})");
  CHECK(text_of({{"", ""}}) == R"({"":""})");
  CHECK(text_of({{"q\"", "a\\\n\x01"}}) == R"({"q\"":"a\\\n\u0001"})");
  CHECK(text_of({{"gr\u00f6\u00dfe", "\u00e4"}}) == "{\"gr\u00f6\u00dfe\":\"\u00e4\"}");
}

TEST_CASE("a record without headers has no text") {
  CHECK(text_of(RecordHeaders{}) == "none");
  CHECK(text_of("") == "none");
}

TEST_CASE("of headers of one name the last counts") {
  CHECK(text_of({{"a", "1"}, {"b", "2"}, {"a", "3"}}) == R"({"b":"2","a":"3"})");
  CHECK(text_of({{"a", "1"}, {"a", "1"}}) == R"({"a":"1"})");
}

TEST_CASE("headers that are no text are in base64") {
  CHECK(text_of({{"a", "\xff\x00"s}}) == R"({"a":"/wA="})");
  CHECK(text_of({{"a", "x\0"s}}) == R"({"a":"eAA="})");
  CHECK(text_of({{"\xff", "x"}}) == R"({"/w==":"x"})");
}

TEST_CASE("a header without a value is null") {
  // One header: its name has one byte, its value -1 of them.
  CHECK(text_of("\x02\x02k\x01"s) == R"({"k":null})");
  CHECK(header(R"({"k":null})", "k") == "NULL");
}

TEST_CASE("a header is found by its name in the text") {
  const std::string text = text_of({{"a", "1"}, {"q\"\n", "\u00e4\\"}, {"empty", ""}});
  CHECK(header(text, "a") == "1");
  CHECK(header(text, "q\"\n") == "\u00e4\\");
  CHECK(header(text, "empty").empty());
  CHECK(header(text, "b") == "NULL");
  CHECK(header("{}", "a") == "NULL");
  CHECK(header(R"( {"a" : "1", "a" : "2"} )", "a") == "2");
  CHECK(header(R"({"a":"1","a":null})", "a") == "NULL");
  CHECK(header(R"({"x":{"a":"1"},"y":[1,{"a":2}],"a":"3"})", "a") == "3");
}

TEST_CASE("a text that is no object of headers is refused") {
  const std::string expected = "expected a JSON object such as kafka_headers has, got ";
  CHECK(header("", "a").starts_with(expected));
  CHECK(header("[]", "a").starts_with(expected));
  CHECK(header("{\"a\":\"1\"", "a").starts_with(expected));
  CHECK(header("{\"a\":\"1\"} x", "a").starts_with(expected));
  CHECK(header("{a:1}", "a").starts_with(expected));
  CHECK(header("{\"a\":1}", "a") == "header \"a\" is no string in \"{\\\"a\\\":1}\"");
}

}  // namespace kappa::schemas
