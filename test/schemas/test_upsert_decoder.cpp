#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "schemas/decoder.h"
#include "test/schemas/payloads.h"

namespace kappa::schemas {
namespace {

using Lines = std::vector<std::string>;

// `units` by (sku, store), in that order of the key; the sku is called "code" on the wire.
Source stock() {
  Source source;
  source.name = source.topic = "stock";
  source.columns = {column_of("store", Type::integer()), column_of("units", Type::bigint()),
                    column_of("sku", Type::text())};
  source.columns[2].field = "code";
  source.primary_key = {2, 0};
  for (const int column : source.primary_key) {
    source.columns[static_cast<size_t>(column)].not_null = true;
  }
  source.upsert = true;
  return source;
}

Source customers() {
  Source source;
  source.name = source.topic = "customers";
  source.columns = {column_of("id", Type::text()), column_of("age", Type::integer())};
  source.primary_key = {0};
  source.upsert = true;
  return source;
}

// A record: a key, and a value unless it deletes; "-" is none of either.
struct Keyed {
  std::string key;
  std::string value;
};

// The rows as "+ 1 | 2", in the order of their records, and what is malformed as "! reason".
Lines decode(const Source& source, const std::vector<int>& wanted,
             const std::vector<Keyed>& records) {
  Payloads payloads;
  for (const Keyed& record : records) {
    if (record.value == "-") {
      payloads.add_null();
    } else {
      payloads.add(record.value);
    }
  }
  std::vector<RecordView> views = payloads.records();
  for (size_t i = 0; i < records.size(); ++i) {
    if (records[i].key == "-") continue;
    views[i].key = records[i].key.data();
    views[i].key_size = static_cast<uint32_t>(records[i].key.size());
  }
  auto decoder = make_decoder(source, wanted, {});
  REQUIRE(decoder.ok());
  Arena arena;
  Decoded decoded;
  (*decoder)->decode(views, arena, &decoded);
  Lines lines(records.size());
  for (size_t row = 0; row < decoded.records.size(); ++row) {
    std::string& line = lines[decoded.records[row]];
    line = decoded.signs.empty() || decoded.signs[row] > 0 ? "+" : "-";
    for (const std::string& cell : row_of(decoded, row)) line += " " + cell;
  }
  for (const Malformed& malformed : decoded.malformed) {
    lines[malformed.record] = "! " + malformed.reason;
  }
  return lines;
}

}  // namespace

TEST_CASE("a record without a value deletes the row of its key, in the order of the records") {
  CHECK(decode(stock(), {0, 1, 2},
               {{R"({"code":"a","store":1})", "-"},
                {"ignored", R"({"code":"a","store":1,"units":5})"},
                {R"({"store":2,"code":"b"})", "-"},
                {"-", R"({"code":"b","store":2,"units":null})"}}) ==
        Lines{"- 1 NULL a", "+ 1 5 a", "- 2 NULL b", "+ 2 NULL b"});
  CHECK(decode(customers(), {0, 1}, {{"c1", R"({"id":"c1","age":7})"}, {"", "-"}, {"c\"1", "-"}}) ==
        Lines{"+ c1 7", "-  NULL", "- c\"1 NULL"});
}

TEST_CASE("columns that nobody wants are not there, whichever they are") {
  CHECK(decode(stock(), {1}, {{R"({"code":"a","store":1})", "-"}}) == Lines{"- NULL"});
  CHECK(decode(stock(), {2}, {{R"({"code":"a","store":1})", "-"}}) == Lines{"- a"});
  CHECK(decode(stock(), {}, {{R"({"code":"a","store":1})", "-"}}) == Lines{"-"});
}

TEST_CASE("a key that is none of the source's is malformed") {
  const std::string none = "! expected a key: a record without a value deletes the row of its key";
  const std::string begin = "! the key of a record without a value: ";
  CHECK(decode(stock(), {0, 1, 2}, {{"-", "-"}}) == Lines{none});
  CHECK(decode(customers(), {0, 1}, {{"-", "-"}}) == Lines{none});
  const std::vector<std::pair<std::string, std::string>> keys = {
      {"", "not valid JSON"},
      {"a", "not valid JSON"},
      {R"({"code":"a"})", "column store"},
      {R"({"code":"a","store":null})", "column store"},
      {R"({"code":"a","store":"x"})", "column store"},
  };
  for (const auto& [key, reason] : keys) {
    INFO(key);
    const Lines lines =
        decode(stock(), {0, 1, 2}, {{key, "-"}, {"-", R"({"code":"z","store":3})"}});
    CHECK(lines[0].starts_with(begin));
    CHECK_THAT(lines[0], Catch::Contains(reason));
    CHECK(lines[1] == "+ 3 NULL z");
  }
  for (const std::string& key : {std::string("\xff"), std::string("a\0b", 3)}) {
    CHECK(decode(customers(), {0, 1}, {{key, "-"}}) ==
          Lines{"! the key of a record without a value is no text"});
  }
}

}  // namespace kappa::schemas
