// The decoder's own walk of the wire format against Google's parser.
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <google/protobuf/compiler/importer.h>
#include <google/protobuf/compiler/parser.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "schemas/decoder.h"
#include "test/schemas/payloads.h"
#include "test/schemas/wire.h"

namespace kappa::schemas {
namespace {

namespace pb = google::protobuf;

constexpr const char* kProto = R"(syntax = "proto3";
package t;
message Every {
  bool f1 = 1;
  int32 f2 = 2;
  int64 f3 = 3;
  uint32 f4 = 4;
  sint32 f5 = 5;
  sint64 f6 = 6;
  fixed32 f7 = 7;
  sfixed32 f8 = 8;
  sfixed64 f9 = 9;
  double f10 = 10;
  float f11 = 11;
  string f12 = 12;
  bytes f13 = 13;
  Kind f14 = 14;
  optional int64 f15 = 15;
  optional string f16 = 16;
  oneof one {
    int32 f17 = 17;
    string f18 = 18;
    int32 f19 = 19;
  }
  int64 f3000 = 3000;
}
enum Kind { A = 0; B = 1; C = -5; }
)";

// Google's parser with the same message.
class Oracle {
 public:
  Oracle() {
    pb::io::ArrayInputStream stream(kProto, static_cast<int>(std::strlen(kProto)));
    pb::io::Tokenizer tokenizer(&stream, nullptr);
    pb::compiler::Parser parser;
    pb::FileDescriptorProto file;
    REQUIRE(parser.Parse(&tokenizer, &file));
    file.set_name("every.proto");
    REQUIRE(pool_.BuildFile(file) != nullptr);
    descriptor_ = pool_.FindMessageTypeByName("t.Every");
    message_.reset(factory_.GetPrototype(descriptor_)->New());
  }

  bool parse(const std::string& payload) { return message_->ParseFromString(payload); }

  // The field as our cells show it.
  std::string cell(const SourceColumn& column) const {
    const pb::FieldDescriptor* field = descriptor_->FindFieldByName(column.field);
    const pb::Reflection* reflection = message_->GetReflection();
    if (field->has_presence() && !reflection->HasField(*message_, field)) return "NULL";
    switch (field->cpp_type()) {
      case pb::FieldDescriptor::CPPTYPE_BOOL:
        return reflection->GetBool(*message_, field) ? "true" : "false";
      case pb::FieldDescriptor::CPPTYPE_INT32:
        return std::to_string(reflection->GetInt32(*message_, field));
      case pb::FieldDescriptor::CPPTYPE_INT64:
        return std::to_string(reflection->GetInt64(*message_, field));
      case pb::FieldDescriptor::CPPTYPE_UINT32:
        return std::to_string(reflection->GetUInt32(*message_, field));
      case pb::FieldDescriptor::CPPTYPE_FLOAT:
        return to_text(Value::double_precision(reflection->GetFloat(*message_, field)));
      case pb::FieldDescriptor::CPPTYPE_DOUBLE:
        return to_text(Value::double_precision(reflection->GetDouble(*message_, field)));
      case pb::FieldDescriptor::CPPTYPE_ENUM: {
        const int number = reflection->GetEnumValue(*message_, field);
        const auto* value = field->enum_type()->FindValueByNumber(number);
        return value != nullptr ? value->name() : std::to_string(number);
      }
      default:
        return to_text({column.type, reflection->GetString(*message_, field)});
    }
  }

  const pb::Message& message() const { return *message_; }

