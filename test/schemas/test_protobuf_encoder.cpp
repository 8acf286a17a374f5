#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/types/value.h"
#include "schemas/encoder.h"
#include "test/schemas/payloads.h"
#include "test/schemas/wire.h"

namespace kappa::schemas {
namespace {

constexpr const char* kProto = R"(syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
message Sale {
  string id = 1;
  optional string note = 2;
  int32 n = 3;
  uint32 natural = 4;
  sint64 change = 5;
  double weight = 6;
  float rough = 7;
  bool paid = 8;
  bytes image = 9;
  int64 cents = 10;
  string amount = 11;
  google.protobuf.Timestamp at = 12;
  int64 at_s = 13;
  int64 at_ns = 14;
  google.protobuf.Duration took = 15;
  string day = 16;
  int32 day_s = 17;
  Channel channel = 18;
  oneof place { string store = 19; string site = 20; }
  string span = 21;
  uint64 large = 22;
}
enum Channel { UNKNOWN = 0; STORE = 1; WEB = -2; }
)";

constexpr const char* kProto2 = R"(syntax = "proto2";
message Old {
  required int32 id = 1;
  optional Kind kind = 2;
  optional int32 n = 3 [default = 7];
}
enum Kind { A = 0; B = 5; }
)";

const ProductFiles& files() {
  static const ProductFiles product = {{"sale.proto", kProto}, {"old.proto", kProto2}};
  return product;
}

Source sink_of(std::vector<SourceColumn> columns) {
  Source sink;
  sink.name = sink.topic = "sales";
  sink.format = Format::kProtobuf;
  sink.proto_file = "sale.proto";
  sink.proto_message = "shop.Sale";
  sink.columns = std::move(columns);
  return sink;
}

Source old_sink_of(std::vector<SourceColumn> columns) {
  Source sink = sink_of(std::move(columns));
  sink.proto_file = "old.proto";
  sink.proto_message = "Old";
  return sink;
}

// The payload of a row, or why there is none.
std::string encoded(const Source& sink, const std::vector<Value>& row) {
  const auto encoder = make_encoder(sink, files());
  INFO(encoder.status());
  REQUIRE(encoder.ok());
  Arena arena;
  std::vector<ColumnRef> columns;
  for (const Value& value : row) {
    Column column(value.type);
    append_value(column, Value::null(value.type), arena);
    append_value(column, value, arena);
    columns.push_back(std::make_shared<const Column>(std::move(column)));
  }
  std::string out;
  const absl::Status status = (*encoder)->encode(columns, 1, &out);
  return status.ok() ? out : std::string(status.message());
}

std::string encoded(const std::string& field, const Value& value) {
  return encoded(sink_of({column_of(field, value.type)}), {value});
}

std::string with_unit(const std::string& field, const Value& value, TimeUnit unit) {
  SourceColumn column = column_of(field, value.type);
  column.unit = unit;
  return encoded(sink_of({column}), {value});
}

std::string in_minor_units(const std::string& field, const Value& value) {
  SourceColumn column = column_of(field, value.type);
  column.minor_units = true;
  return encoded(sink_of({column}), {value});
}

std::string refused(const Source& sink) {
  const auto encoder = make_encoder(sink, files());
  REQUIRE_FALSE(encoder.ok());
  REQUIRE(encoder.status().code() == absl::StatusCode::kInvalidArgument);
  return std::string(encoder.status().message());
}

std::string seconds(uint64_t seconds, uint64_t nanos) {
  return varint_field(1, seconds) + varint_field(2, nanos);
}

}  // namespace

TEST_CASE("a row is one protobuf message, its fields in the order of their numbers") {
  const Source sink = sink_of({column_of("n", Type::integer()), column_of("id", Type::text())});
  CHECK(encoded(sink, {Value::integer(-1), Value::text("a")}) ==
        bytes_field(1, "a") + varint_field(3, ~uint64_t{0}));
}

TEST_CASE("each type is written to protobuf by the type table") {
  CHECK(encoded("paid", Value::boolean(true)) == varint_field(8, 1));
  CHECK(encoded("change", Value::bigint(-3)) == varint_field(5, 5));
  CHECK(encoded("large", Value::bigint(300)) == varint_field(22, 300));
  CHECK(encoded("weight", Value::double_precision(0.1)) == double_field(6, 0.1));
  CHECK(encoded("rough", Value::double_precision(0.5)) == fixed32_field(7, 0x3f000000));
  CHECK(encoded("image", {Type::bytea(), std::string("\0\xff", 2)}) ==
        bytes_field(9, {"\0\xff", 2}));
  CHECK(encoded("amount", {Type::numeric(12, 2), int64_t{-1250}}) == bytes_field(11, "-12.50"));
  CHECK(in_minor_units("cents", {Type::numeric(12, 2), int64_t{1250}}) == varint_field(10, 1250));
  CHECK(encoded("at", Value::timestamptz(1'500'000)) == bytes_field(12, seconds(1, 500'000'000)));
  CHECK(encoded("at", Value::timestamptz(-1)) ==
        bytes_field(12, seconds(~uint64_t{0}, 999'999'000)));
  CHECK(encoded("day", {Type::date(), int32_t{1}}) == bytes_field(16, "1970-01-02"));
  CHECK(encoded("took", {Type::interval(), int64_t{1'500'000}}) ==
        bytes_field(15, seconds(1, 500'000'000)));
  CHECK(encoded("span", {Type::interval(), int64_t{300'000'000}}) == bytes_field(21, "PT5M"));
}

TEST_CASE("NULL is an absent field") {
  for (const char* field : {"id", "note", "channel", "store"}) {
    CHECK(encoded(field, Value::null(Type::text())).empty());
  }
  CHECK(encoded("at", Value::null(Type::timestamptz())).empty());
}

