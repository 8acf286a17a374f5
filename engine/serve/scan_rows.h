#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/runtime/reads.h"
#include "engine/serve/product.h"
#include "engine/types/batch.h"
#include "engine/types/value.h"

namespace kappa::serve {

// A range of keys: each bound holds values of the first key columns of a view, or none.
struct KeyRange {
  Row prefix;  // equal to
  Row start;   // not before
  Row end;     // before

  bool contains(const Batch& rows, size_t row, const std::vector<int>& key) const;
};

// The rows of a range as of one moment, ascending by key (NULL last). Immutable.
struct ScanRows {
  runtime::Stamp stamp;
  operators::Schema schema;
  Batch rows;
  std::vector<uint32_t> order;  // indexes into `rows`
  Arena arena;                  // holds their strings
  size_t bytes = 0;
};

struct ScanLimits {
  runtime::Deadline deadline;
  size_t rows_scanned_max;
  size_t memory_bytes_max;
};

// Reads a whole view as of one moment and keeps the rows of the range. On the caller's thread.
// ResourceExhausted: over a limit; what the reader reports otherwise. `view.reader()` is not asked
// but `reader`, which reads the same product.
absl::StatusOr<std::shared_ptr<const ScanRows>> scan(const ViewRef& view, const KeyRange& range,
                                                     runtime::ViewReader& reader,
                                                     const ScanLimits& limits);

}  // namespace kappa::serve
