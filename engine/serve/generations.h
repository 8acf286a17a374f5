#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/runtime/reads.h"
#include "engine/types/record.h"
#include "engine/types/time.h"
#include "engine/types/value.h"
#include "state/data_directory.h"

namespace kappa::serve {

// What a replay may take of a machine on which live work goes on. 0: as much as it can get.
struct ReplayBudget {
  double cpu_cores_max = 0;
  double records_per_second_max = 0;
  uint64_t memory_bytes_max = 0;  // of rows and events in memory: with more it is paused
  bool operator==(const ReplayBudget&) const = default;
};

// One complete state of a product, and what it is doing.
struct GenerationStatus {
  uint32_t id = 0;
  state::GenerationState state = state::GenerationState::kLive;
  bool runs = false;           // it applies records now, or would if it were not paused
  bool paused = false;         // of one that replays
  std::string paused_because;  // if nobody has asked for it
  absl::Status failure;        // why it has stopped by itself, if it has
  std::string created;         // RFC 3339
  uint64_t plan_fingerprint = 0;
  ReplayBudget budget;
  state::ReplayStart start;
  std::vector<std::string> kept_views;  // state::GenerationInfo
  // Of one that runs:
  uint64_t records = 0;            // that it has applied since the product's first one
  int64_t records_remaining = 0;   // in the log behind its place
  double records_per_second = 0;   // over the last seconds
  double arriving_per_second = 0;  // what the live generation takes: a replay must be faster
  EventTime watermark;             // the least of its sources
  uint64_t state_bytes = 0;

  // Nothing: not to be foreseen, since it does not gain on what arrives.
  std::optional<double> eta_seconds() const;
};

// What two generations show of one view, at one place in the order.
struct ViewDifference {
  std::string view;
  // Why rows could not be told apart, only counted: a view that only one of them has, or with
  // another key. Empty: they could.
  std::string incomparable;
  uint64_t rows_before = 0;
  uint64_t rows_after = 0;
  // Of all rows, in whatever order, over the columns that both have; equal for equal rows.
  uint64_t checksum_before = 0;
  uint64_t checksum_after = 0;
  uint64_t changed = 0;
  uint64_t added = 0;    // keys that only the later one has
  uint64_t removed = 0;  // keys that only the former one has
  // Of changed rows, how many differ in this column; columns without any are left out.
  std::vector<std::pair<std::string, uint64_t>> columns;
  // Columns that only one of them has: not compared.
  std::vector<std::string> columns_before;
  std::vector<std::string> columns_after;

  // The columns that both have, the key's first, with a few rows of each kind.
  std::vector<std::string> sample_columns;
  struct Sample {
    std::optional<Row> before;  // nullopt: added
    std::optional<Row> after;   // nullopt: removed
  };
  std::vector<Sample> samples;

  // The same rows, of the same columns.
  bool equal() const;
};

struct Comparison {
  uint32_t before = 0;  // the live generation
  uint32_t after = 0;
  std::vector<std::pair<TopicPartition, Offset>> place;  // of both
  std::vector<ViewDifference> views;                     // by name

  bool equal() const;
};

struct ReplayRequest {
  std::map<std::string, std::string> files;  // of the product, by path in it
  ReplayBudget budget;
  // Topics of which the log has lost its first records, and which are replayed from what is left.
  std::vector<std::string> accepted_gaps;
  state::ReplayStart start = {};
  // Views that do not change are computed again, too, and so is a product of which nothing changes.
  bool recompute_all = false;
};

struct SwapRequest {
  uint32_t generation = 0;  // that is to be live; 0: the only one that is ready
  // Views that must be equal at a common place before anything is done; "*": all.
  std::vector<std::string> require_equal;
  // The old generation goes on applying what arrives, so that a rollback is instant.
  bool keep_following = false;
};

struct SwapReport {
  uint32_t from = 0;
  uint32_t to = 0;
  double seconds = 0;       // in all
  double held_seconds = 0;  // for which no record was taken; reads were served throughout
};

// The generations of a product: a replay is started, looked after, compared, swapped in, rolled
// back. One operation at a time: Aborted if another one runs. Thread-safe.
//
//   start_replay ─► replaying ─► ready ─swap─► live ─swap, roll_back─► retired ─drop_retired─► gone
//                     │ └─ pause, resume ─┘ │
//                     └──── cancel_replay ──┴─► gone
//
// NotFound names the generations that there are; FailedPrecondition says in which state a
// generation is and what would be needed.
class GenerationControl {
 public:
  virtual ~GenerationControl() = default;

  // Ascending by id.
  virtual std::vector<GenerationStatus> generations() = 0;
  // Makes a generation of these files and lets it replay the product's log; views that need not be
  // computed again bring their state along from the live one. InvalidArgument: the files are
  // faulty. FailedPrecondition: one replays already, nothing would be replayed, a topic has lost
  // records and is not among the accepted gaps, or the files change what an output by key holds in
  // a way that a swap could not publish. DeadlineExceeded: the live one takes a backlog, and cannot
  // give its state along.
  virtual absl::StatusOr<uint32_t> start_replay(const ReplayRequest& request) = 0;
  // With generation 0, these mean the only one that is replaying or ready.
  virtual absl::Status pause_replay(uint32_t generation) = 0;
  virtual absl::Status resume_replay(uint32_t generation, std::optional<ReplayBudget> budget) = 0;
  virtual absl::Status cancel_replay(uint32_t generation) = 0;
  // Compares with the live one while both run on. DeadlineExceeded: it was not where the live one
  // is in time.
  virtual absl::StatusOr<Comparison> compare(uint32_t generation, size_t samples_max,
                                             runtime::Deadline deadline) = 0;
  virtual absl::StatusOr<SwapReport> swap(const SwapRequest& request,
                                          runtime::Deadline deadline) = 0;
  // Swaps the one that was live before back in, once it has caught up. FailedPrecondition: there is
  // none, or an output by key cannot go back to what it held.
  virtual absl::StatusOr<SwapReport> roll_back(bool keep_following, runtime::Deadline deadline) = 0;
  // Removes retired generations, but for the last `keep`; gives back which.
  virtual absl::StatusOr<std::vector<uint32_t>> drop_retired(size_t keep) = 0;
};

}  // namespace kappa::serve
