#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/log/log.h"
#include "engine/types/clock.h"

namespace kappa::log {

// When appended records are made to survive a crash of the machine. A kill of the process loses
// nothing that append() has returned for, whatever the policy.
enum class Fsync : uint8_t {
  kOnSync,    // when sync() is called, and at no other time
  kInterval,  // besides, every fsync_interval_ms
  kAlways,    // before append() returns; concurrent appends share one fsync
  kNever,     // never, for tests: sync() moves durable_end on all the same
};

struct EmbeddedLogOptions {
  enum class Mode : uint8_t {
    kOwner,   // appends; one owner a directory
    kReader,  // reads what an owner in this or another process has appended, and changes nothing
  };
  Mode mode = Mode::kOwner;
  Fsync fsync = Fsync::kOnSync;
  int64_t fsync_interval_ms = 100;
  // A segment is sealed before it would grow beyond this. Retention removes whole segments.
  int64_t segment_bytes = 64 << 20;
  // How often an owner enforces retention by itself; 0: only when enforce_retention() is called.
  int64_t retention_check_ms = 30'000;
  // How often a reader looks for new records on behalf of on_append().
  int64_t follow_interval_ms = 10;
  // Where records without a key go; 0: differently each time.
  uint64_t seed = 0;
  const Clock* clock = nullptr;  // borrowed; nullptr: the system's
};

// Bytes behind the last whole batch of a partition that opening removed.
struct CutTail {
  TopicPartition partition;
  Offset end;         // the partition's end now
  int64_t bytes = 0;  // how many were removed
  std::string what;   // what was found instead of a batch
};

// The Log port over a directory of segment files; see README.md beside this file for the layout.
class EmbeddedLog : public Log {
 public:
  absl::StatusOr<std::string> identity() const override { return "embedded"; }
  // Removes the segments whose records are all older than retention_ms, and the oldest ones as long
  // as those that remain have retention_bytes. The segment being written is sealed first when all
  // its records are too old, or the first of them is. FailedPrecondition in a reader.
  virtual absl::Status enforce_retention() = 0;
  // What opening has cut off, to tell the user. None of it had been synced.
  virtual const std::vector<CutTail>& cut_tails() const = 0;
};

// Opens the log in `directory`, which an owner makes if need be. An owner recovers every partition
// first: torn tails are cut, and what remains is durable.
// FailedPrecondition: another owner has it; the message names it. NotFound: a reader, and no log.
// DataLoss: damaged records, named with topic, partition, offset and file. InvalidArgument:
// options.
//
// A reader in another process may see the records of an append that then fails on a full disk,
// until the owner has taken them back.
absl::StatusOr<std::unique_ptr<EmbeddedLog>> open_embedded_log(const std::string& directory,
                                                               const EmbeddedLogOptions& options);

}  // namespace kappa::log
