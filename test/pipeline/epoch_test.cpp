#include "engine/runtime/epoch.h"

#include <vector>

#include <catch2/catch.hpp>

namespace kappa::runtime {
namespace {

// Fills an epoch with `count` records of each of some partitions, in turns of `together`, all of
// topic 0.
class Filled {
 public:
  Filled(Epoch& epoch, size_t partitions, size_t count, size_t together)
      : records_(partitions, std::vector<RecordView>(count)) {
    for (size_t next = 0; next < count; next += together) {
      for (size_t p = 0; p < partitions; ++p) {
        std::vector<int64_t> known_at_ms;
        for (size_t i = 0; i < std::min(together, count - next); ++i) {
          known_at_ms.push_back(static_cast<int64_t>(100 * p + next + i));
        }
        epoch.add(&records_[p][next], known_at_ms, static_cast<uint32_t>(p), 0);
      }
    }
  }
  size_t partition_of(const RecordView* record) const {
    size_t p = 0;
    while (record < records_[p].data() || record >= records_[p].data() + records_[p].size()) ++p;
    return p;
  }

 private:
  std::vector<std::vector<RecordView>> records_;
};

// How many records each chunk has. Checks that each is its owner's, and that places and records
// are those that the epoch has.
std::vector<size_t> chunk_sizes(const Epoch& epoch, const Filled& filled, size_t owners) {
  std::vector<size_t> sizes;
  std::vector<size_t> seen(epoch.size());
  for (size_t c = 0; c < epoch.chunks(); ++c) {
    size_t records = 0;
    for (const RecordSpan& span : epoch.chunk(c)[0]) {
      records += span.count;
      for (uint32_t i = 0; i < span.count; ++i) {
        ++seen[span.place + i];
        CHECK(epoch.at(span.place + i).record == span.first + i);
        CHECK(filled.partition_of(span.first + i) % owners == c % owners);
      }
    }
    sizes.push_back(records);
  }
  CHECK(seen == std::vector<size_t>(epoch.size(), 1));
  return sizes;
}

}  // namespace

TEST_CASE("an epoch's chunks are an owner's, get smaller, and hold each record once") {
  Epoch epoch(1, 2, 1);
  for (const size_t together : {1, 2, 7}) {
    epoch.clear();
    epoch.expect(28);
    const Filled filled(epoch, 4, 7, together);
    CHECK(epoch.size() == 28);
    CHECK(epoch.records_of(0) == 28);
    CHECK(epoch.known_at_min_ms() == 0);
    // Runs of 14, 7, 3, 2 and 2 places.
    const std::vector<size_t> sizes = chunk_sizes(epoch, filled, 2);
    REQUIRE(sizes.size() == 10);
    std::vector<size_t> runs;
    for (size_t c = 0; c < sizes.size(); c += 2) runs.push_back(sizes[c] + sizes[c + 1]);
    CHECK(runs == std::vector<size_t>{14, 7, 3, 2, 2});
  }
}

TEST_CASE("one owner takes an epoch through the front at once, and more than expected as well") {
  Epoch epoch(1, 1, 4);
  epoch.expect(20);
  const Filled filled(epoch, 2, 10, 3);
  CHECK(chunk_sizes(epoch, filled, 1) == std::vector<size_t>{20});
  const Filled more(epoch, 1, 5, 5);
  CHECK(epoch.size() == 25);
  CHECK(epoch.runs() == 3);
  CHECK(epoch.records_of(0) == 25);
}

TEST_CASE("an epoch tells of each place when its record was known, and which partition's it is") {
  Epoch epoch(2, 2);
  epoch.expect(4);
  const RecordView records[3];
  const int64_t known_at_ms[] = {7, 5, 9};
  epoch.add(records, known_at_ms, 1, 1);
  epoch.add(JournalEntry::Kind::kTick, LogTime{3});
  CHECK(epoch.at(1).known_at_ms == 5);
  CHECK(epoch.at(1).record == records + 1);
  CHECK(epoch.at(1).partition == 1);
  CHECK(epoch.at(3).known_at_ms == 3);
  CHECK(epoch.at(3).record == nullptr);
  CHECK(epoch.known_at_min_ms() == 5);  // of records
  REQUIRE(epoch.moments.size() == 1);
  CHECK(epoch.moments[0].place == 3);
  CHECK(epoch.records_of(0) == 0);
  CHECK(epoch.records_of(1) == 3);
  epoch.clear();
  CHECK(epoch.size() == 0);
  CHECK(epoch.chunks() == 0);
  CHECK(epoch.records_of(1) == 0);
}

}  // namespace kappa::runtime
