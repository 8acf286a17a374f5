#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "schemas/decoder.h"
#include "schemas/framing.h"
#include "test/schemas/payloads.h"
#include "test/schemas/wire.h"

namespace kappa::schemas {
namespace {

using namespace std::string_literals;

constexpr const char* kProto = R"(syntax = "proto3";
package shop;
message Other { string id = 1; }
message Outer {
  string id = 1;
  message First { string id = 1; }
  message Second {
    message Deep { string id = 1; }
    string id = 1;
  }
}
)";

const std::string kId = "\0\0\0\x01\x2c"s;  // schema 300
const std::string kGuid = "\x01" + "0123456789abcdef"s;

Source source_of(std::string message) {
  Source source;
  source.name = source.topic = "events";
  source.columns = {column_of("id", Type::text())};
  if (message.empty()) return source;
  source.format = Format::kProtobuf;
  source.proto_file = "events.proto";
  source.proto_message = std::move(message);
  return source;
}

// The id that the payload holds, or the reason why it is malformed.
std::string read(const Source& source, std::string_view payload,
                 const RecordHeaders& headers = {}) {
  auto decoder = make_decoder(source, {0}, {{"events.proto", kProto}});
  INFO(decoder.status());
  REQUIRE(decoder.ok());
  Payloads payloads;
  payloads.add(payload, headers);
  Arena arena;
  Decoded decoded;
  (*decoder)->decode(payloads.records(), arena, &decoded);
  if (!decoded.malformed.empty()) return decoded.malformed[0].reason;
  return row_of(decoded, 0)[0];
}

std::string json(std::string_view payload, const RecordHeaders& headers = {}) {
  return read(source_of(""), payload, headers);
}
std::string other(std::string_view payload, const RecordHeaders& headers = {}) {
  return read(source_of("shop.Other"), payload, headers);
}

const std::string kMessage = bytes_field(1, "x");

}  // namespace

TEST_CASE("a frame around JSON is stripped, and may come beside records without") {
  CHECK(json(kId + R"({"id":"a"})") == "a");
  CHECK(json(R"({"id":"a"})") == "a");
  CHECK(json("\0\xff\xff\xff\xff"s + R"( {"id":"a"} )") == "a");
  const Source source = source_of("");
  auto decoder = *make_decoder(source, {0}, {});
  Payloads payloads;
  // Long enough for the fast path to have learnt the shape.
  for (int i = 0; i < 100; ++i) {
    payloads.add((i % 3 == 0 ? kId : "") + "{\"id\":\"" + std::to_string(i) + "\"}");
  }
  Arena arena;
  Decoded decoded;
  decoder->decode(payloads.records(), arena, &decoded);
  REQUIRE(decoded.malformed.empty());
  for (size_t i = 0; i < 100; ++i) CHECK(row_of(decoded, i)[0] == std::to_string(i));
}

TEST_CASE("a frame of JSON that is cut off or empty is malformed") {
  CHECK(json("\0"s) == "Schema Registry frame: expected at least 5 bytes, got 1");
  CHECK(json("\0\0\0\1"s) == "Schema Registry frame: expected at least 5 bytes, got 4");
  CHECK(json(kId).starts_with("not valid JSON"));
  CHECK(json(kId + "[]").starts_with("expected a JSON object"));
  // One frame is stripped, not two.
  CHECK(json(kId + kId + R"({"id":"a"})").starts_with("not valid JSON"));
}

TEST_CASE("with the schema in the header the payload has no frame") {
  CHECK(json(R"({"id":"a"})", {{"__value_schema_id", kGuid}}) == "a");
  CHECK(json(kId + R"({"id":"a"})", {{"__value_schema_id", kGuid}}).starts_with("not valid JSON"));
  CHECK(json(kId + R"({"id":"a"})", {{"__key_schema_id", kGuid}}) == "a");
  CHECK(other(kMessage, {{"__value_schema_id", kGuid}}) == "x");
  CHECK(other(kMessage, {{"__value_schema_id", kGuid + "\0"s}}) == "x");
  CHECK(other(kMessage, {{"trace", "t"}, {"__value_schema_id", kGuid + "\2\0"s}}) == "x");
  CHECK(other(kMessage, {{"__value_schema_id", kId + "\0"s}}) == "x");
  CHECK(other(kMessage, {{"trace", "t"}}) == "x");
}

