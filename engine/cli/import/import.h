#pragma once

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/cli/import/bad_lines.h"
#include "engine/cli/import/ledger.h"
#include "engine/cli/import/mapping.h"
#include "engine/cli/import/progress_bar.h"
#include "engine/cli/import/record_reader.h"

namespace kappa::cli {

// The way of a file's records into a topic: read, made into the log's records, appended in batches.
// While a batch is appended, the next one is made. One thread; borrowed things outlive it.
class Import {
 public:
  struct Options {
    std::string topic;
    int32_t partitions = 1;
    int64_t bad_max = 0;
  };
  Import(Options options, serve::Client* client, RecordReader* reader, Mapping* mapping,
         ImportLedger* ledger, BadLines* bad);
  ~Import();

  // Up to the end of the file. An error leaves everything before it in the log; a later run goes
  // on there.
  absl::Status run();
  int64_t appended() const { return appended_; }  // by this run
  int64_t already() const { return already_; }    // found in the log

 private:
  struct Batch {
    std::vector<serve::RecordToSend> records;
    std::vector<int64_t> lines;     // where they stand in the file,
    std::vector<size_t> text_ends;  // and as what: ends in `texts`
    std::string texts;
    size_t bytes = 0;

    void add(serve::RecordToSend record, int64_t line, std::string_view text);
    std::string_view text(size_t i) const;
  };

  absl::Status read_all();
  absl::Status take(const InputRecord& input);
  absl::Status set_aside(int64_t line, std::string_view reason, std::string_view text);
  // Begins to append the batch, once the one before is done.
  absl::Status send(bool last);
  absl::Status settle();
  void start_sending();
  absl::Status drop_refused(const absl::Status& refused);

  const Options options_;
  serve::Client* const client_;
  RecordReader* const reader_;
  Mapping* const mapping_;
  ImportLedger* const ledger_;
  BadLines* const bad_;
  ProgressBar bar_;
  Batch batch_;
  Batch sending_;  // the batch under way, and what becomes of it
  bool synced_ = false;
  std::future<absl::StatusOr<std::vector<log::AppendedAt>>> sent_;
  std::chrono::steady_clock::time_point next_save_;
  int64_t appended_ = 0;
  int64_t already_ = 0;
};

}  // namespace kappa::cli
