#include "engine/runtime/place.h"

#include <catch2/catch.hpp>

namespace kappa::runtime {
namespace {

Place sample() {
  Place place;
  place.plan_fingerprint = 0xfedcba9876543210;
  place.journal_id = 42;
  place.journal = {7, 4096, {{{"a", 0}, Offset{9}}, {{"b", 1}, Offset{3}}}};
  place.entry =
      JournalEntry{JournalEntry::Kind::kHistory, LogTime{-5}, {{{"a", 0}, Offset{12}, 77}}};
  place.partitions = {{{"a", 0}, Offset{9}, kNoLogTime}, {{"b", 1}, Offset{3}, LogTime{1000}}};
  place.sources = {{1, 2, 3, 4}, {}};
  place.watermarks = {{3, kNoEventTime.us}, {4, kEndOfTime.us}};
  place.side = {{2, {1, 2, 3, 4, 5}}};
  place.source_records = {10, 20};
  place.clock = LogTime{99};
  place.records = 30;
  place.outbox_next = 6;
  place.published = {{{"out", 0}, Offset{4}}};
  place.final_from = {{2, -7}, {5, kEndOfTime.us}};
  return place;
}

TEST_CASE("a place is read back as it was written") {
  const std::string bytes = encode(sample());
  const auto place = decode_place(bytes);
  REQUIRE(place.ok());
  CHECK(encode(*place) == bytes);
  CHECK(place->entry->advances[0].to == Offset{12});
  CHECK(place->partitions[0].log_time == kNoLogTime);
  CHECK(place->sources[0].active_ms == sample().sources[0].active_ms);
  CHECK(place->side.at(2).content == 5);
  CHECK(place->final_from == sample().final_from);
}

TEST_CASE("a place cut short anywhere, or with something behind it, is damaged") {
  const std::string bytes = encode(sample());
  for (size_t size = 0; size < bytes.size(); ++size) {
    CHECK(absl::IsDataLoss(decode_place(std::string_view(bytes).substr(0, size)).status()));
  }
  CHECK(absl::IsDataLoss(decode_place(bytes + "x").status()));
}

}  // namespace
}  // namespace kappa::runtime
