#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "engine/types/record.h"

namespace kappa::log {

// "topic T partition P".
std::string name_of(const TopicPartition& partition);

// An error of librdkafka (rd_kafka_resp_err_t) as a status that begins with `what`.
//
//   Unavailable       out of reach, no leader, timed out: try again
//   NotFound          no such topic or partition
//   PermissionDenied  an ACL is missing; the message says which to add
//   Unauthenticated   the brokers do not take us for who we say we are
//   InvalidArgument   it does not take this: too large, a bad name
//   Internal          anything else
absl::Status kafka_status(int error, const std::string& what);
// PermissionDenied or Unauthenticated: waiting does not help, somebody has to do something.
bool is_refused(const absl::Status& status);
// What librdkafka has told of a connection that it could not make: Unauthenticated, with what to
// do, if the user, the password or a certificate is not taken; OK if waiting may help.
absl::Status refusal_of(int error, std::string_view reason);
// Whether waiting may help.
bool is_passing(int error);
// Whether a broker has said that the topic or partition is not there.
bool is_unknown_topic(int error);

}  // namespace kappa::log
