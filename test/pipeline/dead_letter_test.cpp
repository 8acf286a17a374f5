#include "engine/runtime/dead_letter.h"

#include <catch2/catch.hpp>

#include "engine/types/header_writer.h"

namespace kappa::runtime {
namespace {

using Original = std::vector<std::pair<std::string, std::optional<std::string>>>;

Original originals(const RecordHeaders& headers) {
  return {headers.begin(), headers.end()};
}

RecordView record_with(const std::string& headers) {
  RecordView record;
  record.headers = headers.data();
  record.headers_size = static_cast<uint32_t>(headers.size());
  return record;
}

}  // namespace

TEST_CASE("a dead letter of a dead letter tells our headers from those of its record") {
  const RecordHeaders first = {{"trace", "1"}, {"trace", "2"}, {"kappa-reason", "theirs"}};
  const std::string bytes = encode_headers(first);
  RecordHeaders letter = {{"kappa-topic", "sales"},     {"kappa-partition", "3"},
                          {"kappa-offset", "17"},       {"kappa-outbox", "shop/a/99"},
                          {"kappa-reason", "ours"},     {"kappa-view", "v"},
                          {"kappa-sql-position", "2:5"}};
  add_original_headers(record_with(bytes), &letter);

  const DeadLetter read = read_dead_letter(letter);
  CHECK(read.reason == "ours");
  CHECK(read.product == "shop/a");
  CHECK(read.view == "v");
  CHECK(read.sql_position == "2:5");
  REQUIRE(read.source);
  CHECK(*read.source == TopicPartition{"sales", 3});
  CHECK(read.source_offset == Offset{17});
  CHECK(read.original == originals(first));

  // And once more: the letter itself is a source's record.
  const std::string again = encode_headers(letter);
  RecordHeaders second = {{"kappa-reason", "third"}};
  add_original_headers(record_with(again), &second);
  CHECK(read_dead_letter(second).reason == "third");
  CHECK(read_dead_letter(second).original == originals(letter));
  CHECK_FALSE(read_dead_letter(second).source);
}

TEST_CASE("a dead letter tells an original header without a value from an empty one") {
  HeaderWriter writer(3);
  writer.add("null", std::nullopt);
  writer.add("empty", "");
  writer.add("kappa-null", std::nullopt);
  const std::string bytes = writer.take();
  RecordHeaders letter = {{"kappa-reason", "ours"}};
  add_original_headers(record_with(bytes), &letter);
  CHECK(letter.back() == std::pair<std::string, std::string>("kappa-null-headers", "0,2"));
  const Original theirs = {{"null", std::nullopt}, {"empty", ""}, {"kappa-null", std::nullopt}};
  CHECK(read_dead_letter(letter).original == theirs);

  // Read as a source's record, it has that header itself; and nobody's numbers go astray.
  const std::string again = encode_headers(letter);
  RecordHeaders second;
  add_original_headers(record_with(again), &second);
  CHECK(read_dead_letter(second).original == originals(letter));
  second.emplace_back("kappa-null-headers", "x,,99,-1,18446744073709551616");
  CHECK(read_dead_letter(second).original == originals(letter));
}

}  // namespace kappa::runtime
