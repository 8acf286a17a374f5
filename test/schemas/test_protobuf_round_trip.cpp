// What is decoded and encoded again is the same message, byte by byte, as Google's library writes
// it.
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <google/protobuf/compiler/parser.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/timestamp.pb.h>

#include "engine/types/datetime.h"
#include "engine/types/decimal.h"
#include "schemas/decoder.h"
#include "schemas/encoder.h"
#include "test/schemas/payloads.h"

namespace kappa::schemas {
namespace {

namespace pb = google::protobuf;

// Each kind of field, without and with presence; the names of strings say what is in them.
constexpr const char* kProto = R"(syntax = "proto3";
package t;
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
message Every {
  bool a_bool = 1;
  int32 a_int32 = 2;
  int64 a_int64 = 3;
  uint32 a_uint32 = 4;
  uint64 a_uint64 = 5;
  sint32 a_sint32 = 6;
  sint64 a_sint64 = 7;
  fixed32 a_fixed32 = 8;
  fixed64 a_fixed64 = 9;
  sfixed32 a_sfixed32 = 10;
  sfixed64 a_sfixed64 = 11;
  float a_float = 12;
  double a_double = 13;
  string a_text = 14;
  bytes a_bytes = 15;
  Kind a_enum = 16;
  google.protobuf.Timestamp a_time = 17;
  google.protobuf.Duration a_span = 18;
  string numeric = 19;
  string date = 20;
  string interval = 21;
  int64 minor = 22;
  sint64 time_s = 23;
  int64 time_ms = 24;
  fixed64 time_ns = 25;
  int32 date_s = 26;
  optional bool o_bool = 31;
  optional int32 o_int32 = 32;
  optional uint64 o_uint64 = 33;
  optional sint64 o_sint64 = 34;
  optional fixed64 o_fixed64 = 35;
  optional float o_float = 36;
  optional double o_double = 37;
  optional string o_text = 38;
  optional bytes o_bytes = 39;
  optional Kind o_enum = 40;
  optional Kind o_number = 41;
  optional int64 o_minor = 42;
  oneof one { int32 one_int32 = 50; string one_text = 51; bytes one_bytes = 5000; }
}
enum Kind { ZERO = 0; ONE = 1; MINUS = -5; }
)";

SourceColumn column(std::string name, Type type, TimeUnit unit = TimeUnit::kNone) {
  SourceColumn made = column_of(std::move(name), type);
  made.unit = unit;
  made.minor_units = made.name.ends_with("minor");
  return made;
}

Source every() {
  Source source;
  source.name = source.topic = "every";
  source.format = Format::kProtobuf;
  source.proto_file = "every.proto";
  source.proto_message = "t.Every";
  const Type number = Type::numeric(12, 2);
  // Not in the order of the fields.
  source.columns = {column("one_bytes", Type::bytea()),
                    column("one_text", Type::text()),
                    column("one_int32", Type::integer()),
                    column("a_bool", Type::boolean()),
                    column("a_int32", Type::integer()),
                    column("a_int64", Type::bigint()),
                    column("a_uint32", Type::bigint()),
                    column("a_uint64", Type::bigint()),
                    column("a_sint32", Type::integer()),
                    column("a_sint64", Type::bigint()),
                    column("a_fixed32", Type::bigint()),
                    column("a_fixed64", Type::bigint()),
                    column("a_sfixed32", Type::bigint()),
                    column("a_sfixed64", Type::bigint()),
                    column("a_float", Type::double_precision()),
                    column("a_double", Type::double_precision()),
                    column("a_text", Type::text()),
                    column("a_bytes", Type::bytea()),
                    column("a_enum", Type::text()),
                    column("a_time", Type::timestamptz()),
                    column("a_span", Type::interval()),
                    column("numeric", Type::numeric(38, 3)),
                    column("date", Type::date()),
                    column("interval", Type::interval()),
                    column("minor", number),
                    column("time_s", Type::timestamptz(), TimeUnit::kSeconds),
                    column("time_ms", Type::timestamptz(), TimeUnit::kMillis),
                    column("time_ns", Type::timestamptz(), TimeUnit::kNanos),
                    column("date_s", Type::date(), TimeUnit::kSeconds),
                    column("o_bool", Type::boolean()),
                    column("o_int32", Type::integer()),
                    column("o_uint64", Type::bigint()),
                    column("o_sint64", Type::bigint()),
                    column("o_fixed64", Type::bigint()),
                    column("o_float", Type::double_precision()),
                    column("o_double", Type::double_precision()),
                    column("o_text", Type::text()),
                    column("o_bytes", Type::bytea()),
                    column("o_enum", Type::text()),
                    column("o_number", Type::integer()),
                    column("o_minor", Type::numeric(38, 0))};
  return source;
}

// Random messages of Google's library, with values that our columns can hold.
class Messages {
 public:
  explicit Messages(uint64_t seed) : pool_(pb::DescriptorPool::generated_pool()), random_(seed) {
    pb::Timestamp::descriptor();
    pb::Duration::descriptor();
    pb::io::ArrayInputStream stream(kProto, static_cast<int>(std::strlen(kProto)));
    pb::io::Tokenizer tokenizer(&stream, nullptr);
    pb::compiler::Parser parser;
    pb::FileDescriptorProto file;
    REQUIRE(parser.Parse(&tokenizer, &file));
    file.set_name("every.proto");
    REQUIRE(pool_.BuildFile(file) != nullptr);
    type_ = pool_.FindMessageTypeByName("t.Every");
    message_.reset(factory_.GetPrototype(type_)->New());
  }

