#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/types/record.h"
#include "engine/types/time.h"

namespace kappa::runtime {

// One entry of the order: a range of each partition that advances, taken in the order (log time,
// topic, partition, offset), or a moment without records.
struct JournalEntry {
  enum class Kind : uint8_t {
    kHistory = 1,  // a backlog, journalled as a whole before any of it is applied
    kLive = 2,     // what one live epoch took
    kTick = 3,     // time passed in silence
    kEnd = 4,      // an end mark: every window closes
    kJoin = 5,     // topics join: what they hold so far, and has not been taken before
  };
  struct Advance {
    TopicPartition partition;
    Offset to;  // one past the last record of the range; it starts where the last ended
    uint64_t last_record = 0;  // record_hash() of the last record of the range
  };
  Kind kind = Kind::kLive;
  LogTime clock;  // never before the clock of an earlier entry
  std::vector<Advance> advances;
};

// What an entry remembers of the last record of a range, to notice that the log is another one.
uint64_t record_hash(const RecordView& record);

// Topics that nobody has read so far join at a place: a kJoin entry says where their partitions end
// there (those that are empty are introduced only), and from there on entries say how they go on,
// whether the leading pipeline reads them or not. A pipeline that reads them takes what they held
// before in earlier entries: each record in the first entry with records whose clock is not before
// the record's timestamp (nor before those of the records before it), the rest in the kJoin entry.
// So a dimension that is added later is looked up as it was then.
struct JoinedPartition {
  TopicPartition partition;
  Offset end;  // what comes before it is early
};

// A place between two entries, with what is needed to read or write on from there.
struct JournalBookmark {
  uint64_t entry = 0;  // entries before it
  uint64_t byte = 0;   // of the frame behind it; 0: the first
  // The partitions that were introduced, in order, and where each stands.
  std::vector<std::pair<TopicPartition, Offset>> partitions;
};

// The order journal of a product: an append-only file. One writer (the leading pipeline); any
// number of readers, in this process or others, with instances of their own. An instance belongs to
// one thread, but for sync().
//
// File: magic "KAPPAJNL", format version u32 LE, journal id u64 LE, crc32c u32 LE of those, then
// frames: payload size u32 LE, crc32c of the payload u32 LE, payload. A payload is either a
// partition's introduction (0, topic length and bytes, partition; numbered in order of appearance)
// or an entry (kind, clock, count, then number of the partition, offsets advanced, hash u64 LE);
// integers are unsigned varints, the clock zigzag. A torn frame at the end is cut by the writer and
// not yet seen by readers.
class OrderJournal {
 public:
  // Opens, for writing if `writer`; the file is made if it is not there (and `writer`). DataLoss:
  // not a journal, or damaged before its last frame.
  static absl::StatusOr<std::unique_ptr<OrderJournal>> open(const std::string& path, bool writer);
  ~OrderJournal();

  uint64_t id() const { return id_; }

  // The entry at the reading position, which moves behind it; nothing at the end.
  absl::StatusOr<std::optional<JournalEntry>> next();
  // Where next() reads, and a way back to there. DataLoss: the journal is shorter than that.
  const JournalBookmark& bookmark() const { return here_; }
  absl::Status resume(JournalBookmark bookmark);

  // The joins from the reading position on, which stays where it is.
  absl::StatusOr<std::vector<JoinedPartition>> joins_ahead();

  // A reader that has come to the end becomes the writer, whose entries follow there. The writer
  // until now must write no more. FailedPrecondition: the journal goes on behind the reading
  // position.
  absl::Status write_from_here();
  // Adds an entry at the end, written but not synced; the reading position moves behind it.
  absl::Status append(const JournalEntry& entry);
  // Makes a partition known, if it is not: that it is carried on, though nothing is in it yet.
  absl::Status introduce(const TopicPartition& partition);
  // All that was appended before the call is durable. Any thread.
  absl::Status sync();
  // Removes everything from a place on, and goes there. Writer only.
  absl::Status cut(JournalBookmark bookmark);

 private:
  explicit OrderJournal(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  absl::Status read_header();
  absl::Status write_header();
  // The payload of the frame at a byte; nothing if the file ends before the end of the frame.
  absl::StatusOr<std::optional<std::string>> read_frame(uint64_t byte);
  absl::Status refill(uint64_t byte);
  size_t number_of(const TopicPartition& partition) const;  // how many there are: unknown
  absl::Status write_frame(const std::string& payload);
  absl::Status apply_introduction(const std::string& payload);
  absl::StatusOr<JournalEntry> parse_entry(const std::string& payload);

  int fd_;
  std::string path_;
  uint64_t id_ = 0;
  JournalBookmark here_;
  std::string window_;  // a stretch of the file, so that next() does not read a frame a time
  uint64_t window_byte_ = 0;
};

}  // namespace kappa::runtime
