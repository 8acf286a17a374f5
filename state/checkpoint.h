#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "state/checkpoint_format.h"
#include "state/packed_rows.h"
#include "state/store.h"
#include "state/stored_events.h"
#include "state/table.h"

namespace kappa::state {

// A row for the world outside: dead letters, late output, output topics. Numbered without gaps.
struct OutboxEntry {
  uint64_t sequence = 0;
  std::string topic;
  std::string payload;  // opaque here; engine/log's outbox publisher encodes and decodes it
};

// What a follower keeps because it may have to leave once it leads; keys and values are opaque
// here.
struct KeptChanges {
  std::vector<std::pair<std::string, std::string>> erased;  // keys in [first, second), before:
  std::vector<std::pair<std::string, std::string>> added;   // keys and values
};

// What one checkpoint makes durable: all of it, at one atomic synced write.
struct Checkpoint {
  std::string place;  // opaque here: the runtime's place, watermarks, counters
  // As Table::checkpoint_slice() made them, one for each table of each worker, always in the same
  // order.
  std::vector<PackedTable> tables;
  std::vector<OutboxEntry> outbox;   // new entries
  uint64_t outbox_published_to = 0;  // entries below may be forgotten
  KeptChanges kept = {};
};

// Writes checkpoints into a generation's store and reads them back. Layout: checkpoint_format.h.
//
// A checkpoint's rows are packed into blobs, which is many times cheaper than a Put for each row.
// Rows of old checkpoints are not merged with newer ones: tables write their rows again before long
// (Table, checkpoints), and say from which checkpoint on all of their rows are there. What is older
// is void, and erased by erase_void(). Restart reads the rest, newest first. Events (EventLog) are
// not written again, and small parts of them are merged.
//
// Large parts of a checkpoint are runs of their own in the store, added before the write that makes
// them count. A crash in between leaves blobs of a checkpoint that never was: they are erased, and
// its number is not used again.
//
// One thread, which need not be the pipeline's.
class CheckpointStore {
 public:
  // The store outlives this. A part of so many bytes is a run.
  static constexpr uint64_t kRunBytes = 4u << 20;
  explicit CheckpointStore(StateStore* store, uint64_t run_bytes = kRunBytes);

  // NotFound: no checkpoint yet. DataLoss: not ours or damaged; says what.
  absl::StatusOr<std::string> read_place() const;
  using VisitRow = std::function<absl::Status(TableId table, uint32_t key_group,
                                              std::string_view key, std::string_view value)>;
  // Each row of the last checkpoint, but those of some tables, once, in no particular order.
  // DataLoss: some of it is missing or damaged; says what. Keys are held in memory meanwhile.
  absl::Status read_rows(const VisitRow& visit, const std::set<TableId>& but = {}) const;
  // Each stored event of these logs with the number of its checkpoint, in the order in which they
  // were stored: read_rows() leaves them out. Events that count no more may be among them.
  using VisitEvent =
      std::function<absl::Status(TableId log, uint64_t checkpoint, const StoredEvent& event)>;
  absl::Status read_events(const std::set<TableId>& logs, const VisitEvent& visit) const;
  absl::StatusOr<std::vector<OutboxEntry>> read_outbox() const;
  // Those below were forgotten, as the last checkpoint said.
  uint64_t outbox_from() const { return head_.outbox_from; }
  // The stored entries from a number on, in order, until `visit` returns false. Any thread, beside
  // write() too: it sees whole checkpoints.
  absl::Status visit_outbox(uint64_t from,
                            const std::function<bool(const OutboxEntry&)>& visit) const;

  // What is kept, of the keys in [from, to), in their order, until `visit` returns false.
  absl::Status visit_kept(
      std::string_view from, std::string_view to,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) const;

  // Takes the checkpoint's blobs away. After an error nothing is written any more: tables take what
  // they packed for written.
  absl::Status write(Checkpoint& checkpoint);
  absl::Status write(Checkpoint&& checkpoint) { return write(checkpoint); }

  // Bytes of all blobs in the store.
  size_t delta_bytes() const { return head_.bytes; }
  // Whether enough blobs are void to be worth erasing.
  bool should_erase_void() const;
  // Erases the blobs that are void. What read_rows() says does not change, whenever this is cut
  // short.
  absl::Status erase_void();
  // Makes one part of many small ones of an event log, so that their number goes by what they hold
  // and not by the time that it took to come. What read_events() says does not change, but for
  // checkpoints' numbers, which may be later.
  absl::Status merge_small_parts();

  // Forgets the rows and events of all operators but these, the outbox and what is kept, and makes
  // `place` the checkpoint's: in one synced write. For a store that nobody writes to.
  absl::Status keep_only(const std::set<uint64_t>& operator_ids, std::string place);

 private:
  // What is known of the tables with one id since this was made.
  struct Followed {
    struct Table {            // one for each worker
      uint32_t sequence = 0;  // its own count of the last checkpoint
      uint64_t start = 0;     // from where on all its rows are there; 0: not known yet
    };
    std::vector<Table> tables;
    uint64_t steady_since = 0;  // all of them took part in every checkpoint from here on
    bool lost = false;          // one of them was left out: nothing is certain any more
  };

  absl::Status load_head();
  absl::Status load_parts();
  absl::Status find_left_over();
  absl::Status erase_left_over();
  // Calls f(table, checkpoint, part) for each part that is void.
  template <typename F>
  void for_each_void(F&& f) const;
  // Takes note of what the tables with one id said about the checkpoint `head`, and sets where
  // their rows start if they told.
  void follow(TableId id, const std::vector<PackedHead>& said, CheckpointHead* head);
  absl::Status read_table(TableId table, const VisitRow& visit) const;
  // The first checkpoint that holds something of the table that later ones do not.
  uint64_t start_of(TableId table) const;
  absl::Status read_events_of(TableId log, uint64_t checkpoint, const CheckpointPart& part,
                              const VisitEvent& visit) const;
  // All of its parts from this checkpoint on.
  absl::Status merge_parts(TableId log, uint64_t first);
  static void erase_part(TableId table, uint64_t checkpoint, const CheckpointPart& part,
                         CheckpointHead* head, WriteBatch* batch);
  // Takes back the room of one that was erased, if it is a run.
  absl::Status drop_part(TableId table, uint64_t checkpoint, const CheckpointPart& part);
  static absl::Status damaged_blob(TableId table, uint64_t checkpoint, size_t n, size_t blobs,
                                   const absl::Status& why);
  // The rows of a sealed blob, appended to `rows`, which point into it.
  static absl::Status read_blob(std::string_view blob, std::vector<PackedRow>* rows);
  absl::StatusOr<std::vector<std::string>> read_part(TableId table, uint64_t checkpoint,
                                                     const CheckpointPart& part) const;

  StateStore* store_;
  const uint64_t run_bytes_;
  absl::Status loaded_;  // why the head could not be read, NotFound if there is none
  absl::Status failed_;  // why the last write failed
  CheckpointHead head_;
  uint64_t numbered_to_ = 0;            // checkpoints get larger numbers: others have left blobs
  std::vector<std::string> left_over_;  // their keys
  std::map<TableId, std::map<uint64_t, CheckpointPart>> parts_;  // by table and checkpoint
  std::map<TableId, Followed> followed_;
  std::set<TableId> event_logs_;  // of those that were written since this was made
};

}  // namespace kappa::state
