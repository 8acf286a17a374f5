#pragma once

#include "absl/status/statusor.h"
#include "engine/runtime/reads.h"
#include "engine/sql/query.h"

namespace kappa::runtime {

struct QueryLimits {
  Deadline deadline = Deadline::max();
  size_t rows_scanned_max = 50'000'000;
  size_t memory_bytes_max = 256u << 20;
};

// What waits in an emit = 'final' view that a query read. `until` is in the terms of the view's own
// watermark, as stamps and metrics have it: the first row shows once that is reached.
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
// Rows come in no particular order unless the query sorts. Memory is held for what a sort, a join's
// right side, a DISTINCT, an aggregate's groups and the result keep, not for what is scanned.
// ResourceExhausted: over a limit; DeadlineExceeded; InvalidArgument: an expression fails, as
// "line:column: message".
absl::StatusOr<QueryResult> execute(const sql::BoundQuery& query, ViewReader& reader,
                                    const QueryLimits& limits);

}  // namespace kappa::runtime
