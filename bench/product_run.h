#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "bench/bench.h"
#include "bench/bid_log.h"
#include "bench/nexmark.h"
#include "engine/log/embedded/embedded_log.h"
#include "engine/runtime/pipeline.h"

namespace kappa::bench {

// A product over a log of bids, as `kappa serve` runs it: live, from an empty state, with
// checkpoints into RocksDB every second.
struct Product {
  std::string table = kBidTable;
  std::string sql;  // statements behind the table of bids
  BidKeys keys;
  bool durable = true;  // else state is kept in memory only
  std::function<void(operators::NodeId, const Batch&)> on_output;
  bool completes = false;  // with an end mark, which closes all windows
  bool restarts = false;   // once all is applied and durable; what that takes goes to `more`
  // Adds records of other topics to a log of so many bids; gives their number.
  std::function<absl::StatusOr<int64_t>(log::EmbeddedLog& log, int64_t bids)> add_records;
};

// Makes a log of `records` bids and what the product adds to them, lets a pipeline with
// `options.workers` take all of it and stop (a last checkpoint included), and fills in records,
// seconds and bytes. Generating the log is not timed. `check` then sees the stopped pipeline's
// views through `reader`.
using Check = std::function<absl::Status(runtime::ViewReader& reader)>;
absl::StatusOr<Result> run_product(const Product& product, int64_t records, const Options& options,
                                   const Check& check);

// The same over a log that is there and holds so many records for the product, whatever else.
// `bytes_per_record` is the caller's to fill in.
absl::StatusOr<Result> run_over(log::Log* log, const Product& product, int64_t records,
                                const std::string& directory, const Options& options,
                                const Check& check);

// Waits until a running pipeline has applied so many records.
absl::Status wait_for_records(const runtime::Pipeline& pipeline, int64_t records);

// Calls `see` for each row of a view.
absl::Status for_each_row(runtime::ViewReader& reader, const std::string& view,
                          const std::function<absl::Status(const Row& row)>& see);

// run_product() twice: over a few records, whose result must be right before anything is timed, and
// over `options.records`. `check_for` makes a check for so many records.
absl::StatusOr<Result> check_and_run(const Product& product, const Options& options,
                                     const std::function<Check(int64_t records)>& check_for);

}  // namespace kappa::bench
