#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace grpc {
class Status;
}

// What an error of the API says beyond its code and message. It travels inside of absl::Status as
// payloads, one for each detail, named by the detail's type URL; on the wire it is a
// google.rpc.Status (AIP-193). The codes of absl and gRPC are the same numbers.
namespace kappa::serve {

inline constexpr std::string_view kErrorDomain = "kappa";

struct FieldViolation {
  std::string field;        // its path in the request: "key[0]"
  std::string description;  // what was found and what would be right
};

struct ErrorDetails {
  std::string reason;  // UPPER_SNAKE_CASE
  std::map<std::string, std::string> metadata;
  std::vector<FieldViolation> violations;
  std::optional<int64_t> retry_delay_ms;
};

// Returns `status` (not OK) with a reason for programs.
absl::Status with_reason(absl::Status status, std::string_view reason,
                         const std::map<std::string, std::string>& metadata = {});
// Returns `status` (not OK) with the fields of the request that are wrong.
absl::Status with_violations(absl::Status status, const std::vector<FieldViolation>& violations);
// Returns `status` (not OK) with the time after which trying again makes sense.
absl::Status with_retry(absl::Status status, int64_t delay_ms);

// InvalidArgument about one field of a request; the message is "field: description".
absl::Status invalid_field(std::string_view field, std::string_view description);
// InvalidArgument: what the field gives, in milliseconds since the Unix epoch, is no time from 1970
// on and before the year 10000.
absl::Status check_timestamp(std::string_view field, int64_t ms);

// ResourceExhausted: the threads that run queries have enough to do.
absl::Status too_many_queries();

ErrorDetails details_of(const absl::Status& status);

// Messages and details are cut so that they fit what a client takes as metadata (8 KiB). A status
// without a reason gets its code's name as reason.
grpc::Status to_grpc(const absl::Status& status);
absl::Status from_grpc(const grpc::Status& status);

// `text`, with every byte that is not part of valid UTF-8 replaced by U+FFFD, as proto3 strings
// must be.
std::string valid_utf8(std::string_view text);

}  // namespace kappa::serve
