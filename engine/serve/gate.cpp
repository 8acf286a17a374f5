#include "engine/serve/gate.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <grpcpp/security/auth_context.h>
#include <grpcpp/server_context.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "engine/serve/api_error.h"
#include "engine/types/text.h"

namespace kappa::serve {
namespace {

constexpr size_t kMessageBytesMax = 1024;

// A message as part of a line of the audit. It may quote a request, which must not be able to begin
// a line of its own.
std::string one_line(std::string_view message) {
  size_t end = std::min(message.size(), kMessageBytesMax);
  while (end < message.size() && end > 0 && (static_cast<uint8_t>(message[end]) & 0xc0) == 0x80) {
    --end;
  }
  std::string line;
  for (const char c : valid_utf8(message.substr(0, end))) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == '\n') {
      line += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      absl::StrAppendFormat(&line, "\\x%02x", byte);
    } else {
      line += c;
    }
  }
  return end < message.size() ? line + "…" : line;
}

std::optional<std::string_view> authorization_of(const grpc::ServerContextBase& context) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find("authorization");
  if (found == metadata.end()) return std::nullopt;
  return std::string_view(found->second.data(), found->second.size());
}

// The names in the certificate that the caller has shown, if it had to show one.
std::string certified_name(const grpc::ServerContextBase& context) {
  const auto auth = context.auth_context();
  if (!auth || !auth->IsPeerAuthenticated()) return "";
  return absl::StrJoin(auth->GetPeerIdentity(), ",", [](std::string* out, const auto& name) {
    absl::StrAppend(out, absl::string_view(name.data(), name.size()));
  });
}

}  // namespace

Gate::Gate(std::optional<AccessList> access, std::function<void(const std::string&)> audit,
           bool raw_ids)
    : access_(std::move(access)), audit_(std::move(audit)), raw_ids_(raw_ids) {}

absl::Status Gate::admit(const grpc::ServerContextBase& context, Method method, Right right,
                         std::string_view product) const {
  if (!access_) return absl::OkStatus();
  absl::Status status = access_->check(authorization_of(context), right, product);
  if (!status.ok()) {
    audit_(absl::StrCat("denied ", std::string(method_name(method)), " to ", context.peer(), ": ",
                        status.message()));
  }
  return status;
}

absl::Status Gate::admit(std::optional<std::string_view> authorization, Right right,
                         const std::string& what, const std::string& peer) const {
  if (!access_) return absl::OkStatus();
  absl::Status status = access_->check(authorization, right, "");
  if (!status.ok()) {
    audit_(absl::StrCat("denied ", what, " to ", peer, ": ", status.message()));
  }
  return status;
}

bool Gate::may_see_raw_ids(const grpc::ServerContextBase& context, std::string_view product) const {
  return access_ ? access_->grants(authorization_of(context), Right::kRawIds, product) : raw_ids_;
}

std::string Gate::caller(const grpc::ServerContextBase& context) const {
  std::string name = access_ ? access_->name_of(authorization_of(context)) : "";
  if (name.empty()) name = certified_name(context);
  return name.empty() ? context.peer() : absl::StrCat(name, " at ", context.peer());
}

void Gate::done(Method method, std::string_view who, std::string_view what) const {
  audit_(absl::StrCat("done ", to_absl(method_name(method)), " by ", to_absl(who), ": ",
                      to_absl(what)));
}

void Gate::failed(Method method, std::string_view who, std::string_view what,
                  const absl::Status& status) const {
  audit_(absl::StrCat("failed ", to_absl(method_name(method)), " by ", to_absl(who), ": ",
                      to_absl(what), ", ", absl::StatusCodeToString(status.code()), ": ",
                      one_line(to_std(status.message()))));
}

}  // namespace kappa::serve
