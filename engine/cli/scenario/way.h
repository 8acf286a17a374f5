#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/cli/scenario/script.h"
#include "engine/log/embedded/embedded_log.h"
#include "engine/runtime/pipeline.h"
#include "engine/runtime/query_executor.h"
#include "engine/types/clock.h"
#include "state/store.h"

namespace kappa::cli::scenario {

// How a way of running a scenario differs from the others. None may change a result.
struct WayOptions {
  std::string name;  // as failures name it
  uint32_t workers = 1;
  uint32_t epoch_records_max = 8192;
  bool rocksdb = false;              // keep checkpoints in RocksDB, not in memory
  bool restart_after_entry = false;  // checkpoint and reopen after each entry
  bool whole_log_first = false;      // all records are in the log before the first is applied
};

// One way of running a scenario: a log, a journal, a store and a pipeline of its own, in a
// directory of its own. The straight way writes its journal; the others are handed its bytes and
// follow them. One thread.
class Way {
 public:
  // `directory` must not be there yet; it is removed with the way. `journal`: what the straight
  // way's journal held before its first entry; empty for the straight way itself. The script
  // outlives the way.
  static absl::StatusOr<std::unique_ptr<Way>> open(const Script& script, WayOptions options,
                                                   const std::string& directory,
                                                   const std::string& journal);
  ~Way();

  const WayOptions& options() const { return options_; }

  // Appends the records of an entry, unless the whole log was there first.
  absl::Status append(const ScriptEntry& entry);
  enum class EntryKind { kRecords, kTick, kEnd };
  // Journals the entry and applies it. The straight way only.
  absl::Status lead(EntryKind kind, LogTime clock);
  // Adds `bytes` to the journal and applies what they say. The other ways.
  absl::Status follow(const std::string& bytes, LogTime clock);
  // Opens the pipeline again. Without a checkpoint first this is what a crash leaves.
  absl::Status restart(bool checkpoint_first);

  absl::StatusOr<std::string> journal() const;
  absl::StatusOr<runtime::QueryResult> query(const sql::BoundQuery& query);
  const operators::Plan& plan() const { return pipeline_->plan(); }
  // Publishes what waits in the outbox, then reads all records of the topic: by partition, in order
  // of their offsets. None if there is no such topic.
  struct PublishedRecord {
    std::optional<std::string> key;
    std::optional<std::string> value;
    RecordHeaders headers;
  };
  absl::StatusOr<std::vector<PublishedRecord>> published(const std::string& topic);
  absl::StatusOr<std::string> canonical_dump() { return pipeline_->canonical_dump(); }

 private:
  Way(const Script& script, WayOptions options, std::string directory);
  absl::Status open_all(const std::string& journal);
  absl::Status append_records(const ScriptEntry& entry);
  absl::Status open_pipeline();
  std::string journal_path() const { return directory_ + "/journal"; }

  const Script& script_;
  WayOptions options_;
  std::string directory_;
  ManualClock clock_;
  std::unique_ptr<log::EmbeddedLog> log_;
  std::unique_ptr<state::StateStore> store_;
  std::unique_ptr<runtime::Pipeline> pipeline_;
};

}  // namespace kappa::cli::scenario
