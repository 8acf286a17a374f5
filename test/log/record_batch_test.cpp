#include "engine/log/record_batch.h"

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/escaping.h"
#include "engine/log/batch_encoder.h"
#include "engine/log/byte_order.h"
#include "engine/types/crc32c.h"

namespace kappa::log {
namespace {

// Three records as an independent client (kafka-python 2.0.2) writes them.
constexpr char kGolden[] =
    "0000000000000000000000550000000002b301423f0000000000020000015d3ef798000000015d3ef79805ffffffff"
    "ffffffffffffffffffff0000000314000000046b310476310020000a02010c7365636f6e6402026802780e00cf0f04"
    "000100";

std::string golden() {
  return absl::HexStringToBytes(kGolden);
}

const RecordHeaders kOneHeader = {{"h", "x"}};

std::string encode(const std::vector<RecordToAppend>& records, Offset base = {}) {
  BatchEncoder encoder;
  for (const RecordToAppend& record : records) encoder.add(record, LogTime{0});
  encoder.finish();
  encoder.set_base_offset(base);
  return std::string(encoder.bytes());
}

// Makes a changed batch pass its crc again.
void mend_crc(std::string* batch) {
  store_big_endian(batch->data() + 17, crc32c(batch->data() + 21, batch->size() - 21));
}

absl::Status decode_one(const std::string& batch, std::vector<RecordView>* records) {
  return decode_batches(batch, Offset{0}, records).status();
}

TEST_CASE("a batch is encoded byte for byte as Kafka's clients do") {
  const std::vector<RecordToAppend> records = {
      {.key = "k1", .value = "v1", .timestamp = LogTime{1'500'000'000'000}},
      {.value = "second", .timestamp = LogTime{1'500'000'000'005}, .headers = &kOneHeader},
      {.key = "", .timestamp = LogTime{1'499'999'999'000}},
  };
  CHECK(absl::BytesToHexString(encode(records)) == kGolden);
}

TEST_CASE("a batch that another client wrote is decoded in place") {
  const std::string batch = golden();
  std::vector<RecordView> records;
  const absl::StatusOr<size_t> done = decode_batches(batch, Offset{0}, &records);
  REQUIRE(done.ok());
  CHECK(*done == batch.size());
  REQUIRE(records.size() == 3);
  CHECK(records[0].key_view() == "k1");
  CHECK(records[0].value_view() == "v1");
  CHECK(records[0].timestamp == LogTime{1'500'000'000'000});
  CHECK(records[0].headers == nullptr);
  CHECK(records[1].offset == Offset{1});
  CHECK(records[1].key_view() == std::nullopt);
  CHECK(records[1].value_view() == "second");
  CHECK(records[1].timestamp == LogTime{1'500'000'000'005});
  CHECK(parse_headers(records[1]) == kOneHeader);
  CHECK(records[2].key_view() == "");
  CHECK(records[2].value_view() == std::nullopt);
  CHECK(records[2].timestamp == LogTime{1'499'999'999'000});
  for (const RecordView& record : records) {
    if (record.value == nullptr) continue;
    CHECK(record.value > batch.data());
    CHECK(record.value + record.value_size <= batch.data() + batch.size());
  }
}

TEST_CASE("random records survive encoding and decoding") {
  const uint32_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const auto random_bytes = [&](size_t most) {
    std::string bytes(random() % (most + 1), '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    return bytes;
  };
  for (int round = 0; round < 50; ++round) {
    const size_t count = 1 + random() % 300;
    std::vector<std::string> keys, values;
    std::vector<RecordHeaders> headers(count);
    for (size_t i = 0; i < count; ++i) {
      keys.push_back(random_bytes(20));
      values.push_back(random_bytes(random() % 50 == 0 ? 70'000 : 300));
      for (size_t h = random() % 4; h > 0; --h) {
        headers[i].emplace_back(random_bytes(9), random_bytes(200));
      }
    }
    BatchEncoder encoder;
    std::vector<RecordToAppend> records(count);
    for (size_t i = 0; i < count; ++i) {
      if (random() % 4 != 0) records[i].key = keys[i];
      if (random() % 8 != 0) records[i].value = values[i];
      if (random() % 2 != 0) records[i].timestamp = LogTime{static_cast<int64_t>(random()) << 10};
      if (random() % 2 != 0) records[i].headers = &headers[i];
      encoder.add(records[i], LogTime{12'345});
    }
    encoder.finish();
    encoder.set_base_offset(Offset{1'000'000'000'000});
    std::vector<RecordView> decoded;
    const auto from = Offset{1'000'000'000'000 + static_cast<int64_t>(random() % count)};
    const auto done = decode_batches(encoder.bytes(), from, &decoded);
    REQUIRE(done.ok());
    REQUIRE(*done == encoder.bytes().size());
    const auto skipped = static_cast<size_t>(from.value - 1'000'000'000'000);
    REQUIRE(decoded.size() == count - skipped);
    for (size_t i = skipped; i < count; ++i) {
      const RecordView& record = decoded[i - skipped];
      REQUIRE(record.offset.value == 1'000'000'000'000 + static_cast<int64_t>(i));
      REQUIRE(record.key_view() == records[i].key);
      REQUIRE(record.value_view() == records[i].value);
      REQUIRE(record.timestamp == records[i].timestamp.value_or(LogTime{12'345}));
      REQUIRE(parse_headers(record) ==
              (records[i].headers != nullptr ? headers[i] : RecordHeaders()));
    }
  }
}

TEST_CASE("records that do not fit one batch are spread over several") {
  const std::string value(1000, 'v');
  BatchEncoder encoder;
  for (int i = 0; i < 1000; ++i) encoder.add({.value = value}, LogTime{i});
  encoder.finish();
  encoder.set_base_offset(Offset{7});
  CHECK(encoder.batches().size() == 1000 / (kBatchBytesMax / 1000) + 1);
  CHECK(encoder.record_count() == 1000);
  size_t position = 0;
  int64_t offset = 7;
  for (const BatchEncoder::BatchSpan& batch : encoder.batches()) {
    CHECK(batch.position == position);
    CHECK(batch.size_bytes <= kBatchBytesMax + 2000);
    const auto header = parse_batch_header(encoder.bytes().substr(position));
    REQUIRE(header.ok());
    CHECK(header->base_offset == Offset{offset});
    CHECK(header->size_bytes == batch.size_bytes);
    CHECK(header->max_timestamp == batch.max_timestamp);
    position += batch.size_bytes;
    offset += batch.record_count;
  }
  CHECK(position == encoder.bytes().size());
  CHECK(offset == 1007);
}

TEST_CASE("an encoder that is used again writes the same bytes") {
  BatchEncoder encoder;
  encoder.add({.key = "old", .value = "old"}, LogTime{1});
  encoder.finish();
  encoder.clear();
  encoder.add({.value = "new"}, LogTime{2});
  encoder.finish();
  encoder.set_base_offset(Offset{0});
  CHECK(encoder.bytes() == encode({{.value = "new", .timestamp = LogTime{2}}}));
}

TEST_CASE("bytes that end inside a batch are decoded up to it") {
  const std::string batch = golden();
  const std::string two = batch + encode({{.value = "x"}}, Offset{3});
  for (size_t size = 0; size <= two.size(); ++size) {
    // A copy of exactly this size, so that sanitizers see every step outside.
    const auto bytes = std::make_unique<char[]>(size);
    std::memcpy(bytes.get(), two.data(), size);
    std::vector<RecordView> records;
    const auto done = decode_batches({bytes.get(), size}, Offset{0}, &records);
    REQUIRE(done.ok());
    CHECK(*done == (size < batch.size() ? 0 : size < two.size() ? batch.size() : two.size()));
    CHECK(records.size() == (size < batch.size() ? 0 : size < two.size() ? 3 : 4));
  }
}

TEST_CASE("every flipped bit that the crc covers is found") {
  const std::string batch = golden();
  for (size_t bit = size_t{17} * 8; bit < batch.size() * 8; ++bit) {
    std::string flipped = batch;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    std::vector<RecordView> records;
    const absl::Status status = decode_one(flipped, &records);
    INFO("bit " << bit);
    CHECK(status.code() == absl::StatusCode::kDataLoss);
    CHECK(records.empty());
  }
}

TEST_CASE("a malformed batch with a matching crc is refused, never read outside") {
  const uint32_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  std::vector<std::string> originals = {golden()};
  std::vector<RecordToAppend> many(50, {.key = "key", .value = "value", .headers = &kOneHeader});
  originals.push_back(encode(many));
  int refused = 0;
  for (int round = 0; round < 100'000; ++round) {
    std::string batch = originals[static_cast<size_t>(round) % originals.size()];
    for (size_t flips = 1 + random() % 3; flips > 0; --flips) {
      batch[random() % batch.size()] = static_cast<char>(random());
    }
    if (random() % 4 == 0) batch.resize(random() % batch.size());
    if (batch.size() > kBatchHeaderBytes) mend_crc(&batch);
    const auto bytes = std::make_unique<char[]>(batch.size());
    std::memcpy(bytes.get(), batch.data(), batch.size());
    const std::string_view view(bytes.get(), batch.size());
    std::vector<RecordView> records;
    const auto done = decode_batches(view, Offset{0}, &records);
    refused += done.ok() ? 0 : 1;
    const auto inside = [&](const char* at, size_t size) {
      return at == nullptr || (at >= view.data() && at + size <= view.data() + view.size());
    };
    bool all_inside = true;
    for (const RecordView& record : records) {
      all_inside &= inside(record.key, record.key_size) && inside(record.value, record.value_size);
      all_inside &= inside(record.headers, record.headers_size);
      parse_headers(record);
    }
    REQUIRE(all_inside);
  }
  CHECK(refused > 10'000);
}

TEST_CASE("what is wrong with a batch is said") {
  std::vector<RecordView> records;
  const auto message = [&](const std::string& batch) {
    const absl::Status status = decode_one(batch, &records);
    return std::string(status.message());
  };
  std::string batch = golden();
  batch[16] = 1;
  CHECK(message(batch) == "found magic 1 where a record batch has magic 2");

  batch = golden();
  batch[0] = -1;
  CHECK(message(batch) == "found -72057594037927936 where a batch has its base offset");

  batch = golden();
  store_big_endian<int32_t>(batch.data() + 8, 48);
  CHECK(message(batch) == "the batch at offset 0 has an impossible length, 48");

  batch = golden();
  store_big_endian<int32_t>(batch.data() + 57, 1'000'000);
  CHECK(message(batch) ==
        "the batch at offset 0 of 97 bytes has an impossible count of records, 1000000, or last "
        "offset delta, 2");

  batch = golden();
  store_big_endian<int32_t>(batch.data() + 57, 4);
  mend_crc(&batch);
  CHECK(message(batch) == "the batch at offset 0 is malformed at its record 3 of 4");

  batch = golden();
  batch[80] = 'X';
  CHECK(message(batch).starts_with("the batch at offset 0 has the crc32c 0x"));
  CHECK(message(batch).ends_with(" where its header says 0xb301423f"));
  CHECK(records.empty());
}

TEST_CASE("a compressed batch is refused by name") {
  std::string batch = golden();
  batch[22] = 4;
  mend_crc(&batch);
  std::vector<RecordView> records;
  const absl::Status status = decode_one(batch, &records);
  CHECK(status.code() == absl::StatusCode::kUnimplemented);
  CHECK(status.message() ==
        "the batch at offset 0 is compressed (codec 4); only plain batches are read");
}

TEST_CASE("records of a batch stamped by the broker have the batch's time") {
  std::string batch = golden();
  batch[22] = 8;
  mend_crc(&batch);
  std::vector<RecordView> records;
  REQUIRE(decode_one(batch, &records).ok());
  REQUIRE(records.size() == 3);
  for (const RecordView& record : records) CHECK(record.timestamp == LogTime{1'500'000'000'005});
}

TEST_CASE("a control batch is passed over") {
  std::string batch = golden();
  batch[22] = 0x30;  // transactional, control
  mend_crc(&batch);
  const std::string two = batch + encode({{.value = "x"}}, Offset{3});
  std::vector<RecordView> records;
  const auto done = decode_batches(two, Offset{0}, &records);
  REQUIRE(done.ok());
  CHECK(*done == two.size());
  REQUIRE(records.size() == 1);
  CHECK(records[0].offset == Offset{3});
}

TEST_CASE("offsets that compaction has left gaps in are kept as they are") {
  std::string batch = golden();
  batch[93] = 0x08;  // the third record's offset delta: 4 where it was 2
  store_big_endian<int32_t>(batch.data() + 23, 6);
  mend_crc(&batch);
  std::vector<RecordView> records;
  REQUIRE(decode_one(batch, &records).ok());
  REQUIRE(records.size() == 3);
  CHECK(records[2].offset == Offset{4});
  CHECK(parse_batch_header(batch)->next_offset() == Offset{7});
}

}  // namespace
}  // namespace kappa::log
