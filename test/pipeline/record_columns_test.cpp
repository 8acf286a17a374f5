#include "engine/runtime/record_columns.h"

#include <catch2/catch.hpp>

#include "engine/log/embedded/embedded_log.h"
#include "engine/types/value.h"
#include "test/state/temporary_directory.h"

namespace kappa::runtime {
namespace {

using schemas::RecordColumn;

// Records of two partitions, in an epoch, as their columns show them.
class Records {
 public:
  Records() {
    auto log = log::open_embedded_log(directory_ / "log", {});
    REQUIRE(log.ok());
    log_ = *std::move(log);
    REQUIRE(log_->create_topic("t", {.partitions = 2}).ok());
    auto reader = OrderReader::open(*log_, {"t"}, {});
    REQUIRE(reader.ok());
    reader_.emplace(*std::move(reader));
  }

  void add(const RecordView& record, uint32_t partition) {
    places_.push_back(static_cast<uint32_t>(epoch_.size()));
    epoch_.add(&record, {&record.timestamp.ms, 1}, partition, 0);
  }

  std::vector<std::string> column(RecordColumn kind) {
    const Column column = record_column(kind, places_, epoch_, *reader_, arena_);
    std::vector<std::string> cells;
    for (size_t i = 0; i < column.rows(); ++i) cells.push_back(to_text(value_at(column, i)));
    return cells;
  }

 private:
  state::TemporaryDirectory directory_;
  std::unique_ptr<log::EmbeddedLog> log_;
  std::optional<OrderReader> reader_;
  Epoch epoch_{1, 1};
  std::vector<uint32_t> places_;
  Arena arena_;
};

using Cells = std::vector<std::string>;

RecordView record_at(int64_t timestamp_ms) {
  RecordView record;
  record.timestamp = LogTime{timestamp_ms};
  return record;
}

}  // namespace

TEST_CASE("a record's timestamp is NULL where it has none, and where no timestamptz holds it") {
  const RecordView records[] = {record_at(0),
                                record_at(1500),
                                record_at(-1),
                                record_at(-2),
                                record_at(253'402'300'799'999),
                                record_at(253'402'300'800'000),
                                record_at(-62'135'596'800'000),
                                record_at(-62'135'596'800'001)};
  Records epoch;
  for (const RecordView& record : records) epoch.add(record, 0);
  CHECK(epoch.column(RecordColumn::kTimestamp) ==
        Cells{"1970-01-01T00:00:00Z", "1970-01-01T00:00:01.5Z", "NULL", "1969-12-31T23:59:59.998Z",
              "9999-12-31T23:59:59.999Z", "NULL", "0001-01-01T00:00:00Z", "NULL"});
}

TEST_CASE("a key is NULL if there is none, or if it is longer than a bytea") {
  const std::string longest(kTextBytesMax + 1, 'x');
  RecordView records[4];
  records[1].key = "";
  records[2].key = "k\xff";
  records[2].key_size = 2;
  records[3].key = longest.data();
  records[3].key_size = kTextBytesMax + 1;
  Records epoch;
  for (const RecordView& record : records) epoch.add(record, 0);
  CHECK(epoch.column(RecordColumn::kKey) == Cells{"NULL", "\\x", "\\x6bff", "NULL"});
}

TEST_CASE("headers are NULL if there are none, or if their text is too long") {
  const std::string some = encode_headers({{"a", "1"}});
  const std::string none = encode_headers({});
  const std::string many = encode_headers({{"a", std::string(kTextBytesMax, 'x')}});
  RecordView records[4];
  const std::string* headers[] = {nullptr, &none, &some, &many};
  for (size_t i = 1; i < 4; ++i) {
    records[i].headers = headers[i]->data();
    records[i].headers_size = static_cast<uint32_t>(headers[i]->size());
  }
  Records epoch;
  for (const RecordView& record : records) epoch.add(record, 0);
  CHECK(epoch.column(RecordColumn::kHeaders) == Cells{"NULL", "NULL", R"({"a":"1"})", "NULL"});
}

TEST_CASE("a partition is the log's number, an offset the record's") {
  RecordView records[3];
  records[1].offset = Offset{7};
  records[2].offset = Offset{int64_t{1} << 40};
  Records epoch;
  epoch.add(records[0], 0);
  epoch.add(records[1], 1);
  epoch.add(records[2], 0);
  CHECK(epoch.column(RecordColumn::kPartition) == Cells{"0", "1", "0"});
  CHECK(epoch.column(RecordColumn::kOffset) == Cells{"0", "7", "1099511627776"});
}

}  // namespace kappa::runtime
