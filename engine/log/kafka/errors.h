#pragma once

#include <string>

#include "absl/status/status.h"
#include "engine/types/record.h"

namespace kappa::log {

// "topic T partition P".
std::string name_of(const TopicPartition& partition);

// An error of librdkafka (rd_kafka_resp_err_t) as a status that begins with `what`.
//
//   Unavailable       out of reach, no leader, timed out: try again
//   NotFound          no such topic or partition
//   PermissionDenied  the broker does not let us
//   InvalidArgument   it does not take this: too large, a bad name
//   Internal          anything else
absl::Status kafka_status(int error, const std::string& what);
// Whether waiting may help.
bool is_passing(int error);
// Whether a broker has said that the topic or partition is not there.
bool is_unknown_topic(int error);

}  // namespace kappa::log
