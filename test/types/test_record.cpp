#include <string>

#include <catch2/catch.hpp>

#include "engine/types/clock.h"
#include "engine/types/record.h"

namespace kappa {
namespace {

RecordView record_with(const std::string& headers) {
  RecordView record;
  record.headers = headers.data();
  record.headers_size = static_cast<uint32_t>(headers.size());
  return record;
}

}  // namespace

TEST_CASE("headers read back as they were written") {
  const RecordHeaders headers = {{"a", "1"},
                                 {"", ""},
                                 {"a", "again"},
                                 {"long", std::string(300, 'x')},
                                 {"bytes", {"\0\xff", 2}}};
  const std::string encoded = encode_headers(headers);
  CHECK(parse_headers(record_with(encoded)) == headers);
}

TEST_CASE("headers are laid out as Kafka's record format has them") {
  CHECK(encode_headers({}) == std::string("\0", 1));
  CHECK(encode_headers({{"k", "vv"}}) == std::string("\x02\x02k\x04vv", 6));
}

TEST_CASE("a null header value reads as empty") {
  const std::string encoded("\x02\x02k\x01", 4);  // length -1
  CHECK(parse_headers(record_with(encoded)) == RecordHeaders{{"k", ""}});
}

TEST_CASE("headers cut short yield those before the damage and read nothing beyond") {
  const RecordHeaders headers = {{"first", "1"}, {"second", "2"}};
  const std::string encoded = encode_headers(headers);
  for (size_t size = 0; size < encoded.size(); ++size) {
    const std::string cut = encoded.substr(0, size);
    const RecordHeaders parsed = parse_headers(record_with(cut));
    CHECK(parsed.size() == (size >= 9 ? 1 : 0));
  }
}

TEST_CASE("a record without headers has none") {
  CHECK(parse_headers(RecordView{}).empty());
}

TEST_CASE("null keys and payloads differ from empty ones") {
  RecordView record;
  CHECK_FALSE(record.key_view().has_value());
  CHECK_FALSE(record.value_view().has_value());
  record.key = "";
  record.value = "abc";
  record.value_size = 2;
  CHECK(record.key_view() == std::string_view());
  CHECK(record.value_view() == std::string_view("ab"));
}

TEST_CASE("a manual clock shows what it was set to, the system's moves on its own") {
  ManualClock manual(LogTime{5});
  CHECK(manual.now() == LogTime{5});
  manual.set(LogTime{4});
  CHECK(manual.now() == LogTime{4});
  CHECK(SystemClock().now() > LogTime{1'600'000'000'000});
}

}  // namespace kappa