 private:
  pb::DescriptorPool pool_;
  pb::DynamicMessageFactory factory_;
  const pb::Descriptor* descriptor_ = nullptr;
  std::unique_ptr<pb::Message> message_;
};

Source every_kind() {
  Source source;
  source.name = "every";
  source.format = Format::kProtobuf;
  source.proto_file = "every.proto";
  source.proto_message = "t.Every";
  source.columns = {column_of("f1", Type::boolean()),
                    column_of("f2", Type::integer()),
                    column_of("f3", Type::bigint()),
                    column_of("f4", Type::bigint()),
                    column_of("f5", Type::integer()),
                    column_of("f6", Type::bigint()),
                    column_of("f7", Type::bigint()),
                    column_of("f8", Type::integer()),
                    column_of("f9", Type::bigint()),
                    column_of("f10", Type::double_precision()),
                    column_of("f11", Type::double_precision()),
                    column_of("f12", Type::text()),
                    column_of("f13", Type::bytea()),
                    column_of("f14", Type::text()),
                    column_of("f15", Type::bigint()),
                    column_of("f16", Type::text()),
                    column_of("f17", Type::integer()),
                    column_of("f18", Type::text()),
                    column_of("f3000", Type::bigint())};
  return source;
}

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  std::string message() {
    std::string out;
    const size_t fields = below(25);
    for (size_t i = 0; i < fields; ++i) out += field();
    return out;
  }
  std::string mutated(std::string bytes) {
    for (size_t i = 0; i < 1 + below(2) && !bytes.empty(); ++i) {
      const size_t at = below(bytes.size());
      switch (below(4)) {
        case 0:
          bytes[at] = static_cast<char>(random_());
          break;
        case 1:
          bytes.insert(at, 1, static_cast<char>(random_()));
          break;
        case 2:
          bytes.erase(at, 1);
          break;
        default:
          bytes.resize(at);
          break;
      }
    }
    return bytes;
  }
  size_t below(size_t n) { return random_() % n; }

 private:
  std::string field() {
    static const uint32_t kVarints[] = {1, 2, 3, 4, 5, 6, 14, 15, 17, 19, 3000, 500, 7'000'000};
    switch (below(8)) {
      case 0:
        return fixed32_field(below(2) == 0 ? 7 : 8, static_cast<uint32_t>(random_()));
      case 1:
        return fixed32_field(11, static_cast<uint32_t>(random_()));
      case 2:
        return double_field(below(2) == 0 ? 9 : 10, number());
      case 3:
        return bytes_field(below(2) == 0 ? 13 : 700,
                           std::string(below(40), static_cast<char>(random_())));
      case 4: {
        static const uint32_t kTexts[] = {12, 16, 18};
        static const std::vector<std::string> texts = {"", "x", "gr\u00fc\u00df", "\xff",
                                                       "long enough to matter"};
        return bytes_field(kTexts[below(3)], texts[below(20) == 0 ? 3 : below(3)]);
      }
      default:
        return varint_field(kVarints[below(13)], random_() >> below(64));
    }
  }
  double number() { return static_cast<double>(random_()) / 1e5; }

  std::mt19937_64 random_;
};

// What Google's parser takes and we call malformed, by design: a declared field in another wire
// type (it files that under unknown fields), groups, and U+0000 in text.
bool differs_by_design(const std::string& reason, const std::string& payload) {
  return reason.find("wire type") != std::string::npos ||
         reason.find("a broken field") != std::string::npos ||
         payload.find('\0') != std::string::npos;
}

}  // namespace

TEST_CASE("our walk of protobuf messages agrees with Google's parser") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  pb::SetLogHandler(nullptr);  // it tells of each broken string
  Generator generator(seed);
  Oracle oracle;
  const Source source = every_kind();
  auto decoder = make_decoder(source, all_of(source), {{"every.proto", kProto}});
  INFO(decoder.status());
  REQUIRE(decoder.ok());
  size_t rows = 0;
  size_t refused_by_both = 0;
  for (int i = 0; i < 20'000; ++i) {
    const bool damaged = i % 2 == 1;
    std::string payload = generator.message();
    if (damaged) payload = generator.mutated(payload);
    if (!payload.empty() && payload.front() == '\0') continue;  // what begins like a frame
    Payloads payloads;
    payloads.add(payload);
    Arena arena;
    Decoded decoded;
    (*decoder)->decode(payloads.records(), arena, &decoded);
    const bool parsed = oracle.parse(payload);
    if (decoded.records.empty()) {
      const std::string& reason = decoded.malformed.at(0).reason;
      INFO(reason);
      if (parsed) REQUIRE((damaged && differs_by_design(reason, payload)));
      refused_by_both += parsed ? 0 : 1;
      continue;
    }
    REQUIRE(parsed);
    ++rows;
    for (size_t c = 0; c < source.columns.size(); ++c) {
      const std::string cell = to_text(value_at(decoded.columns[c], 0));
      INFO(source.columns[c].name);
      REQUIRE(cell == oracle.cell(source.columns[c]));
    }
  }
  CHECK(rows > 5000);
  CHECK(refused_by_both > 500);
}

}  // namespace kappa::schemas
