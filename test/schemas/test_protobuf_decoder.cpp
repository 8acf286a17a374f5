#include <cstring>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "schemas/decoder.h"
#include "test/schemas/payloads.h"
#include "test/schemas/wire.h"

namespace kappa::schemas {
namespace {

constexpr const char* kSalesProto = R"(syntax = "proto3";
package shop.v1;
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
import "common.proto";

message Sale {
  string id = 1;
  int64 amount_minor = 2;
  optional int32 quantity = 3;
  google.protobuf.Timestamp at = 4;
  google.protobuf.Duration took = 5;
  Channel channel = 6;
  string amount = 7;
  bytes image = 8;
  double weight = 9;
  bool paid = 10;
  int64 at_ms = 11;
  string day = 12;
  uint64 number = 13;
  repeated string tags = 14;
  common.Address address = 15;
  oneof kind {
    string store = 16;
    string site = 17;
  }
  sint32 change = 2000;
}

enum Channel {
  CHANNEL_UNKNOWN = 0;
  CHANNEL_STORE = 1;
}
)";

constexpr const char* kCommonProto = R"(syntax = "proto3";
package common;
message Address { string city = 1; }
)";

const ProductFiles& files() {
  static const ProductFiles product = {{"events/sales.proto", kSalesProto},
                                       {"events/common.proto", kCommonProto}};
  return product;
}

Source sales(std::vector<SourceColumn> columns) {
  Source source;
  source.name = source.topic = "sales";
  source.format = Format::kProtobuf;
  source.proto_file = "events/sales.proto";
  source.proto_message = "shop.v1.Sale";
  source.columns = std::move(columns);
  return source;
}

SourceColumn with_unit(SourceColumn column, TimeUnit unit) {
  column.unit = unit;
  return column;
}

SourceColumn with_minor_units(SourceColumn column) {
  column.minor_units = true;
  return column;
}

// The cell of the one column of a source, or the reason why there is none.
std::string cell(const Source& source, const std::string& payload) {
  auto decoder = make_decoder(source, {0}, files());
  INFO(decoder.status());
  REQUIRE(decoder.ok());
  Payloads payloads;
  payloads.add(payload);
  Arena arena;
  Decoded decoded;
  (*decoder)->decode(payloads.records(), arena, &decoded);
  if (!decoded.malformed.empty()) return decoded.malformed[0].reason;
  return row_of(decoded, 0)[0];
}

std::string cell(const SourceColumn& column, const std::string& payload) {
  return cell(sales({column}), payload);
}

std::string refused(const Source& source, const ProductFiles& product) {
  auto decoder = make_decoder(source, {}, product);
  REQUIRE_FALSE(decoder.ok());
  REQUIRE(decoder.status().code() == absl::StatusCode::kInvalidArgument);
  return std::string(decoder.status().message());
}

std::string refused(const SourceColumn& column) {
  return refused(sales({column}), files());
}

}  // namespace

TEST_CASE("protobuf strings, bytes, booleans and doubles are read as they are") {
  CHECK(cell(column_of("id", Type::text()), bytes_field(1, "gr\u00fc\u00df")) == "gr\u00fc\u00df");
  CHECK(cell(column_of("image", Type::bytea()), bytes_field(8, {"\0\xff", 2})) == "\\x00ff");
  CHECK(cell(column_of("paid", Type::boolean()), varint_field(10, 1)) == "true");
  CHECK(cell(column_of("weight", Type::double_precision()), double_field(9, 0.1)) == "0.1");
}

