#pragma once

#include <cstddef>

#include "absl/status/status.h"
#include "engine/runtime/query_executor.h"

namespace kappa::runtime {

// What one query has used of its limits. Lives on the query's thread.
class QueryBudget {
 public:
  explicit QueryBudget(const QueryLimits& limits) : limits_(limits) {}

  // DeadlineExceeded once the deadline has passed. Cheap enough for every batch.
  absl::Status check_deadline() const;
  // Counts rows read from views. ResourceExhausted: too many.
  absl::Status count_scanned(size_t rows);
  // Moves the memory in use from `*held` bytes of one holder to `bytes`. ResourceExhausted: too
  // much.
  absl::Status hold(size_t bytes, size_t* held);

  Deadline deadline() const { return limits_.deadline; }

 private:
  QueryLimits limits_;
  size_t rows_scanned_ = 0;
  size_t memory_bytes_ = 0;
};

}  // namespace kappa::runtime
