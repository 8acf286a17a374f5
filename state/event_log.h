#pragma once

#include <bit>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "state/packed_rows.h"
#include "state/stored_events.h"
#include "state/table_id.h"

namespace kappa::state {

// Where event logs put what is too old to be in memory: a directory that is there, for files
// without a name that go with the process. Until it is set, everything stays in memory. Any thread,
// before pipelines start.
void set_spill_directory(const std::string& directory);

// Events that are appended, read and, by age, forgotten, but never changed: what long windows keep.
// A record of fixed size each, numbered from 0 in the order in which they come; what the bytes mean
// is the caller's. One thread, the worker's; between epochs the coordinator's.
//
// Records lie in segments. Those beyond the youngest few go to a file and are mapped from there, so
// that the kernel can take their memory back; their addresses stay. A segment goes when all of its
// events are older than what was said to be forgotten.
//
// A checkpoint writes the events that came since the one before, in their stored form
// (stored_events.h), and never again: it tells how far back the events go that still count, and
// what is older is void.
class EventLog {
 public:
  // How many bytes of the youngest segments stay in memory.
  static constexpr size_t kResidentBytes = 64u << 20;
  static constexpr uint64_t kSegmentRecords = uint64_t{1} << 14;

  EventLog(TableId id, size_t record_bytes, size_t resident_bytes = kResidentBytes);
  ~EventLog();
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  const TableId& id() const { return id_; }
  // Numbers of the events that are there: [begin(), end()).
  uint64_t begin() const { return first_segment_ << kSegmentBits; }
  uint64_t end() const { return end_; }
  const std::byte* record(uint64_t number) const {
    return segments_[(number >> kSegmentBits) - first_segment_].memory +
           (number & (kSegmentRecords - 1)) * record_bytes_;
  }
  size_t bytes() const;          // in memory
  size_t spilled_bytes() const;  // in the file
  // How large the file is, room that is free included.
  size_t spill_file_bytes() const { return static_cast<size_t>(spill_end_); }

  // Room for the next event, filled in at once: what lies there is of no meaning.
  std::byte* append(int64_t event_time_us);
  // For the stored form of the event that was appended last, unless it comes from a checkpoint:
  // room for a body of at most so many bytes; end_store() with where it ended is to follow.
  char* begin_store(uint32_t key_group, int64_t event_time_us, size_t body_bytes_max) {
    return pending_.begin(key_group, event_time_us, body_bytes_max);
  }
  void end_store(const char* body_end) { pending_.finish(body_end); }
  // An event is in the store's checkpoint of this number, and appended or about to be. Numbers
  // ascend; all before the first take_checkpoint().
  void note_loaded(int64_t event_time_us, uint64_t checkpoint);
  // Events older than this count no more, and nobody reads them. Never falls.
  void forget_before(int64_t event_time_us);

  // ---- checkpoints -----------------------------------------------------------------------------

  // Bytes that the next checkpoint holds.
  size_t dirty_bytes() const { return pending_.bytes(); }
  // What was stored since the last one.
  PackedTable take_checkpoint();

 private:
  static constexpr uint64_t kSegmentBits = std::countr_zero(kSegmentRecords);

  struct Segment {
    std::byte* memory;
    int64_t event_time_max_us;
    int64_t file_offset;  // -1: in memory
  };

  std::byte* segment_memory();
  void note_stored();
  void add_segment();
  void spill_oldest();
  void drop_segments(size_t count);  // the first ones
  void give_back(const Segment& segment);
  size_t segment_bytes() const { return record_bytes_ * kSegmentRecords; }

  TableId id_;
  size_t record_bytes_;
  size_t resident_bytes_;
  std::vector<Segment> segments_;  // from `first_segment_` on
  uint64_t first_segment_ = 0;     // its number
  uint64_t end_ = 0;
  size_t resident_ = 0;  // segments in memory: the last ones
  // Memory of segments that went, for those to come: fresh memory costs more than what is written
  // to it.
  std::vector<std::byte*> spare_;
  int spill_file_ = -1;
  bool spills_ = true;                // until a write fails
  int64_t spill_end_ = 0;             // of the file
  std::vector<int64_t> spill_spare_;  // room in it that was given back
  int64_t forgotten_before_us_;

  StoredEventWriter pending_;
  int64_t pending_time_max_us_;
  uint32_t sequence_ = 0;  // of checkpoints taken
  // Checkpoints with events that count, and the largest event time of each: by the store's number,
  // those that were loaded; by their sequence, those taken since, each with what came before the
  // next.
  std::deque<std::pair<uint64_t, int64_t>> loaded_;
  std::deque<std::pair<uint32_t, int64_t>> stored_;
};

}  // namespace kappa::state
