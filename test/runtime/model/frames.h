#pragma once

#include <cstdint>
#include <vector>

#include "test/runtime/model/aggregates.h"
#include "test/runtime/model/plan.h"

namespace kappa::model {

// Puts a row among those of its partition, which are ascending by time: behind its peers. Returns
// where it is.
size_t insert_by_time(size_t event_time, const Row& row, std::vector<Row>* rows);

// The results of OVER's calls for rows[own], computed from scratch. `rows` are all that its
// partition ever had, ascending by time, peers in the order in which they came. The watermark is
// the one that the row meets: rows older than that less the horizon count for nobody, but for the
// last ones below the watermark that the longest frame of rows may reach.
Row answers(const SlidingNode& op, const std::vector<Row>& rows, size_t own, int64_t watermark_us);

}  // namespace kappa::model
