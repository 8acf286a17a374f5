#pragma once

#include "absl/status/statusor.h"
#include "engine/runtime/reads.h"
#include "engine/sql/query.h"

namespace kappa::runtime {

struct QueryLimits {
  Deadline deadline;
  size_t rows_scanned_max = 50'000'000;
  size_t memory_bytes_max = 256u << 20;
};

// What waits in an emit = 'final' view that a query read.
struct WaitingRows {
  std::string view;
  Snapshot::Waiting waiting;
};

struct QueryResult {
  Stamp stamp;
  operators::Schema schema;
  Batch rows;
  Arena arena;  // holds the strings of `rows`
  std::vector<WaitingRows> waiting;
};

// Runs a bound query over a snapshot of its views, all as of one epoch, on the caller's thread.
// ResourceExhausted: over a limit; InvalidArgument: an expression fails, with its position.
absl::StatusOr<QueryResult> execute(const sql::BoundQuery& query, ViewReader& reader,
                                    const QueryLimits& limits);

}  // namespace kappa::runtime
