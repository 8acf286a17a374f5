#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/log/embedded/embedded_log.h"
#include "engine/log/embedded/partition.h"

namespace kappa::log {

// What an owner finds in a partition's directory after whatever has happened to it.
//
// Whether bad bytes are a torn tail, to be cut, or damage, to be reported, is decided by the
// durable mark: the file `durable` in the partition's directory, written after each sync, holds
//
//   durable end i64 | crc32c of these 8 bytes u32        big-endian
//
// It may be older than the truth, never newer. Bad bytes below it are damage. Above it, bytes with
// no good batch behind them are the torn tail of an append that the death of the process cut short.
// With good batches behind them they are damage too, unless the machine was restarted since: then
// pages that were never synced may have been lost in any order, and all from the first bad byte on
// is cut.
struct Recovered {
  std::vector<std::shared_ptr<Segment>> segments;  // all but the last sealed
  Offset end;
  Offset durable_end;                                 // the mark
  std::vector<std::shared_ptr<const File>> unsynced;  // segments that may hold more than that
  std::optional<CutTail> cut;
};

// DataLoss, with topic, partition, offset and file: damage.
absl::StatusOr<Recovered> recover_partition(const TopicPartition& id, const std::string& directory,
                                            bool machine_restarted);

// Best effort: a mark that is not written only makes recovery less strict.
void write_durable_mark(const std::string& directory, Offset durable_end);
std::optional<Offset> read_durable_mark(const std::string& directory);

}  // namespace kappa::log
