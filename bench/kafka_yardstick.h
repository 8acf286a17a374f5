#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/bench.h"
#include "engine/types/record.h"

namespace kappa::bench {

// What a plain program reaches that reads a topic of bids by librdkafka's callback consumer and
// takes four fields of each with simdjson on demand: the yardstick of benches over Kafka, which
// knows nothing of the engine. Reads all of `ends` (a partition's end each), from the start.
// `checked`: each record gave its four fields.
absl::StatusOr<Result> run_yardstick(const std::string& brokers, const std::string& topic,
                                     const std::vector<Offset>& ends, int64_t records);

}  // namespace kappa::bench
