#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "state/store.h"
#include "state/table.h"

namespace kappa::state {

// A row for the world outside: dead letters, late output, output topics. Numbered without gaps.
struct OutboxEntry {
  uint64_t sequence = 0;
  std::string topic;
  std::string payload;  // opaque here; engine/log's outbox publisher encodes and decodes it
};

// What one checkpoint makes durable: all of it, in one atomic synced write.
struct Checkpoint {
  std::string place;  // opaque here: the runtime's place, watermarks, counters
  // Packed changed rows as Table::checkpoint_slice() made them, with their table.
  std::vector<std::pair<TableId, std::string>> blobs;
  std::vector<OutboxEntry> outbox;      // new entries
  uint64_t outbox_published_to = 0;     // entries below may be forgotten
};

// Writes checkpoints into a generation's store and reads them back.
//
// Stored keys (integers big-endian):
//   'm' name                                   → format version, place, checkpoint number
//   'd' checkpoint u64, operator u64, part u8, n u32 → a packed delta blob
//   'r' operator u64, part u8, key group u8, key     → a row
//   'o' sequence u64                           → an outbox entry
// A delta blob is folded into row keys in the background now and then: fold() merges whole
// checkpoints, oldest first, and erases their blobs in the same write. Restart reads row keys, then
// the deltas that are left, in order.
//
// write() and fold() are called from one thread, which need not be the pipeline's.
class CheckpointStore {
 public:
  explicit CheckpointStore(StateStore* store);  // outlives this

  // NotFound: no checkpoint yet. DataLoss: not ours or damaged; says what.
  absl::StatusOr<std::string> read_place() const;
  using VisitRow = std::function<absl::Status(TableId table, uint32_t key_group,
                                              std::string_view key, std::string_view value)>;
  // Each stored row of the last checkpoint, once, in no particular order.
  absl::Status read_rows(const VisitRow& visit) const;
  absl::StatusOr<std::vector<OutboxEntry>> read_outbox() const;

  absl::Status write(const Checkpoint& checkpoint);
  // Bytes of delta blobs not folded yet.
  size_t delta_bytes() const;
  absl::Status fold();

 private:
  StateStore* store_;
  uint64_t number_ = 0;
  size_t delta_bytes_ = 0;
};

}  // namespace kappa::state
