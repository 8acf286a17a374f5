#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/log/embedded/topic_map.h"
#include "engine/log/log.h"
#include "engine/types/time.h"

namespace kappa::log {

// One append to a topic of an owner: groups the records by partition, a write for each, and makes
// all of them visible or none. Keyless records go where `seed` and the partition counter say.
// NotFound: no such partition. InvalidArgument: a record that is too large or has a negative
// timestamp. ResourceExhausted: the disk is full.
absl::StatusOr<std::vector<AppendedAt>> append_to_partitions(
    TopicMap::Topic& topic, std::span<const RecordToAppend> records, LogTime now, uint64_t seed);

}  // namespace kappa::log
