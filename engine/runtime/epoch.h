#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "engine/runtime/order_journal.h"
#include "engine/types/invariant.h"
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

// Records of one topic, in the order of their places. They lie in blocks that the epoch or the
// reader holds.
struct EpochRecords {
  std::vector<const RecordView*> records;
  std::vector<uint32_t> places;

  void clear() {
    records.clear();
    places.clear();
  }
};

// A run of an epoch's places, which one worker takes through the front: its records, by topic.
using EpochChunk = std::vector<EpochRecords>;

// Where reading stands behind an epoch: what a checkpoint of this place has to remember.
struct ReadPosition {
  struct Partition {
    Offset next;       // all before it are applied
    LogTime log_time;  // running maximum in the present entry
  };
  std::vector<Partition> partitions;          // by the reader's index
  std::shared_ptr<const JournalEntry> entry;  // the one of which a part is left; null: none
  JournalBookmark journal;                    // behind that entry
  LogTime clock;                              // of the last entry that was begun
};

// One turn of a pipeline: the next places of the order. Reused from turn to turn.
class Epoch {
 public:
  // Chunks have `chunk_places` places (the last one fewer), and records of `topics` topics.
  Epoch(size_t topics, size_t chunk_places) : topics_(topics), chunk_places_(chunk_places) {}

  size_t size() const { return places.size(); }
  size_t chunks() const { return (places.size() + chunk_places_ - 1) / chunk_places_; }
  const EpochChunk& chunk(size_t index) const { return chunks_[index]; }

  void add(const RecordView& record, size_t topic, const EpochPlace& at) {
    if (places.size() == chunk_end_) begin_chunk();
    EpochRecords& records = (*chunk_)[topic];
    records.records.push_back(&record);
    records.places.push_back(static_cast<uint32_t>(places.size()));
    places.push_back(at);
  }
  void add(JournalEntry::Kind kind, LogTime clock) {
    if (places.size() == chunk_end_) begin_chunk();
    moments.push_back({static_cast<uint32_t>(places.size()), kind, clock});
    places.push_back({clock.ms, 0, kMoment});
  }
  void clear() {
    for (size_t c = 0; c < chunks(); ++c) {
      for (EpochRecords& topic : chunks_[c]) topic.clear();
    }
    places.clear();
    moments.clear();
    blocks.clear();
    chunk_ = nullptr;
    chunk_end_ = 0;
  }

  // The record at a place that is no moment.
  const RecordView& record_at(uint32_t place) const {
    for (const EpochRecords& topic : chunks_[place / chunk_places_]) {
      const auto found = std::lower_bound(topic.places.begin(), topic.places.end(), place);
      if (found != topic.places.end() && *found == place) {
        return *topic.records[static_cast<size_t>(found - topic.places.begin())];
      }
    }
    invariant_failed("record_at", "the place has a record", __FILE__, __LINE__);
  }
  size_t records_of(size_t topic) const {
    size_t records = 0;
    for (size_t c = 0; c < chunks(); ++c) records += chunks_[c][topic].records.size();
    return records;
  }

  std::vector<EpochPlace> places;
  std::vector<EpochMoment> moments;
  // Keeps alive what records point into: blocks that this epoch has used up. Those that it has not
  // stay with the reader, which gives them to a later epoch.
  std::vector<RecordBlock> blocks;
  ReadPosition after;

 private:
  void begin_chunk() {
    const size_t index = chunk_end_ / chunk_places_;
    if (index == chunks_.size()) chunks_.emplace_back(topics_);
    chunk_ = &chunks_[index];
    chunk_end_ += chunk_places_;
  }

  size_t topics_;
  size_t chunk_places_;
  std::deque<EpochChunk> chunks_;  // more than chunks() may be there, empty
  EpochChunk* chunk_ = nullptr;    // the one being filled
  size_t chunk_end_ = 0;           // the place behind it
};

}  // namespace kappa::runtime