TEST_CASE("a default value is absent unless the message can tell it from none") {
  CHECK(encoded("id", Value::text("")).empty());
  CHECK(encoded("n", Value::integer(0)).empty());
  CHECK(encoded("weight", Value::double_precision(0)).empty());
  CHECK(encoded("weight", Value::double_precision(-0.0)) == double_field(6, -0.0));
  CHECK(encoded("channel", Value::text("UNKNOWN")).empty());
  CHECK(encoded("note", Value::text("")) == bytes_field(2, ""));
  CHECK(encoded("store", Value::text("")) == bytes_field(19, ""));
  CHECK(encoded("at", Value::timestamptz(0)) == bytes_field(12, ""));
}

TEST_CASE("times go by the unit of their column, rounded down") {
  CHECK(with_unit("at_s", Value::timestamptz(1'999'999), TimeUnit::kSeconds) ==
        varint_field(13, 1));
  CHECK(with_unit("at_s", Value::timestamptz(-1), TimeUnit::kSeconds) ==
        varint_field(13, ~uint64_t{0}));
  CHECK(with_unit("at_s", Value::timestamptz(1'999'999), TimeUnit::kMillis) ==
        varint_field(13, 1999));
  CHECK(with_unit("at_ns", Value::timestamptz(1), TimeUnit::kNanos) == varint_field(14, 1000));
  CHECK(with_unit("day_s", {Type::date(), int32_t{2}}, TimeUnit::kSeconds) ==
        varint_field(17, 2 * 86'400));
}

TEST_CASE("an enum is written by its name, or by the number of what has none") {
  CHECK(encoded("channel", Value::text("STORE")) == varint_field(18, 1));
  CHECK(encoded("channel", Value::text("WEB")) == varint_field(18, static_cast<uint64_t>(-2)));
  CHECK(encoded("channel", Value::text("17")) == varint_field(18, 17));
  CHECK(encoded("channel", Value::integer(17)) == varint_field(18, 17));
  CHECK(encoded("channel", Value::text("store")) ==
        "column channel: field 18 cannot hold \"store\"");
  CHECK(encoded("channel", Value::text("")) == "column channel: field 18 cannot hold \"\"");
}

TEST_CASE("a value beyond its field is an error of the row") {
  CHECK(encoded("n", Value::bigint(int64_t{1} << 31)) ==
        "column n: field 3 cannot hold \"2147483648\"");
  CHECK(encoded("natural", Value::integer(-1)) == "column natural: field 4 cannot hold \"-1\"");
  CHECK(encoded("natural", Value::bigint(int64_t{1} << 32)) ==
        "column natural: field 4 cannot hold \"4294967296\"");
  CHECK(encoded("large", Value::bigint(-1)) == "column large: field 22 cannot hold \"-1\"");
  CHECK(encoded("rough", Value::double_precision(1e300)) ==
        "column rough: field 7 cannot hold \"1e+300\"");
  CHECK(encoded("rough", Value::double_precision(std::numeric_limits<double>::infinity())) ==
        fixed32_field(7, 0x7f800000));
  CHECK(with_unit("at_ns", Value::timestamptz(int64_t{9'300'000'000'000'000}), TimeUnit::kNanos)
            .starts_with("column at_ns: field 14 cannot hold"));
  CHECK(with_unit("day_s", {Type::date(), int32_t{30'000}}, TimeUnit::kSeconds)
            .starts_with("column day_s: field 17 cannot hold"));
  CHECK(encoded("took", {Type::interval(), std::numeric_limits<int64_t>::max()})
            .starts_with("column took: field 15 cannot hold"));
  const int128 large = int128{10} * int128{1'000'000'000'000'000'000} * 1000;
  CHECK(in_minor_units("cents", {Type::numeric(38, 2), large})
            .starts_with("column cents: field 10 cannot hold"));
}

TEST_CASE("of a oneof only one column has a value") {
  const Source sink = sink_of({column_of("store", Type::text()), column_of("site", Type::text())});
  const Value null = Value::null(Type::text());
  CHECK(encoded(sink, {Value::text("s"), null}) == bytes_field(19, "s"));
  CHECK(encoded(sink, {null, Value::text("w")}) == bytes_field(20, "w"));
  CHECK(encoded(sink, {null, null}).empty());
  CHECK(encoded(sink, {Value::text("s"), Value::text("w")}) ==
        "columns store and site are of one oneof: only one of them can have a value, the other is "
        "NULL");
}

TEST_CASE("proto2: what is required is there, defaults are written, enums are closed") {
  const Source sink =
      old_sink_of({column_of("id", Type::integer()), column_of("n", Type::integer()),
                   column_of("kind", Type::text())});
  const Value null = Value::null(Type::integer());
  CHECK(encoded(sink, {Value::integer(0), Value::integer(0), Value::text("B")}) ==
        varint_field(1, 0) + varint_field(2, 5) + varint_field(3, 0));
  CHECK(encoded(sink, {null, null, Value::null(Type::text())}) ==
        "column id is NULL, but field 1 is required");
  CHECK(encoded(sink, {Value::integer(1), null, Value::text("3")}) ==
        "column kind: field 2 cannot hold \"3\"");
  CHECK(refused(old_sink_of({column_of("n", Type::integer())})) ==
        "old.proto:3:3: field id is required, and no column of sales fills it");
}

TEST_CASE("an encoder is refused for what its message lacks") {
  CHECK(refused(sink_of({column_of("nowhere", Type::text())}))
            .starts_with("sale.proto:5:1: message shop.Sale has no field nowhere"));
  CHECK(refused(sink_of({column_of("n", Type::text())}))
            .starts_with("sale.proto:8:3: field n is of type int32, but column n of type text"));
}

}  // namespace kappa::schemas