TEST_CASE("a header that is no schema's, or another message's, is malformed") {
  CHECK(other(kMessage, {{"__value_schema_id", ""}}) ==
        "header __value_schema_id: expected a byte 0x00 or 0x01 and the schema's id");
  CHECK(other(kMessage, {{"__value_schema_id", "300"}}) ==
        "header __value_schema_id: expected a byte 0x00 or 0x01 and the schema's id");
  CHECK(other(kMessage, {{"__value_schema_id", kGuid.substr(0, 16)}}) ==
        "header __value_schema_id: Schema Registry frame: expected at least 17 bytes, got 16");
  CHECK(other(kMessage, {{"__value_schema_id", kGuid + "\2\2"s}}) ==
        "Schema Registry frame: it is around message [1] of its schema; expected [0], which is "
        "shop.Other in the source's .proto");
}

TEST_CASE("a frame around a Protobuf message names the message by its place") {
  CHECK(other(kMessage) == "x");
  CHECK(other(kId + "\0"s + kMessage) == "x");
  CHECK(other(kId + "\2\0"s + kMessage) == "x");  // [0] at full length
  CHECK(other(kId + "\0"s) == "");                // a message without fields
  CHECK(read(source_of("shop.Outer"), kId + "\2\2"s + kMessage) == "x");
  CHECK(read(source_of("shop.Outer.First"), kId + "\4\2\0"s + kMessage) == "x");
  CHECK(read(source_of("shop.Outer.Second.Deep"), kId + "\6\2\2\0"s + kMessage) == "x");
}

TEST_CASE("a frame around another message than the declared one is malformed") {
  CHECK(other(kId + "\2\2"s + kMessage) ==
        "Schema Registry frame: it is around message [1] of its schema; expected [0], which is "
        "shop.Other in the source's .proto");
  CHECK(read(source_of("shop.Outer.Second"), kId + "\4\2\0"s + kMessage) ==
        "Schema Registry frame: it is around message [1, 0] of its schema; expected [1, 1], which "
        "is shop.Outer.Second in the source's .proto");
  CHECK(read(source_of("shop.Outer.Second"), kId + "\0"s + kMessage) ==
        "Schema Registry frame: it is around message [0] of its schema; expected [1, 1], which is "
        "shop.Outer.Second in the source's .proto");
}

TEST_CASE("a frame around a Protobuf message that is cut off or broken is malformed") {
  CHECK(other("\0"s) == "Schema Registry frame: expected at least 6 bytes, got 1");
  CHECK(other(kId) == "Schema Registry frame: expected at least 6 bytes, got 5");
  const std::string broken = "Schema Registry frame: its message indexes are broken";
  CHECK(other(kId + "\2"s) == broken);                      // one index, which is not there
  CHECK(other(kId + "\1\0"s + kMessage) == broken);         // a count of -1
  CHECK(other(kId + "\2\1"s + kMessage) == broken);         // an index of -1
  CHECK(other(kId + varint(uint64_t{1} << 60)) == broken);  // more than any schema has
  CHECK(other(kId + std::string(11, '\xff')) == broken);    // no varint
  CHECK(other(kId + "\0"s + "\x0a\x05").starts_with("not a valid message shop.Other"));
}

TEST_CASE("what a registry's client reads of a frame is what we read") {
  // As confluent-kafka-python writes them: SchemaId("PROTOBUF", 7, message_indexes=[1, 0]).
  CHECK(read(source_of("shop.Outer.First"), "\x00\x00\x00\x00\x07\x04\x02\x00\x0a\x01x"s) == "x");
  // An index of 64 takes two bytes as a zigzag varint.
  CHECK(other(kId + "\x02\x80\x01"s + kMessage) ==
        "Schema Registry frame: it is around message [64] of its schema; expected [0], which is "
        "shop.Other in the source's .proto");
}

}  // namespace kappa::schemas
