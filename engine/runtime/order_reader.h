#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/log/log.h"
#include "engine/runtime/epoch.h"
#include "engine/runtime/order_journal.h"
#include "engine/runtime/place.h"

namespace kappa::runtime {

// Reads the records of journal entries in the order. The coordinator's, but for load(), which any
// thread may call while nobody else touches that partition.
//
// Within an entry the order is (log time, topic name, partition, offset). Log times never fall
// within a partition, so this is a merge of the partitions; a run of one partition is taken at
// once.
class OrderReader {
 public:
  // `topics` are sorted by name; records of topics[t] go to epochs as those of topic t. The log
  // outlives the reader. Starts at `places`; a partition not among them at its first offset. Those
  // of `but` are not read.
  // DataLoss: the log does not go on from there, or is another one; named. Unavailable: the log
  // does not answer.
  static absl::StatusOr<OrderReader> open(const log::Log& log,
                                          const std::vector<std::string>& topics,
                                          const std::vector<PartitionPlace>& places,
                                          const std::set<std::string>& but = {});
  // Before the first entry: carries a topic on, whose records entries tell of and no epoch gets.
  // Its partitions stand where the journal has them (otherwise at their first offset). One that the
  // log no longer has is none.
  absl::Status carry(const std::string& topic, const JournalBookmark& at);
  // Before the first entry: these will join; what they hold until there is taken earlier.
  void expect(const std::vector<JoinedPartition>& joins);

  size_t partitions() const { return partitions_.size(); }
  const TopicPartition& partition(size_t index) const { return partitions_[index].id; }
  // Whether its records are for others (carry()).
  bool is_carried(size_t index) const { return partitions_[index].carried; }
  // Where each partition stands.
  std::vector<ReadPosition::Partition> positions() const;
  // The same, to open another reader with.
  std::vector<PartitionPlace> places() const;

  // Reads ahead what has arrived, up to `records_wanted` records of the partition in memory.
  absl::Status load(size_t partition, size_t records_wanted);

  // Describes what is in memory now as an entry, at most about `records_max` records, and makes it
  // the one that is being applied. Nothing if there is nothing.
  std::optional<JournalEntry> take_loaded(LogTime clock, size_t records_max);
  // Describes everything up to the log's confirmed ends as an entry. Nothing if there is nothing.
  // Unavailable: an end is not to be had.
  absl::StatusOr<std::optional<JournalEntry>> describe_backlog(LogTime clock) const;
  // The record timestamp of the oldest record in memory that is not yet applied.
  std::optional<LogTime> oldest_loaded() const;

  // Begins to apply an entry.
  void begin(JournalEntry entry);
  // Goes on with an entry of which a part was applied, as the places given to open() say.
  void resume(JournalEntry entry);
  // Whether an entry has records of these topics in a partition that was not there at open().
  bool lacks_partition_of(const JournalEntry& entry) const;
  // The entry that is being applied; null between entries.
  const std::shared_ptr<const JournalEntry>& entry() const { return entry_; }

  // Appends the entry's next places to the epoch until it holds `places_max` or the entry ends,
  // which entry() then shows. Epochs are given back in the order in which they were filled: one may
  // still need blocks that its successor has used up. Unavailable: the log does not answer, and
  // nothing was appended; call again.
  absl::Status fill(Epoch& epoch, size_t places_max);

  // Before the epoch is cleared, to be filled anew: its blocks are of use for reading on.
  void take_back(Epoch& epoch);

  // Records of a topic, about, that are in the log behind `applied`.
  int64_t lag_records(const std::string& topic, const ReadPosition& applied) const;
  int64_t partition_lag(size_t index, const ReadPosition& applied) const;
  // Records between the start of the partition's log and `applied`: how far retention is away.
  int64_t headroom_records(size_t index, const ReadPosition& applied) const;

 private:
  struct LoadedBlock {
    RecordBlock block;
    // Of its records: merging looks at nothing else, and records are far apart.
    std::vector<LogTime> timestamps;
  };
  // The log time of a record behind others of `log_time`. A timestamp ahead of the entry's clock is
  // ignored.
  static LogTime head_of(LogTime timestamp, LogTime log_time, LogTime clock) {
    return timestamp <= clock ? std::max(log_time, timestamp) : log_time;
  }
  struct Partition {
    TopicPartition id;
    size_t topic = 0;
    bool carried = false;  // no epoch gets its records
    Offset early_to;       // records before it are taken by the clock; 0: none are
    std::unique_ptr<log::LogReader> reader;
    std::deque<LoadedBlock> blocks;  // from the one that holds the next record
    std::vector<std::vector<LogTime>> spare_timestamps;
    size_t next_record = 0;    // in blocks.front()
    size_t entry_end = 0;      // there: the first one that is not in the entry
    size_t loaded = 0;         // records from next_record on
    Offset next;               // all before it were given to epochs; see settle()
    LogTime log_time;          // running maximum in the present entry
    Offset to;                 // where the present entry ends
    uint64_t last_record = 0;  // what the entry says of its last record
    Offset known_to;           // of the last entry that has ended here; as in PartitionPlace
    uint64_t known_record = 0;
    LogTime head;  // log time of the next record, if it is in the entry

    const RecordView& record() const { return blocks.front().block.records[next_record]; }
    bool in_entry() const { return next < to; }
    bool is_early() const { return next < early_to; }
    // While records of a block are given to an epoch, `next` stays behind: they lie far apart, and
    // other cores may have written them.
    void settle() {
      if (next_record == 0) return;
      next = std::max(next, Offset{blocks.front().block.records[next_record - 1].offset.value + 1});
    }
    // Its records are given to epochs, or gone from the log.
    void end_entry() {
      next = to;
      known_to = to;
      known_record = last_record;
    }
    void set_head(LogTime clock) {
      head = head_of(blocks.front().timestamps[next_record], log_time, clock);
    }
  };

  void set_ends(JournalEntry entry);
  static void pass(Partition& partition, const JournalEntry::Advance& advance);
  void end_early(Partition& partition) const;
  static absl::StatusOr<std::unique_ptr<log::LogReader>> check_place(
      const log::Log& log, const TopicPartition& id, const log::PartitionRange& range,
      const PartitionPlace& place);
  absl::StatusOr<std::optional<JournalEntry::Advance>> last_record_before(
      const Partition& partition, Offset end) const;
  absl::Status load(Partition& partition, size_t records_wanted, Offset end);
  absl::Status fill_from_partitions(Epoch& epoch, size_t places_max);
  absl::Status begin_block(Partition& partition);
  absl::Status end_block(Partition& partition, Epoch& epoch);
  absl::Status take_run(Partition& partition, const Partition* rival, Epoch& epoch,
                        size_t places_max);

  const log::Log* log_ = nullptr;
  std::vector<Partition> partitions_;
  std::shared_ptr<const JournalEntry> entry_;
  std::vector<int64_t> known_at_ms_;  // of the records that are being taken
};

}  // namespace kappa::runtime
