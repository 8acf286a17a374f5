#include <string>

#include <catch2/catch.hpp>

#include "schemas/decoder.h"
#include "schemas/source.h"
#include "test/schemas/payloads.h"

namespace kappa::schemas {
namespace {

Source sales() {
  Source source;
  source.name = "sales";
  source.topic = "sales.v1";
  source.columns = {column_of("id", Type::text()), column_of("at", Type::timestamptz()),
                    column_of("amount", Type::numeric(12, 2))};
  source.primary_key = {0};
  source.event_time = 1;
  return source;
}

std::string refused(const Source& source) {
  auto decoder = make_decoder(source, {}, {});
  REQUIRE_FALSE(decoder.ok());
  REQUIRE(decoder.status().code() == absl::StatusCode::kInvalidArgument);
  return std::string(decoder.status().message());
}

}  // namespace

TEST_CASE("a source is described with everything that decides its rows") {
  CHECK(describe(sales()) ==
        "source \"sales\" topic \"sales.v1\" format json (\"id\" text from \"id\", "
        "\"at\" timestamp with time zone from \"at\", \"amount\" numeric(12,2) from \"amount\") "
        "primary key (0) event time 1 out of orderness 0 max future 3600000000");
}

TEST_CASE("every change of a source changes its description") {
  const std::string original = describe(sales());
  std::vector<Source> others(17, sales());
  others[0].name = "x";
  others[1].topic = "x";
  others[2].format = Format::kProtobuf;
  others[3].columns[0].name = "x";
  others[4].columns[0].field = "x";
  others[5].columns[2].type = Type::numeric(12, 3);
  others[6].columns[0].not_null = true;
  others[7].columns[1].unit = TimeUnit::kMillis;
  others[8].columns[2].minor_units = true;
  others[9].primary_key = {0, 1};
  others[10].event_time.reset();
  others[11].out_of_orderness_us = 5;
  others[12].max_future_us = 5;
  others[13].idle_timeout_us = 5;
  others[14].columns.pop_back();
  others[15].columns[1].unit = TimeUnit::kNanos;
  others[16].upsert = true;
  for (size_t i = 0; i < others.size(); ++i) {
    INFO(i);
    CHECK(describe(others[i]) != original);
    for (size_t k = 0; k < i; ++k) CHECK(describe(others[i]) != describe(others[k]));
  }
  Source protobuf = sales();
  protobuf.format = Format::kProtobuf;
  protobuf.proto_file = "events/sales.proto";
  protobuf.proto_message = "shop.Sale";
  CHECK(describe(protobuf).find("format protobuf \"events/sales.proto\" message \"shop.Sale\"") !=
        std::string::npos);
}

TEST_CASE("names cannot forge a description") {
  Source source = sales();
  source.name = "sales\" topic \"x";
  CHECK(describe(source).rfind("source \"sales\\\" topic \\\"x\" topic \"sales.v1\"", 0) == 0);
}

TEST_CASE("a decoder is refused for options that its columns cannot have") {
  Source source = sales();
  SECTION("a unit on a column that is no time") {
    source.columns[2].unit = TimeUnit::kMillis;
    CHECK(refused(source) ==
          "source sales, column amount: the option unit is for timestamptz and date, not for "
          "numeric(12,2)");
  }
  SECTION("minor units in JSON") {
    source.columns[2].minor_units = true;
    CHECK(refused(source) ==
          "source sales, column amount: the option minor_units is for numeric columns of the "
          "format protobuf");
  }
  SECTION("two columns of one field") {
    source.columns[2].field = "id";
    CHECK(refused(source) == "source sales: columns id and amount both take the field id");
  }
  SECTION("a column without a type") {
    source.columns[0].type = Type::null();
    CHECK(refused(source) == "source sales, column id: needs a type");
  }
}

TEST_CASE("a JSON source needs no files") {
  CHECK(make_decoder(sales(), {0, 1, 2}, {}).ok());
}

}  // namespace kappa::schemas
