// How fast are records turned into columns? Nexmark bids, seven columns declared, four wanted, from
// memory: by learnt shape, which is what is reported, and beside it by the slow path alone and from
// Protobuf.
#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "bench/bench.h"
#include "bench/nexmark.h"
#include "engine/types/status_macros.h"
#include "schemas/json_decoder.h"

namespace kappa::bench {
namespace {

using schemas::Decoded;
using schemas::Decoder;
using schemas::Source;

// Different records in memory; more are the same ones again. 100 MB of JSON outgrow every cache.
constexpr int64_t kRecordsInMemory = 500'000;
constexpr size_t kBatchRecords = 4096;
// Stands for what precedes a record in a log segment.
constexpr size_t kGapBytes = 16;

constexpr const char* kProto = R"(syntax = "proto3";
message Bid {
  int64 auction = 1;
  int64 bidder = 2;
  int64 price = 3;
  string channel = 4;
  string url = 5;
  int64 date_time = 6;
  string extra = 7;
}
)";

Source bids(schemas::Format format) {
  Source source;
  source.name = source.topic = "bid";
  source.format = format;
  source.proto_file = "bid.proto";
  source.proto_message = "Bid";
  const auto add_column = [&](const char* name, Type type) {
    schemas::SourceColumn column;
    column.name = column.field = name;
    column.type = type;
    source.columns.push_back(column);
  };
  add_column("auction", Type::bigint());
  add_column("bidder", Type::bigint());
  add_column("price", Type::bigint());
  add_column("channel", Type::text());
  add_column("url", Type::text());
  add_column("date_time", Type::timestamptz());
  add_column("extra", Type::text());
  source.columns[5].unit = schemas::TimeUnit::kMillis;
  source.event_time = 5;
  return source;
}

const std::vector<int> kWanted = {0, 1, 2, 5};

// Payloads one after another in one buffer, as a log's block holds them.
class Corpus {
 public:
  explicit Corpus(size_t records) { ends_.reserve(records); }

  void add(const std::string& payload) {
    bytes_.append(kGapBytes, '\0');
    begins_.push_back(bytes_.size());
    bytes_ += payload;
    ends_.push_back(bytes_.size());
  }
  std::vector<RecordView> records() {
    bytes_.append(kRecordPadding, '\0');
    std::vector<RecordView> records(ends_.size());
    for (size_t i = 0; i < ends_.size(); ++i) {
      records[i].value = bytes_.data() + begins_[i];
      records[i].value_size = static_cast<uint32_t>(ends_[i] - begins_[i]);
    }
    return records;
  }
  double bytes_per_record() const {
    return static_cast<double>(bytes_.size()) / static_cast<double>(ends_.size()) - kGapBytes;
  }

 private:
  std::string bytes_;
  std::vector<size_t> begins_;
  std::vector<size_t> ends_;
};

void append_varint(uint64_t value, std::string* out) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<char>((value & 0x7f) | 0x80));
  out->push_back(static_cast<char>(value));
}

void append_integer_field(uint32_t number, int64_t value, std::string* out) {
  append_varint(number << 3, out);
  append_varint(static_cast<uint64_t>(value), out);
}

void append_text_field(uint32_t number, const std::string& text, std::string* out) {
  append_varint(number << 3 | 2, out);
  append_varint(text.size(), out);
  *out += text;
}

std::string protobuf_of(const Bid& bid) {
  std::string out;
  append_integer_field(1, bid.auction, &out);
  append_integer_field(2, bid.bidder, &out);
  append_integer_field(3, bid.price, &out);
  append_text_field(4, "channel-" + std::to_string(bid.channel), &out);
  append_text_field(5, "https://www.nexmark.com/item.htm?query=1", &out);
  append_integer_field(6, bid.date_time_us / 1000, &out);
  append_text_field(7, std::string(40, 'x'), &out);
  return out;
}

// What the decoded columns must add up to.
struct Sums {
  int64_t records = 0;
  int64_t auction = 0;
  int64_t bidder = 0;
  int64_t price = 0;
  int64_t date_time_us = 0;
  bool operator==(const Sums&) const = default;
};

