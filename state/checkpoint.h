#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "state/checkpoint_format.h"
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
  std::vector<OutboxEntry> outbox;   // new entries
  uint64_t outbox_published_to = 0;  // entries below may be forgotten
};

// Writes checkpoints into a generation's store and reads them back.
//
// Delta blobs are folded into row keys in the background now and then: fold() merges whole
// checkpoints, oldest first, and then erases their blobs. Restart reads row keys, then the deltas
// that are left, in order. Layout: checkpoint_format.h.
//
// One thread, which need not be the pipeline's.
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
  size_t delta_bytes() const { return head_.delta_bytes; }
  // Whether so much has come together that folding pays: folding at every checkpoint would write
  // the same rows again and again.
  bool should_fold() const;
  // Merges the oldest checkpoints into row keys: as many as bounded memory takes, at least one if
  // there is one. May stop at any point, by a crash or an error: rows written so far are also in
  // the deltas, which are erased last, so what read_rows() says never changes.
  absl::Status fold();

 private:
  class Folding;

  absl::StatusOr<std::vector<std::pair<std::string, std::string>>> read_blobs(
      uint64_t checkpoint) const;

  StateStore* store_;
  absl::Status loaded_;  // why the head could not be read, NotFound if there is none
  CheckpointHead head_;
};

}  // namespace kappa::state
