#pragma once

#include <cstdint>
#include <vector>

#include "engine/runtime/order_journal.h"
#include "engine/types/record.h"
#include "engine/types/time.h"

namespace kappa::runtime {

// What stands at one place of an epoch.
struct EpochPlace {
  int64_t known_at_ms;  // the record's log time; without one, and for moments, the entry's clock
  int64_t offset;       // of the record
  uint32_t partition;   // index into the reader's partitions; kMoment: no record
};
inline constexpr uint32_t kMoment = ~uint32_t{0};

// A tick or an end mark at a place.
struct EpochMoment {
  uint32_t place;
  JournalEntry::Kind kind;
  LogTime clock;
};

// Records of one topic that one worker decodes, in the order of their places.
struct EpochRecords {
  std::vector<RecordView> records;
  std::vector<uint32_t> places;

  void clear() {
    records.clear();
    places.clear();
  }
};

// One turn of a pipeline: the next places of the order. Records point into blocks that the order
// reader holds until it is told that the epoch is over. Reused from turn to turn.
struct Epoch {
  std::vector<EpochPlace> places;
  std::vector<EpochMoment> moments;
  std::vector<std::vector<EpochRecords>> records;  // [worker][topic]

  size_t size() const { return places.size(); }
  void clear() {
    places.clear();
    moments.clear();
    for (auto& worker : records) {
      for (EpochRecords& topic : worker) topic.clear();
    }
  }
};

}  // namespace kappa::runtime
