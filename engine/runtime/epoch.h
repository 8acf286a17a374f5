#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
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

// Records that follow each other in their block, at places that follow each other.
struct RecordSpan {
  const RecordView* first;
  uint32_t count;
  uint32_t place;  // of the first
};

// What one worker takes through the front at once: the records, by topic and in the order of their
// places, of one owner's partitions in a run of an epoch's places.
using EpochChunk = std::vector<std::vector<RecordSpan>>;

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
  // For records of `topics` topics. Partition p is owner (p modulo `owners`)'s. Chunks have about
  // `chunk_records_least` records and more, for each has its price.
  Epoch(size_t topics, size_t owners, size_t chunk_records_least = 256)
      : topics_(topics),
        owners_(owners),
        run_places_least_(owners * chunk_records_least),
        records_of_(topics, 0) {}

  size_t size() const { return records_.size(); }
  EpochPlace at(size_t place) const {
    return {known_at_ms_[place], records_[place], partitions_[place]};
  }
  // By place.
  std::span<const int64_t> known_at_ms() const { return known_at_ms_; }
  int64_t known_at_min_ms() const { return known_at_min_ms_; }  // of its records
  size_t runs() const { return runs_; }
  // Run by run, and in a run owner by owner.
  size_t chunks() const { return runs() * owners_; }
  const EpochChunk& chunk(size_t index) const { return chunks_[index]; }

  // How many places it is going to have at most, which says how long runs are.
  void expect(size_t places_max) { places_max_ = places_max; }
  // Gives the next places to records of a partition that follow each other in their block, one for
  // each of their log times.
  void add(const RecordView* first, std::span<const int64_t> known_at_ms, uint32_t partition,
           size_t topic) {
    records_of_[topic] += known_at_ms.size();
    for (const int64_t ms : known_at_ms) known_at_min_ms_ = std::min(known_at_min_ms_, ms);
    const size_t owner = owner_of(partition);
    while (!known_at_ms.empty()) {
      if (size() == run_end_) begin_run();
      const size_t count = std::min(known_at_ms.size(), run_end_ - size());
      chunks_[run_chunk_ + owner][topic].push_back(
          {first, static_cast<uint32_t>(count), static_cast<uint32_t>(size())});
      for (size_t i = 0; i < count; ++i) records_.push_back(first + i);
      known_at_ms_.insert(known_at_ms_.end(), known_at_ms.begin(), known_at_ms.begin() + count);
      partitions_.insert(partitions_.end(), count, partition);
      first += count;
      known_at_ms = known_at_ms.subspan(count);
    }
  }
  void add(JournalEntry::Kind kind, LogTime clock) {
    if (size() == run_end_) begin_run();
    moments.push_back({static_cast<uint32_t>(size()), kind, clock});
    records_.push_back(nullptr);
    known_at_ms_.push_back(clock.ms);
    partitions_.push_back(0);
  }
  void clear() {
    for (size_t c = 0; c < chunks(); ++c) {
      for (std::vector<RecordSpan>& topic : chunks_[c]) topic.clear();
    }
    records_of_.assign(records_of_.size(), 0);
    records_.clear();
    known_at_ms_.clear();
    partitions_.clear();
    known_at_min_ms_ = INT64_MAX;
    moments.clear();
    blocks.clear();
    runs_ = 0;
    run_chunk_ = 0;
    run_end_ = 0;
  }

  size_t records_of(size_t topic) const { return records_of_[topic]; }

  std::vector<EpochMoment> moments;
  // Keeps alive what records point into: blocks that this epoch has used up, and whose they are, by
  // the reader's index. Those that it has not stay with the reader, which gives them to a later
  // epoch.
  std::vector<std::pair<uint32_t, RecordBlock>> blocks;
  ReadPosition after;

 private:
  // Remembered, for a division takes longer than all the rest of add() for one record.
  size_t owner_of(uint32_t partition) {
    while (owner_of_.size() <= partition) owner_of_.push_back(owner_of_.size() % owners_);
    return owner_of_[partition];
  }
  // Runs are long at first and short at the end, so that all workers are done at about the same
  // time (guided self-scheduling, Polychronopoulos and Kuck 1987). One alone has one run.
  void begin_run() {
    const size_t left = places_max_ - std::min(places_max_, size());
    const size_t places = owners_ > 1 ? left / 2 : left;
    run_chunk_ = chunks();
    ++runs_;
    run_end_ = size() + std::max(places, run_places_least_);
    if (run_chunk_ == chunks_.size()) chunks_.resize(run_chunk_ + owners_, EpochChunk(topics_));
  }

  size_t topics_;
  size_t owners_;
  size_t run_places_least_;
  // By place.
  std::vector<const RecordView*> records_;
  std::vector<int64_t> known_at_ms_;
  std::vector<uint32_t> partitions_;
  int64_t known_at_min_ms_ = INT64_MAX;
  std::vector<size_t> records_of_;  // by topic
  std::vector<size_t> owner_of_;    // by partition
  std::vector<EpochChunk> chunks_;  // more than chunks() may be there, empty
  size_t places_max_ = 0;
  size_t runs_ = 0;
  size_t run_chunk_ = 0;  // the first of the run that is being filled
  size_t run_end_ = 0;    // the place behind that run
};

}  // namespace kappa::runtime
