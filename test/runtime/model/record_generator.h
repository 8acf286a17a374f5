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
// duplicates, nulls, timestamps ahead of the clock, event times far ahead, event times that bring
// the watermark to where something closes or expires, silences longer than a minute, and payloads
// that are malformed.
class RecordGenerator {
 public:
  RecordGenerator(Dice& dice, const Plan& plan);

  GeneratedRecord next();
  // The time it has reached; moves on by itself.
  int64_t now_ms() const { return now_ms_; }

 private:
  Row row_of(const Source& source);
  int64_t event_time(const Source& source);
  std::optional<int64_t> end_of_something(const Source& source);
  std::optional<int64_t> at_a_distance();
  std::string payload_of(const Source& source, const Row& row);
  std::optional<std::string> damaged_payload(const Source& source);

  Dice& dice_;
  const Plan& plan_;
  int64_t now_ms_ = 1'000'000;
  std::optional<GeneratedRecord> last_;
  std::vector<int64_t> durations_us_;  // after which something closes or expires
  std::vector<int64_t> distances_us_;  // between two rows, where that they belong together ends
  std::vector<int64_t> event_times_us_;
  int64_t event_time_max_us_ = 0;
};

// A JSON string.
std::string json_text(const std::string& text);

}  // namespace kappa::model
