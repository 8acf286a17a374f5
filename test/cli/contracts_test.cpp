// The contracts of the playground's sources, and that its records keep to them.
#include <map>
#include <set>
#include <string>

#include <catch2/catch.hpp>
#include <google/protobuf/compiler/importer.h>
#include <google/protobuf/descriptor_database.h>

#include "absl/strings/str_split.h"
#include "engine/cli/playground/shop.h"
#include "engine/cli/product_files.h"
#include "kappa/v1/contract.pb.h"
#include "test/cli/scratch.h"
#include "test/schemas/payloads.h"

namespace kappa::cli::playground {
namespace {

namespace pb = google::protobuf;

constexpr const char* kMessages[kTopics.size()] = {
    "Sale", "Click", "StockMovement", "CustomerChange", "ConsentChange", "Post", "SensorReading"};

class FirstError final : public pb::compiler::MultiFileErrorCollector {
 public:
  void AddError(const std::string& file, int line, int column,
                const std::string& message) override {
    FAIL(file << ":" << line + 1 << ":" << column + 1 << ": " << message);
  }
};

// The playground as it lies in the tree: its contracts, and the sources that its SQL declares.
class Product {
 public:
  Product()
      : files_(*read_product(KAPPA_SOURCE_DIR "/schemas/playground")),
        compiled_(sql::compile_product(files_.sql(), files_.protos())),
        known_(*pb::DescriptorPool::generated_pool()),
        from_tree_(&tree_, &known_),
        pool_(&from_tree_, from_tree_.GetValidationErrorCollector()) {
    REQUIRE(compiled_.ok());
    tree_.MapPath("", KAPPA_SOURCE_DIR "/schemas/playground");
    from_tree_.RecordErrorsTo(&errors_);
  }

  const pb::Descriptor& contract(Topic topic) const {
    const std::string path = std::string("events/") + kTopicNames[topic] + ".proto";
    REQUIRE(pool_.FindFileByName(path) != nullptr);
    const pb::Descriptor* message =
        pool_.FindMessageTypeByName(std::string("omnishop.playground.") + kMessages[topic]);
    REQUIRE(message != nullptr);
    REQUIRE(message->file()->name() == path);
    return *message;
  }

  const schemas::Source& source(Topic topic) const {
    for (const schemas::Source& source : compiled_.plan.sources) {
      if (source.topic == kTopicNames[topic]) return source;
    }
    FAIL("no source reads " << kTopicNames[topic]);
    return compiled_.plan.sources.front();
  }

  schemas::ProductFiles protos() const { return files_.protos(); }
  size_t proto_count() const { return protos().size(); }

