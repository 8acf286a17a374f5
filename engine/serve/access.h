#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace kappa::serve {

enum class Right : uint8_t { kQuery, kServices, kIngest, kAdmin, kMetrics, kRawIds };
std::string_view right_name(Right right);

// Who may do what, by bearer tokens. Whoever and whatever is not in it is denied.
//
// The file has one caller a line, `#` begins a comment:
//
//   # name    token (16 characters or more)   rights
//   grafana   3c0a6b1f9d5e4b7288aa            query metrics
//   shop      81f2c64f0a1d4f5d9b3e            query=omnishop ingest
//   tills     5b8e1f0c7a6d4e2f9c31            services=fraud ingest
//   ops       77de02b1c4a94c0f8e66            all
//
// `query=PRODUCT`, `services=PRODUCT` and `raw_ids=PRODUCT` grant that of one product only; `all`
// grants everything. `services` is for the services of a domain (FraudService, SalesService) alone,
// where who has no `raw_ids` gets pseudonyms (pseudonyms.h); `query`, which reads views as they
// are, includes it. Immutable.
class AccessList {
 public:
  // InvalidArgument names file, line and what is wrong.
  static absl::StatusOr<AccessList> parse(const std::string& file, std::string_view text);
  static absl::StatusOr<AccessList> load(const std::string& path);

  // `authorization` is the header's value: "Bearer <token>". An empty product means any.
  // Unauthenticated: no token, or an unknown one. PermissionDenied names caller and right.
  absl::Status check(std::optional<std::string_view> authorization, Right right,
                     std::string_view product) const;
  // Whether the caller with that token has the right; no token, or an unknown one: no.
  bool grants(std::optional<std::string_view> authorization, Right right,
              std::string_view product) const;
  // The name of the caller with that token; empty: no token, or an unknown one.
  std::string name_of(std::optional<std::string_view> authorization) const;

 private:
  struct Caller {
    std::string name;
    std::string token;
    std::set<Right> rights;
    std::set<std::pair<Right, std::string>> on_products;  // rights on one product only
    bool may(Right right, std::string_view product) const;
  };
  const Caller* find(std::string_view token) const;
  // Unauthenticated says what is wrong with the header.
  absl::StatusOr<const Caller*> authenticate(std::optional<std::string_view> authorization) const;
  static absl::StatusOr<Caller> parse_line(std::string_view line);

  std::vector<Caller> callers_;
};

}  // namespace kappa::serve