TEST_CASE("protobuf integers fit their column or are malformed") {
  CHECK(cell(column_of("quantity", Type::integer()), varint_field(3, 7)) == "7");
  CHECK(cell(column_of("quantity", Type::bigint()), varint_field(3, ~uint64_t{0})) == "-1");
  CHECK(cell(column_of("change", Type::integer()), varint_field(2000, 3)) == "-2");
  CHECK(cell(column_of("number", Type::bigint()), varint_field(13, uint64_t{1} << 40)) ==
        "1099511627776");
  CHECK(cell(column_of("number", Type::bigint()), varint_field(13, ~uint64_t{0})) ==
        "column number: expected a whole number from -9223372036854775808 to 9223372036854775807, "
        "got 18446744073709551615");
  CHECK(cell(column_of("amount_minor", Type::integer()), varint_field(2, uint64_t{1} << 31)) ==
        "column amount_minor: expected a whole number from -2147483648 to 2147483647, got "
        "2147483648");
}

TEST_CASE("protobuf numerics are minor units or strings, exactly") {
  const SourceColumn minor = with_minor_units(column_of("amount_minor", Type::numeric(12, 2)));
  CHECK(cell(minor, varint_field(2, 1250)) == "12.50");
  CHECK(cell(minor, varint_field(2, ~uint64_t{0})) == "-0.01");
  CHECK(cell(minor, varint_field(2, 1'000'000'000'000)) ==
        "column amount_minor: expected a number with at most 10 digits before and 2 after the "
        "point, got 1000000000000");
  CHECK(cell(column_of("amount", Type::numeric(12, 2)), bytes_field(7, "12.5")) == "12.50");
  CHECK(cell(column_of("amount", Type::numeric(38, 2)), bytes_field(7, "12.5")) == "12.50");
  CHECK(cell(column_of("amount", Type::numeric(12, 2)), bytes_field(7, "12.505")) ==
        "column amount: expected a number with at most 10 digits before and 2 after the point, "
        "got \"12.505\"");
}