  std::string next() {
    message_->Clear();
    for (int i = 0; i < type_->field_count(); ++i) {
      if (random_() % 3 != 0) fill(type_->field(i));
    }
    return message_->SerializeAsString();
  }

 private:
  // Of any length in bits, so that small and large ones come.
  uint64_t bits() { return random_() >> (random_() % 64); }
  int64_t whole() { return static_cast<int64_t>(bits() >> 1) * (random_() % 2 == 0 ? 1 : -1); }
  // Microseconds in the years 0001 to 9999.
  int64_t time_us() {
    const auto range = static_cast<uint64_t>(kEndTimestampUs - kFirstTimestampUs);
    return kFirstTimestampUs + static_cast<int64_t>(random_() % range);
  }

  std::string text_for(const std::string& name) {
    if (name == "numeric") return decimal_to_text(int128{whole()} * 1'000'003, 3);
    if (name == "date") return date_to_text(static_cast<int32_t>(time_us() / kMicrosPerDay));
    if (name == "interval") return interval_to_iso(whole());
    static const std::vector<std::string> texts = {"", "x", "gr\u00fc\u00df",
                                                   std::string(300, 'y')};
    return texts[random_() % texts.size()];
  }

  int64_t int64_for(const std::string& name) {
    if (name == "minor") return whole() % 1'000'000'000'000;
    if (name == "time_s") return time_us() / kMicrosPerSecond;
    if (name == "time_ms") return time_us() / kMicrosPerMilli;
    return whole();
  }

  void fill_seconds(const pb::FieldDescriptor* field) {
    pb::Message* inner = message_->GetReflection()->MutableMessage(message_.get(), field);
    const bool span = field->name() == "a_span";
    const int64_t us = span ? whole() / 1000 : time_us();
    int64_t seconds = us / kMicrosPerSecond;
    int64_t rest = us % kMicrosPerSecond;
    if (!span && rest < 0) {
      --seconds;
      rest += kMicrosPerSecond;
    }
    const auto* type = inner->GetDescriptor();
    inner->GetReflection()->SetInt64(inner, type->FindFieldByNumber(1), seconds);
    inner->GetReflection()->SetInt32(inner, type->FindFieldByNumber(2),
                                     static_cast<int32_t>(rest * 1000));
  }

  void fill(const pb::FieldDescriptor* field) {
    const pb::Reflection* to = message_->GetReflection();
    pb::Message* message = message_.get();
    const std::string& name = field->name();
    switch (field->cpp_type()) {
      case pb::FieldDescriptor::CPPTYPE_BOOL:
        return to->SetBool(message, field, random_() % 2 == 0);
      case pb::FieldDescriptor::CPPTYPE_INT32:
        if (name == "date_s")
          return to->SetInt32(message, field, (int32_t(whole()) % 20'000) * 86'400);
        return to->SetInt32(message, field, static_cast<int32_t>(whole()));
      case pb::FieldDescriptor::CPPTYPE_INT64:
        return to->SetInt64(message, field, int64_for(name));
      case pb::FieldDescriptor::CPPTYPE_UINT32:
        return to->SetUInt32(message, field, static_cast<uint32_t>(bits()));
      case pb::FieldDescriptor::CPPTYPE_UINT64:
        // time_ns: whole microseconds; the others within bigint.
        return to->SetUInt64(message, field,
                             name == "time_ns" ? (bits() >> 12) * 1000 : bits() >> 1);
      case pb::FieldDescriptor::CPPTYPE_FLOAT:
        return to->SetFloat(message, field, static_cast<float>(whole()) / 64);
      case pb::FieldDescriptor::CPPTYPE_DOUBLE:
        return to->SetDouble(message, field, static_cast<double>(whole()) / 1e5);
      case pb::FieldDescriptor::CPPTYPE_ENUM: {
        static const int kNumbers[] = {0, 1, -5, 77};
        return to->SetEnumValue(message, field, kNumbers[random_() % 4]);
      }
      case pb::FieldDescriptor::CPPTYPE_STRING:
        return to->SetString(message, field, text_for(name));
      case pb::FieldDescriptor::CPPTYPE_MESSAGE:
        return fill_seconds(field);
    }
  }

  pb::DescriptorPool pool_;
  pb::DynamicMessageFactory factory_;
  const pb::Descriptor* type_ = nullptr;
  std::unique_ptr<pb::Message> message_;
  std::mt19937_64 random_;
};

}  // namespace

TEST_CASE("what is decoded and encoded again is the message that Google's library wrote") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  Messages messages(seed);
  const Source source = every();
  const ProductFiles files = {{"every.proto", kProto}};
  const auto decoder = make_decoder(source, all_of(source), files);
  const auto encoder = make_encoder(source, files);
  INFO(decoder.status() << " " << encoder.status());
  REQUIRE((decoder.ok() && encoder.ok()));
  for (int i = 0; i < 5'000; ++i) {
    std::string payload = messages.next();
    Payloads payloads;
    payloads.add(payload);
    Arena arena;
    Decoded decoded;
    (*decoder)->decode(payloads.records(), arena, &decoded);
    if (!decoded.malformed.empty()) FAIL(decoded.malformed[0].reason);
    std::vector<ColumnRef> columns;
    for (Column& column : decoded.columns) {
      columns.push_back(std::make_shared<const Column>(std::move(column)));
    }
    std::string again;
    REQUIRE((*encoder)->encode(columns, 0, &again).ok());
    REQUIRE(again == payload);
  }
}

}  // namespace kappa::schemas
