#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/serve/client.h"

namespace kappa::cli {

// What makes an import start again where it was broken off, after a kill or a crash of the machine,
// without a record missing or doubled.
//
// Records are appended in the order of the file, one request after the other, and which partition a
// record goes to depends on the record alone. So what a partition holds of an import is always the
// beginning of what it will hold, and its last record of the import tells all. Each record
// therefore carries the import's id and its line, in the header kappa-import: "ID:LINE".
//
// Where to look for the last one stands in the log too: the topic kappa-imports holds, a record an
// event, how far imports had come: for each partition the last line, and the offset from which
// later ones are to be looked for. Such an entry is written before the first record, every now and
// then, and at the end, each once what it counts is on stable storage.
//
//   open ─begin()─► begun ─in_log()/appended()/save()…─► finish()
class ImportLedger {
 public:
  // `mapping` names what the records are made by. An empty id: nothing is remembered, and nothing
  // is read or written here. FailedPrecondition: the import was begun with another mapping.
  static absl::StatusOr<ImportLedger> open(serve::Client* client, std::string id,
                                           const serve::TopicStatus& topic,
                                           const std::string& mapping);

  // Whether an earlier run began it; whether it was finished.
  bool goes_on() const { return begun_; }
  bool finished() const { return finished_; }
  // Records of the import that are in the log.
  int64_t records() const { return records_; }
  bool remembers() const { return !id_.empty(); }

  // Writes the first entry, unless there is one.
  absl::Status begin();
  // Whether the record of this line, which belongs to this partition, is in the log, if it was not
  // refused.
  bool in_log(int32_t partition, int64_t line) const {
    return line <= positions_[static_cast<size_t>(partition)].line;
  }
  // Its header.
  RecordHeaders headers(int64_t line) const;
  // These were appended.
  void appended(const std::vector<log::AppendedAt>& at, const std::vector<int64_t>& lines);
  // Makes everything appended stable, then writes an entry that says so.
  absl::Status save() { return write("going"); }
  absl::Status finish() { return write("finished"); }

 private:
  // Of a partition: the last line in the log, and where later ones are looked for.
  struct Position {
    int64_t line = 0;
    Offset from;
  };

  ImportLedger() = default;
  absl::Status read_entries();
  absl::Status read_back();
  absl::Status write(const char* state);
  absl::Status append(const std::string& entry);

  serve::Client* client_ = nullptr;
  std::string id_;
  std::string topic_;
  std::string mapping_;  // its hash
  std::vector<Position> positions_;
  std::vector<log::PartitionRange> ranges_;  // when it was opened
  int64_t records_ = 0;
  std::string last_entry_;
  bool begun_ = false;
  bool finished_ = false;
};

// The id of an import of a file: of its path, its size and its first block. Empty if it is no file.
absl::StatusOr<std::string> import_id_of(const std::string& path);

}  // namespace kappa::cli