TEST_CASE("protobuf times come as Timestamp or as an integer by unit") {
  const SourceColumn at = column_of("at", Type::timestamptz());
  CHECK(cell(at, bytes_field(4, varint_field(1, 1) + varint_field(2, 500'000'999))) ==
        "1970-01-01T00:00:01.5Z");
  CHECK(cell(at, bytes_field(4, "")) == "1970-01-01T00:00:00Z");
  CHECK(cell(at, bytes_field(4, varint_field(1, static_cast<uint64_t>(-1)) + varint_field(2, 1))) ==
        "1969-12-31T23:59:59Z");
  CHECK(cell(at, bytes_field(4, varint_field(1, 1)) + bytes_field(4, varint_field(2, 7000))) ==
        "1970-01-01T00:00:01.000007Z");
  CHECK(cell(at, bytes_field(4, varint_field(2, 1'000'000'000))) ==
        "column at: expected a time in the years 0001 to 9999, got seconds 0 and nanos 1000000000");
  CHECK(cell(at, bytes_field(4, varint_field(1, 253'402'300'800))).find("expected a time") !=
        std::string::npos);
  CHECK(cell(at, bytes_field(4, "\x08")).rfind("not a valid message shop.v1.Sale: ", 0) == 0);
  const SourceColumn ms = with_unit(column_of("at_ms", Type::timestamptz()), TimeUnit::kMillis);
  CHECK(cell(ms, varint_field(11, 1500)) == "1970-01-01T00:00:01.5Z");
  CHECK(cell(ms, varint_field(11, uint64_t{1} << 62)).find("expected a time") != std::string::npos);
}

TEST_CASE("protobuf dates and intervals are ISO strings, epochs or Durations") {
  CHECK(cell(column_of("day", Type::date()), bytes_field(12, "2015-07-15")) == "2015-07-15");
  CHECK(cell(column_of("day", Type::date()), bytes_field(12, "15.7.2015")) ==
        "column day: expected a date like 2018-04-01, got \"15.7.2015\"");
  CHECK(cell(with_unit(column_of("at_ms", Type::date()), TimeUnit::kMillis),
             varint_field(11, static_cast<uint64_t>(-1))) == "1969-12-31");
  const SourceColumn took = column_of("took", Type::interval());
  CHECK(cell(took, bytes_field(5, varint_field(1, 60) + varint_field(2, 500'000'000))) ==
        "00:01:00.5");
  CHECK(cell(took, bytes_field(5, varint_field(1, 1) + varint_field(2, static_cast<uint64_t>(-1))))
            .find("expected an interval") != std::string::npos);
  CHECK(cell(column_of("day", Type::interval()), bytes_field(12, "PT5M")) == "00:05:00");
}

TEST_CASE("protobuf enums are read as their name or number") {
  CHECK(cell(column_of("channel", Type::text()), varint_field(6, 1)) == "CHANNEL_STORE");
  CHECK(cell(column_of("channel", Type::text()), "") == "CHANNEL_UNKNOWN");
  CHECK(cell(column_of("channel", Type::text()), varint_field(6, 77)) == "77");
  CHECK(cell(column_of("channel", Type::integer()), varint_field(6, 1)) == "1");
}

TEST_CASE("an absent field is its default, or NULL if the message can tell") {
  CHECK(cell(column_of("id", Type::text()), "").empty());
  CHECK(cell(column_of("paid", Type::boolean()), "") == "false");
  CHECK(cell(column_of("weight", Type::double_precision()), "") == "0");
  CHECK(cell(with_unit(column_of("at_ms", Type::timestamptz()), TimeUnit::kMillis), "") ==
        "1970-01-01T00:00:00Z");
  CHECK(cell(column_of("quantity", Type::integer()), "") == "NULL");
  CHECK(cell(column_of("quantity", Type::integer()), varint_field(3, 0)) == "0");
  CHECK(cell(column_of("at", Type::timestamptz()), "") == "NULL");
  CHECK(cell(column_of("store", Type::text()), "") == "NULL");
  CHECK(cell(column_of("store", Type::text()), bytes_field(16, "")).empty());
  // Where a value is parsed from a string, the empty one means none.
  CHECK(cell(column_of("day", Type::date()), "") == "NULL");
  CHECK(cell(column_of("amount", Type::numeric(12, 2)), "") == "NULL");
  CHECK(cell(column_of("day", Type::date()), bytes_field(12, "")) == "NULL");
}

TEST_CASE("a required column of a protobuf source must be there") {
  SourceColumn quantity = column_of("quantity", Type::integer());
  quantity.not_null = true;
  CHECK(cell(quantity, "") ==
        "column quantity: field 3 is missing and must not be; expected a whole number from "
        "-2147483648 to 2147483647");
  Source source = sales({column_of("at", Type::timestamptz())});
  source.event_time = 0;
  CHECK(cell(source, "").rfind("column at: field 4 is missing", 0) == 0);
  CHECK(cell(source, bytes_field(4, varint_field(1, 1))) == "1970-01-01T00:00:01Z");
}

TEST_CASE("the last of several values wins, and undeclared fields are skipped") {
  const std::string unknown = varint_field(99, 5) + bytes_field(98, "x") + double_field(97, 1) +
                              fixed32_field(96, 1) + bytes_field(14, "tag") +
                              bytes_field(15, "not looked into") + varint_field(100'000, 1);
  CHECK(cell(column_of("id", Type::text()),
             bytes_field(1, "first") + unknown + bytes_field(1, "last") + unknown) == "last");
}

TEST_CASE("of a oneof only the last member counts, declared or not") {
  const SourceColumn store = column_of("store", Type::text());
  CHECK(cell(store, bytes_field(16, "a") + bytes_field(17, "b")) == "NULL");
  CHECK(cell(store, bytes_field(17, "b") + bytes_field(16, "a")) == "a");
  CHECK(cell(store, bytes_field(16, "a") + varint_field(17, 1)) == "a");
}

TEST_CASE("broken protobuf payloads are malformed with the place") {
  const SourceColumn id = column_of("id", Type::text());
  CHECK(cell(id, "\x0a") == "not a valid message shop.v1.Sale: a broken field 1 at byte 0");
  CHECK(cell(id, bytes_field(1, "x") + "\x0a\x05"
                                       "abc") ==
        "not a valid message shop.v1.Sale: a broken field 1 at byte 3");
  CHECK(cell(id, "\x80") == "not a valid message shop.v1.Sale: a broken field tag at byte 0");
  CHECK(cell(id, std::string("\1\0", 2)) ==
        "not a valid message shop.v1.Sale: a broken field tag at byte 0");
  CHECK(cell(id, tag(50, 0) + std::string(11, '\xff')) ==
        "not a valid message shop.v1.Sale: a broken field 50 at byte 0");
  for (const uint32_t type : {3u, 4u, 6u, 7u}) {
    CHECK(cell(id, tag(50, type)) ==
          "not a valid message shop.v1.Sale: a broken field 50 at byte 0");
  }
  CHECK(cell(id, varint_field(1, 5)) ==
        "column id: expected field 1 in wire type 2, got wire type 0");
  CHECK(cell(id, bytes_field(1, "\xff")) ==
        "column id: expected UTF-8 of at most 16 MiB, without the character U+0000, got "
        "\"\\xff\"");
  CHECK(cell(id, bytes_field(1, {"a\0b", 3})).find("U+0000") != std::string::npos);
  CHECK(cell(column_of("quantity", Type::integer()), tag(3, 0) + "\x80") ==
        "not a valid message shop.v1.Sale: a broken field 3 at byte 0");
}

TEST_CASE("a null payload is no protobuf message") {
  auto decoder = make_decoder(sales({column_of("id", Type::text())}), {0}, files());
  REQUIRE(decoder.ok());
  Payloads payloads;
  payloads.add_null();
  payloads.add("");
  Arena arena;
  Decoded decoded;
  (*decoder)->decode(payloads.records(), arena, &decoded);
  REQUIRE(decoded.malformed.size() == 1);
  CHECK(decoded.malformed[0].reason == "expected a message shop.v1.Sale, got a null payload");
  CHECK(decoded.records == std::vector<uint32_t>{1});
}

TEST_CASE("a protobuf column that nobody wants is checked all the same") {
  auto decoder = make_decoder(
      sales({column_of("id", Type::text()), column_of("day", Type::date())}), {0}, files());
  REQUIRE(decoder.ok());
  Payloads payloads;
  payloads.add(bytes_field(1, "good") + bytes_field(12, "2015-07-15"));
  payloads.add(bytes_field(1, "bad") + bytes_field(12, "x"));
  Arena arena;
  Decoded decoded;
  (*decoder)->decode(payloads.records(), arena, &decoded);
  CHECK(decoded.records == std::vector<uint32_t>{0});
  CHECK(decoded.malformed.size() == 1);
}

TEST_CASE("proto2 messages tell absence, require, and close their enums") {
  const ProductFiles product = {{"old.proto", R"(syntax = "proto2";
message Old {
  required string id = 1;
  optional int32 n = 2 [default = 5];
  optional Kind kind = 3;
}
enum Kind { KIND_A = 1; }
)"}};
  Source source = sales({column_of("id", Type::text()), column_of("n", Type::integer()),
                         column_of("kind", Type::text())});
  source.proto_file = "old.proto";
  source.proto_message = "Old";
  auto decoder = make_decoder(source, {0, 1, 2}, product);
  INFO(decoder.status());
  REQUIRE(decoder.ok());
  Payloads payloads;
  payloads.add(bytes_field(1, "x"));
  payloads.add(varint_field(2, 1));
  payloads.add(bytes_field(1, "y") + varint_field(3, 1) + varint_field(3, 9));
  Arena arena;
  Decoded decoded;
  (*decoder)->decode(payloads.records(), arena, &decoded);
  REQUIRE(decoded.records == std::vector<uint32_t>{0, 2});
  CHECK(row_of(decoded, 0) == std::vector<std::string>{"x", "NULL", "NULL"});
  CHECK(row_of(decoded, 1) == std::vector<std::string>{"y", "NULL", "KIND_A"});
  CHECK(decoded.malformed[0].reason.rfind("column id: field 1 is missing", 0) == 0);
}

TEST_CASE("a .proto that does not parse is refused with file, line and column") {
  ProductFiles product = files();
  product["events/sales.proto"] = "syntax = \"proto3\";\nmessage Sale {\n  strin id 1;\n}\n";
  CHECK(refused(sales({column_of("id", Type::text())}), product)
            .rfind("events/sales.proto:3:12: ", 0) == 0);
  product["events/sales.proto"] =
      "syntax = \"proto3\";\npackage shop.v1;\nmessage Sale {\n  Missing id = 1;\n}\n";
  CHECK(refused(sales({column_of("id", Type::text())}), product) ==
        "events/sales.proto:4:3: \"Missing\" is not defined.");
  product["events/sales.proto"] = "syntax = \"proto3\";\nimport \"gone.proto\";\n";
  const std::string reason = refused(sales({column_of("id", Type::text())}), product);
  INFO(reason);
  CHECK(reason.find("gone.proto") != std::string::npos);
}

TEST_CASE("a missing file, message or field is refused with the nearest name") {
  Source source = sales({column_of("id", Type::text())});
  source.proto_file = "events/sale.proto";
  CHECK(refused(source, files()) ==
        "source sales: there is no file events/sale.proto in the product; did you mean "
        "events/sales.proto?");
  source = sales({column_of("id", Type::text())});
  source.proto_message = "shop.v1.Sail";
  CHECK(refused(source, files()) ==
        "events/sales.proto: there is no message shop.v1.Sail; did you mean shop.v1.Sale?");
  CHECK(refused(column_of("quantiti", Type::integer())) ==
        "events/sales.proto:7:1: message shop.v1.Sale has no field quantiti for column quantiti; "
        "did you mean quantity?");
  CHECK(refused(column_of("zzzzzz", Type::integer())).find("; there are id, amount_minor") !=
        std::string::npos);
}

TEST_CASE("a field that a column cannot take is refused with what it takes") {
  CHECK(refused(column_of("id", Type::bigint())) ==
        "events/sales.proto:8:3: field id is of type string, but column id of type bigint takes "
        "integers and enums");
  CHECK(refused(column_of("tags", Type::text())) ==
        "events/sales.proto:21:3: field tags is repeated; column tags takes a single value");
  CHECK(refused(column_of("address", Type::text())) ==
        "events/sales.proto:22:3: field address is of type common.Address, but column address of "
        "type text takes string and enums");
  CHECK(refused(column_of("at_ms", Type::timestamptz()))
            .find("takes google.protobuf.Timestamp, or integers with the option unit") !=
        std::string::npos);
  CHECK(refused(column_of("amount_minor", Type::numeric(12, 2)))
            .find("takes string, or integers with the option minor_units") != std::string::npos);
  CHECK(refused(with_minor_units(column_of("amount", Type::numeric(12, 2))))
            .find("takes integers with the option minor_units") != std::string::npos);
  CHECK(refused(column_of("paid", Type::integer())).find("takes integers and enums") !=
        std::string::npos);
  CHECK(refused(column_of("id", Type::bytea())).find("takes bytes") != std::string::npos);
  CHECK(refused(column_of("amount_minor", Type::boolean())).find("takes bool") !=
        std::string::npos);
  CHECK(
      refused(column_of("amount_minor", Type::double_precision())).find("takes double and float") !=
      std::string::npos);
  CHECK(
      refused(column_of("amount_minor", Type::interval())).find("takes google.protobuf.Duration") !=
      std::string::npos);
}

}  // namespace kappa::schemas