int64_t sum_of(const Column& column) {
  int64_t sum = 0;
  for (const int64_t value : column.values<int64_t>()) sum += value % 1'000'003;
  return sum;
}

Sums expected_sums(int64_t records) {
  Sums sums;
  for (int64_t i = 0; i < records; ++i) {
    const Bid bid = nexmark_bid(i, {});
    ++sums.records;
    sums.auction += bid.auction % 1'000'003;
    sums.bidder += bid.bidder % 1'000'003;
    sums.price += bid.price % 1'000'003;
    sums.date_time_us += bid.date_time_us / 1000 * 1000 % 1'000'003;
  }
  return sums;
}

Sums decoded_sums(Decoder& decoder, std::span<const RecordView> records) {
  Sums sums;
  Decoded decoded;
  Arena arena;
  for (size_t at = 0; at < records.size(); at += kBatchRecords) {
    decoder.decode(records.subspan(at, std::min(kBatchRecords, records.size() - at)), arena,
                   &decoded);
    sums.records += static_cast<int64_t>(decoded.records.size());
    sums.auction += sum_of(decoded.columns[0]);
    sums.bidder += sum_of(decoded.columns[1]);
    sums.price += sum_of(decoded.columns[2]);
    sums.date_time_us += sum_of(decoded.columns[3]);
  }
  return sums;
}

// Decodes `count` records, the given ones over and over.
Result time_decoding(Decoder& decoder, std::span<const RecordView> records, int64_t count) {
  Result result;
  Arena arena;
  int64_t decoded_records = 0;
  const Stopwatch stopwatch;
  for (size_t at = 0; decoded_records < count;) {
    // New columns for each batch: in a pipeline they move on with it.
    Decoded decoded;
    const size_t left = static_cast<size_t>(count - decoded_records);
    const size_t size = std::min({kBatchRecords, records.size() - at, left});
    decoder.decode(records.subspan(at, size), arena, &decoded);
    decoded_records += static_cast<int64_t>(decoded.records.size());
    at = at + size == records.size() ? 0 : at + size;
  }
  stopwatch.stop(&result);
  result.records = decoded_records;
  return result;
}

double nanoseconds(const Result& result) {
  return result.cpu_seconds * 1e9 / static_cast<double>(result.records);
}

absl::StatusOr<Result> run(const Options& options) {
  const int64_t count = *options.records;
  const int64_t distinct = std::min(count, kRecordsInMemory);
  Corpus json(static_cast<size_t>(distinct));
  Corpus protobuf(static_cast<size_t>(distinct));
  std::string payload;
  for (int64_t i = 0; i < distinct; ++i) {
    const Bid bid = nexmark_bid(i, {});
    payload.clear();
    append_json(bid, &payload);
    json.add(payload);
    protobuf.add(protobuf_of(bid));
  }
  const std::vector<RecordView> json_records = json.records();
  const std::vector<RecordView> protobuf_records = protobuf.records();
  const Source source = bids(schemas::Format::kJson);
  const auto by_shape = schemas::make_json_decoder(source, kWanted);
  const auto by_parser = schemas::make_json_decoder(source, kWanted, schemas::JsonPath::kSlowOnly);
  KAPPA_ASSIGN_OR_RETURN(
      const auto by_wire,
      schemas::make_decoder(bids(schemas::Format::kProtobuf), kWanted, {{"bid.proto", kProto}}));
  const Sums expected = expected_sums(distinct);
  const bool checked = decoded_sums(*by_shape, json_records) == expected &&
                       decoded_sums(*by_parser, json_records) == expected &&
                       decoded_sums(*by_wire, protobuf_records) == expected;
  Result result = time_decoding(*by_shape, json_records, count);
  result.checked = checked;
  result.bytes_per_record = json.bytes_per_record();
  result.more["ns_per_record"] = nanoseconds(result);
  result.more["slow_path_ns_per_record"] =
      nanoseconds(time_decoding(*by_parser, json_records, count));
  result.more["protobuf_ns_per_record"] =
      nanoseconds(time_decoding(*by_wire, protobuf_records, count));
  return result;
}

[[maybe_unused]] const bool added =
    add({"decode", "records a CPU second from JSON into columns", 4'000'000, run});

}  // namespace
}  // namespace kappa::bench