 private:
  ProductFiles files_;
  sql::CompiledPlan compiled_;
  FirstError errors_;
  pb::compiler::DiskSourceTree tree_;
  pb::DescriptorPoolDatabase known_;
  pb::compiler::SourceTreeDescriptorDatabase from_tree_;
  pb::DescriptorPool pool_;
};

const v1::FieldContract& says(const pb::FieldDescriptor& field) {
  return field.options().GetExtension(v1::field);
}

// The names of the fields of which the contract says something.
template <typename Says>
std::set<std::string> fields_that(const pb::Descriptor& contract, const Says& what) {
  std::set<std::string> names;
  for (int i = 0; i < contract.field_count(); ++i) {
    if (what(says(*contract.field(i)))) names.insert(contract.field(i)->name());
  }
  return names;
}

// Whether a field of that name tells of a person: a part of it is one of these words, or it is the
// id of somebody.
bool sounds_personal(const std::string& name) {
  static const std::set<std::string> kParts = {"name", "email", "phone", "address", "ip"};
  static const std::set<std::string> kIds = {"customer_id", "card_id", "author_id"};
  for (const auto part : absl::StrSplit(name, '_')) {
    if (kParts.count(std::string(part)) != 0) return true;
  }
  return kIds.count(name) != 0;
}

}  // namespace

TEST_CASE("every topic of the playground has a contract, and no other has") {
  const Product product;
  CHECK(product.proto_count() == kTopics.size());
  for (const Topic topic : kTopics) CHECK(product.contract(topic).field_count() > 0);
}

TEST_CASE("a contract names one event time and a key, those of its source") {
  const Product product;
  for (const Topic topic : kTopics) {
    INFO(kTopicNames[topic]);
    const pb::Descriptor& contract = product.contract(topic);
    const schemas::Source& source = product.source(topic);
    const auto times = fields_that(contract, [](const auto& says) { return says.event_time(); });
    const auto keys = fields_that(contract, [](const auto& says) { return says.key(); });
    REQUIRE(times.size() == 1);
    REQUIRE(!keys.empty());
    REQUIRE(source.event_time.has_value());
    const auto column = [&](int index) { return source.columns[static_cast<size_t>(index)].field; };
    CHECK(*times.begin() == column(*source.event_time));
    std::set<std::string> primary_key;
    for (const int index : source.primary_key) primary_key.insert(column(index));
    CHECK(keys == primary_key);
  }
}

TEST_CASE("a source's columns are the fields of its contract") {
  const Product product;
  for (const Topic topic : kTopics) {
    INFO(kTopicNames[topic]);
    const auto fields = fields_that(product.contract(topic), [](const auto&) { return true; });
    std::set<std::string> columns;
    for (const schemas::SourceColumn& column : product.source(topic).columns) {
      columns.insert(column.field);
    }
    CHECK(columns == fields);
  }
}

TEST_CASE("fields that tell of a person are tagged as personal data") {
  const Product product;
  size_t personal = 0;
  for (const Topic topic : kTopics) {
    const pb::Descriptor& contract = product.contract(topic);
    for (int i = 0; i < contract.field_count(); ++i) {
      INFO(contract.field(i)->full_name());
      CHECK(says(*contract.field(i)).personal() == sounds_personal(contract.field(i)->name()));
      personal += says(*contract.field(i)).personal() ? 1 : 0;
    }
  }
  CHECK(personal == 12);
}

TEST_CASE("every record of the shop decodes, and fills every column") {
  const Product product;
  const Scratch scratch;
  Schedule schedule = *Schedule::open(scratch.path("s.json"), 1);
  REQUIRE(schedule.begin_run(EventTime{1'714'557'600'000'000}, 2000, ByPartition{}).ok());
  const Shop shop(schedule);
  for (const Topic topic : kTopics) {
    INFO(kTopicNames[topic]);
    const schemas::Source& source = product.source(topic);
    schemas::Payloads payloads;
    for (int32_t partition = 0; partition < kPartitions; ++partition) {
      for (int64_t offset = 0; offset < 2000; ++offset) {
        payloads.add(shop.record(topic, partition, offset).value);
      }
    }
    const auto decoder = schemas::make_decoder(source, schemas::all_of(source), product.protos());
    REQUIRE(decoder.ok());
    Arena arena;
    schemas::Decoded decoded;
    (*decoder)->decode(payloads.records(), arena, &decoded);
    for (const schemas::Malformed& malformed : decoded.malformed) FAIL(malformed.reason);
    REQUIRE(decoded.records.size() == payloads.records().size());
    for (size_t c = 0; c < source.columns.size(); ++c) {
      INFO(source.columns[c].name);
      std::set<std::string> values;
      for (size_t row = 0; row < 2000; ++row) {
        values.insert(to_text(value_at(decoded.columns[c], row)));
      }
      CHECK(values.size() > 1);
    }
  }
}

TEST_CASE("goods go out of stock only where they came in") {
  const Product product;
  const Scratch scratch;
  Schedule schedule = *Schedule::open(scratch.path("s.json"), 1);
  REQUIRE(schedule.begin_run(EventTime{1'714'557'600'000'000}, 2000, ByPartition{}).ok());
  const Shop shop(schedule);
  const schemas::Source& source = product.source(kStock);
  schemas::Payloads payloads;
  for (int64_t offset = 0; offset < 8000; ++offset) {
    payloads.add(shop.record(kStock, 1, offset).value);
  }
  const auto decoder = schemas::make_decoder(source, {2, 3, 5}, product.protos());
  REQUIRE(decoder.ok());
  Arena arena;
  schemas::Decoded decoded;
  (*decoder)->decode(payloads.records(), arena, &decoded);
  std::map<std::string, int64_t> on_hand;
  int64_t out = 0;
  for (size_t row = 0; row < decoded.records.size(); ++row) {
    const std::string goods = to_text(value_at(decoded.columns[0], row)) + " " +
                              to_text(value_at(decoded.columns[1], row));
    const int64_t delta = std::stoll(to_text(value_at(decoded.columns[2], row)));
    on_hand[goods] += delta;
    if (delta < 0) out -= delta;
  }
  CHECK(out > 5000);
  size_t below_zero = 0;
  for (const auto& [goods, sum] : on_hand) below_zero += sum < 0 ? 1 : 0;
  // A receipt may be replaced by a record that comes twice.
  CHECK(below_zero * 50 < on_hand.size());
}

}  // namespace kappa::cli::playground
