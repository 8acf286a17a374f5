#include "engine/serve/api_error.h"

#include <grpcpp/support/status.h>

#include "absl/strings/cord.h"
#include "engine/types/datetime.h"
#include "engine/types/text.h"
#include "engine/types/time.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace kappa::serve {
namespace {

constexpr std::string_view kTypePrefix = "type.googleapis.com/";
constexpr std::string_view kErrorInfoUrl = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr std::string_view kBadRequestUrl = "type.googleapis.com/google.rpc.BadRequest";
constexpr std::string_view kRetryInfoUrl = "type.googleapis.com/google.rpc.RetryInfo";

// gRPC sends message and details in the trailers. Clients refuse more than 8 KiB of them, details
// are written in base64 there, and the message is in both.
constexpr size_t kMessageBytesMax = 1536;
constexpr size_t kDetailsBytesMax = 2560;

template <typename Message>
absl::Status with_payload(absl::Status status, std::string_view url, const Message& message) {
  status.SetPayload(to_absl(url), absl::Cord(message.SerializeAsString()));
  return status;
}

template <typename Message>
std::optional<Message> payload_of(const absl::Status& status, std::string_view url) {
  const auto bytes = status.GetPayload(to_absl(url));
  Message message;
  if (!bytes || !message.ParseFromString(std::string(*bytes))) return std::nullopt;
  return message;
}

// The length of the UTF-8 sequence at the start of `text`, or 0 if there is no valid one.
size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const auto continues = [&](size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return continues(1) ? 2 : 0;
  if (lead >= 0xE0 && lead < 0xF0) {
    if (!continues(1) || !continues(2)) return 0;
    const bool overlong = lead == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = lead == 0xED && byte(1) >= 0xA0;
    return overlong || surrogate ? 0 : 3;
  }
  if (lead >= 0xF0 && lead < 0xF5) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    const bool overlong = lead == 0xF0 && byte(1) < 0x90;
    const bool too_high = lead == 0xF4 && byte(1) >= 0x90;
    return overlong || too_high ? 0 : 4;
  }
  return 0;
}

std::string cut(std::string text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  size_t end = bytes_max;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return text + "…";
}

// As many violations as fit into the bytes that the other details leave.
google::rpc::BadRequest cut(const google::rpc::BadRequest& all, size_t bytes_max) {
  google::rpc::BadRequest fitting;
  size_t bytes = 0;
  for (const auto& violation : all.field_violations()) {
    bytes += violation.ByteSizeLong() + 4;
    if (bytes > bytes_max) break;
    *fitting.add_field_violations() = violation;
  }
  return fitting;
}

// "NOT_FOUND" for absl::StatusCode::kNotFound.
std::string code_name(absl::StatusCode code) {
  return absl::StatusCodeToString(code);
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    if (length == 0) {
      out += "\uFFFD";
      text.remove_prefix(1);
    } else {
      out += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  return out;
}

absl::Status with_reason(absl::Status status, std::string_view reason,
                         const std::map<std::string, std::string>& metadata) {
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(reason));
  info.set_domain(std::string(kErrorDomain));
  for (const auto& [key, value] : metadata) {
    (*info.mutable_metadata())[key] = cut(valid_utf8(value), 256);
  }
  return with_payload(std::move(status), kErrorInfoUrl, info);
}

absl::Status with_violations(absl::Status status, const std::vector<FieldViolation>& violations) {
  google::rpc::BadRequest request;
  for (const FieldViolation& violation : violations) {
    auto* added = request.add_field_violations();
    added->set_field(valid_utf8(violation.field));
    added->set_description(cut(valid_utf8(violation.description), 512));
  }
  return with_payload(std::move(status), kBadRequestUrl, request);
}

absl::Status with_retry(absl::Status status, int64_t delay_ms) {
  google::rpc::RetryInfo info;
  info.mutable_retry_delay()->set_seconds(delay_ms / 1000);
  info.mutable_retry_delay()->set_nanos(static_cast<int32_t>(delay_ms % 1000 * 1'000'000));
  return with_payload(std::move(status), kRetryInfoUrl, info);
}

absl::Status invalid_field(std::string_view field, std::string_view description) {
  return with_violations(
      absl::InvalidArgumentError(std::string(field) + ": " + std::string(description)),
      {{std::string(field), std::string(description)}});
}

absl::Status check_timestamp(std::string_view field, int64_t ms) {
  if (ms >= 0 && ms < kEndTimestampUs / kMicrosPerMilli) return absl::OkStatus();
  return invalid_field(field, "expected milliseconds since 1970, before the year 10000");
}

absl::Status too_many_queries() {
  return with_retry(with_reason(absl::ResourceExhaustedError(
                                    "too many queries are waiting already; try again soon"),
                                "TOO_MANY_QUERIES"),
                    250);
}

ErrorDetails details_of(const absl::Status& status) {
  ErrorDetails details;
  if (auto info = payload_of<google::rpc::ErrorInfo>(status, kErrorInfoUrl)) {
    details.reason = info->reason();
    details.metadata.insert(info->metadata().begin(), info->metadata().end());
  }
  if (auto request = payload_of<google::rpc::BadRequest>(status, kBadRequestUrl)) {
    for (const auto& violation : request->field_violations()) {
      details.violations.push_back({violation.field(), violation.description()});
    }
  }
  if (auto retry = payload_of<google::rpc::RetryInfo>(status, kRetryInfoUrl)) {
    details.retry_delay_ms =
        retry->retry_delay().seconds() * 1000 + retry->retry_delay().nanos() / 1'000'000;
  }
  return details;
}

grpc::Status to_grpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const std::string message = cut(valid_utf8(to_std(status.message())), kMessageBytesMax);
  google::rpc::Status wire;
  wire.set_code(static_cast<int32_t>(status.code()));
  wire.set_message(message);
  auto info = payload_of<google::rpc::ErrorInfo>(status, kErrorInfoUrl);
  if (!info) {
    info.emplace();
    info->set_reason(code_name(status.code()));
    info->set_domain(std::string(kErrorDomain));
  }
  if (info->ByteSizeLong() > kDetailsBytesMax / 2) info->clear_metadata();
  wire.add_details()->PackFrom(*info);
  if (auto retry = payload_of<google::rpc::RetryInfo>(status, kRetryInfoUrl)) {
    wire.add_details()->PackFrom(*retry);
  }
  if (auto request = payload_of<google::rpc::BadRequest>(status, kBadRequestUrl)) {
    const size_t used = wire.ByteSizeLong() - message.size();
    wire.add_details()->PackFrom(cut(*request, kDetailsBytesMax - used));
  }
  return {static_cast<grpc::StatusCode>(status.code()), message, wire.SerializeAsString()};
}

absl::Status from_grpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  google::rpc::Status wire;
  if (!status.error_details().empty() && wire.ParseFromString(status.error_details())) {
    for (const auto& detail : wire.details()) {
      if (detail.type_url().starts_with(kTypePrefix)) {
        result.SetPayload(detail.type_url(), absl::Cord(detail.value()));
      }
    }
  }
  return result;
}

}  // namespace kappa::serve
