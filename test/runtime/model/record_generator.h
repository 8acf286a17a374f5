#pragma once

#include <optional>
#include <string>
#include <vector>

#include "test/runtime/model/dice.h"
#include "test/runtime/model/model.h"

namespace kappa::model {

// A record as it is appended: its payload, and what the model knows about it.
struct GeneratedRecord {
  Record record;  // its offset is known once it is appended
  std::optional<std::string> payload;
};

// Makes the records of a plan's sources: with ties and disorder of timestamps and event times,
// duplicates, nulls, timestamps ahead of the clock, event times far ahead, silences longer than a
// minute, and payloads that are malformed. Most of them look for the plan's boundaries, a
// microsecond to this side or that: they follow an earlier record of the same keys at a distance
// that a session, join or frame tells apart, stand where a window begins, or bring the watermark to
// where something closes or expires.
class RecordGenerator {
 public:
  RecordGenerator(Dice& dice, const Plan& plan);

  GeneratedRecord next();
  // The time it has reached; moves on by itself.
  int64_t now_ms() const { return now_ms_; }

 private:
  // Where windows begin: at `offset_us` and every `step_us` from there on.
  struct Alignment {
    int64_t step_us;
    int64_t offset_us;
  };
  // Something that ends when the watermark is `after_us` behind its beginning, or behind the last
  // of the beginnings that are aligned so.
  struct Ending {
    std::optional<Alignment> alignment;
    int64_t after_us;
  };
  void note_boundaries(const Node& node);
  void note_window(const AggregateNode& aggregate);
  void note_distances(const std::vector<int64_t>& distances_us);

  Row row_of(size_t source);
  Value value_of(size_t source, size_t field, const Row* earlier);
  const GeneratedRecord* earlier_record();
  int64_t event_time(size_t source, const Row* earlier);
  std::optional<int64_t> end_of_something(size_t source);
  std::optional<int64_t> at_a_distance(const Row* earlier);
  std::optional<int64_t> where_windows_begin();
  std::string payload_of(const Source& source, const Row& row);
  std::optional<std::string> damaged_payload(const Source& source);

  Dice& dice_;
  const Plan& plan_;
  int64_t now_ms_ = 1'000'000;
  int64_t disorder_ms_;  // how late a record may be, of those that look for no boundary
  std::vector<GeneratedRecord> recent_;
  std::vector<Ending> endings_;
  std::vector<Alignment> alignments_;
  std::vector<std::vector<int64_t>> distances_us_;  // by node: between two rows, where it shows
  std::vector<int64_t> event_times_us_;             // of all sources
  std::vector<int64_t> event_time_max_us_;          // by source
};

// A JSON string.
std::string json_text(const std::string& text);

}  // namespace kappa::model
