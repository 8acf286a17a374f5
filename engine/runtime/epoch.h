#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/runtime/order_journal.h"
#include "engine/types/record.h"
#include "engine/types/time.h"

namespace kappa::runtime {

// What stands at one place of an epoch.
struct EpochPlace {
  int64_t known_at_ms;  // the record's log time; without one, and for moments, the entry's clock
  const RecordView* record;  // in a block that the epoch or the reader holds; null: a moment
  uint32_t partition;        // index into the reader's partitions
};

// A tick or an end mark at a place.
struct EpochMoment {
  uint32_t place;
  JournalEntry::Kind kind;
  LogTime clock;
};

// Records of one topic, in the order of their places.
struct EpochRecords {
  std::vector<const RecordView*> records;
  std::vector<uint32_t> places;

  void clear() {
    records.clear();
    places.clear();
  }
};

// What one worker takes through the front at once: the records, by topic, of one owner's partitions
// in a run of an epoch's places.
using EpochChunk = std::vector<EpochRecords>;

// Where reading stands behind an epoch: what a checkpoint of this place has to remember.
struct ReadPosition {
  struct Partition {
    Offset next;       // all before it are applied
    LogTime log_time;  // running maximum in the present entry
    Offset known_to;   // as in PartitionPlace
    uint64_t known_record = 0;
  };
  std::vector<Partition> partitions;          // by the reader's index
  std::shared_ptr<const JournalEntry> entry;  // the one of which a part is left; null: none
  JournalBookmark journal;                    // behind that entry
  LogTime clock;                              // of the last entry that was begun
};

// One turn of a pipeline: the next places of the order. Reused from turn to turn.
class Epoch {
 public:
  // For records of `topics` topics. A run has `run_places` places (the last one fewer). Partition p
  // is owner (p modulo `owners`)'s.
  Epoch(size_t topics, size_t run_places, size_t owners)
      : topics_(topics), run_places_(run_places), owners_(owners) {}

  size_t size() const { return places.size(); }
  size_t runs() const { return (places.size() + run_places_ - 1) / run_places_; }
  // Run by run, and in a run owner by owner.
  size_t chunks() const { return runs() * owners_; }
  const EpochChunk& chunk(size_t index) const { return chunks_[index]; }

  void add(const EpochPlace& at, size_t topic) {
    if (places.size() == run_end_) begin_run();
    EpochRecords& records = chunks_[run_chunk_ + owner_of(at.partition)][topic];
    records.records.push_back(at.record);
    records.places.push_back(static_cast<uint32_t>(places.size()));
    places.push_back(at);
    known_at_min_ms = std::min(known_at_min_ms, at.known_at_ms);
  }
  void add(JournalEntry::Kind kind, LogTime clock) {
    if (places.size() == run_end_) begin_run();
    moments.push_back({static_cast<uint32_t>(places.size()), kind, clock});
    places.push_back({clock.ms, nullptr, 0});
  }
  void clear() {
    for (size_t c = 0; c < chunks(); ++c) {
      for (EpochRecords& topic : chunks_[c]) topic.clear();
    }
    places.clear();
    moments.clear();
    blocks.clear();
    known_at_min_ms = INT64_MAX;
    run_chunk_ = 0;
    run_end_ = 0;
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
  int64_t known_at_min_ms = INT64_MAX;  // of its records
  ReadPosition after;

 private:
  // Remembered, for a division takes longer than all the rest of add().
  size_t owner_of(uint32_t partition) {
    while (owner_of_.size() <= partition) owner_of_.push_back(owner_of_.size() % owners_);
    return owner_of_[partition];
  }
  void begin_run() {
    run_chunk_ = runs() * owners_;
    run_end_ += run_places_;
    if (run_chunk_ == chunks_.size()) chunks_.resize(run_chunk_ + owners_, EpochChunk(topics_));
  }

  size_t topics_;
  size_t run_places_;
  size_t owners_;
  std::vector<size_t> owner_of_;    // by partition
  std::vector<EpochChunk> chunks_;  // more than chunks() may be there, empty
  size_t run_chunk_ = 0;            // the first of the run that is being filled
  size_t run_end_ = 0;              // the place behind that run
};

}  // namespace kappa::runtime
