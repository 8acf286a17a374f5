#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "engine/types/record.h"
#include "engine/types/time.h"

namespace kappa::cli::scenario {

// A record as a line of a `records` step writes it.
struct WrittenRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;  // nullopt: a tombstone
  bool raw = false;                  // `value` is bytes as they are, not JSON
  std::optional<LogTime> timestamp;
  RecordHeaders headers;
};

// Reads one JSON object. Its fields become the value, digit for digit as they stand there;
// "@key", "@timestamp", "@headers", "@value": null and "@raw" are taken out.
// InvalidArgument: what was found and what would be right.
absl::StatusOr<WrittenRecord> parse_record_line(const std::string& json);

}  // namespace kappa::cli::scenario
