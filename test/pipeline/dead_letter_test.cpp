#include "engine/runtime/dead_letter.h"

#include <catch2/catch.hpp>

namespace kappa::runtime {

TEST_CASE("a dead letter of a dead letter tells our headers from those of its record") {
  const RecordHeaders first = {{"trace", "1"}, {"trace", "2"}, {"kappa-reason", "theirs"}};
  const std::string bytes = encode_headers(first);
  RecordView record;
  record.headers = bytes.data();
  record.headers_size = static_cast<uint32_t>(bytes.size());
  RecordHeaders letter = {{"kappa-topic", "sales"},     {"kappa-partition", "3"},
                          {"kappa-offset", "17"},       {"kappa-outbox", "shop/a/99"},
                          {"kappa-reason", "ours"},     {"kappa-view", "v"},
                          {"kappa-sql-position", "2:5"}};
  add_original_headers(record, &letter);

  const DeadLetter read = read_dead_letter(letter);
  CHECK(read.reason == "ours");
  CHECK(read.product == "shop/a");
  CHECK(read.view == "v");
  CHECK(read.sql_position == "2:5");
  REQUIRE(read.source);
  CHECK(*read.source == TopicPartition{"sales", 3});
  CHECK(read.source_offset == Offset{17});
  CHECK(read.original == first);

  // And once more: the letter itself is a source's record.
  const std::string again = encode_headers(letter);
  record.headers = again.data();
  record.headers_size = static_cast<uint32_t>(again.size());
  RecordHeaders second = {{"kappa-reason", "third"}};
  add_original_headers(record, &second);
  CHECK(read_dead_letter(second).reason == "third");
  CHECK(read_dead_letter(second).original == letter);
  CHECK_FALSE(read_dead_letter(second).source);
}

}  // namespace kappa::runtime
