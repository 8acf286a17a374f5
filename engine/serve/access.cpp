#include "engine/serve/access.h"

#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/serve/api_error.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"

namespace kappa::serve {
namespace {

constexpr size_t kTokenBytesMin = 16;
constexpr Right kRights[] = {Right::kQuery, Right::kServices, Right::kIngest,
                             Right::kAdmin, Right::kMetrics,  Right::kRawIds};
constexpr Right kRightsOnProducts[] = {Right::kQuery, Right::kServices, Right::kRawIds};

// Takes the same time wherever the two differ, so that a token cannot be guessed byte by byte.
bool equal_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  }
  return difference == 0;
}

absl::Status unauthenticated(std::string_view why) {
  return with_reason(absl::UnauthenticatedError(to_absl(why)), "UNAUTHENTICATED");
}

}  // namespace

std::string_view right_name(Right right) {
  switch (right) {
    case Right::kQuery:
      return "query";
    case Right::kServices:
      return "services";
    case Right::kIngest:
      return "ingest";
    case Right::kAdmin:
      return "admin";
    case Right::kMetrics:
      return "metrics";
    case Right::kRawIds:
      return "raw_ids";
  }
  return "";
}

absl::StatusOr<AccessList::Caller> AccessList::parse_line(std::string_view line) {
  const std::vector<std::string> words =
      absl::StrSplit(to_absl(line), absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
  if (words.size() < 3) {
    return absl::InvalidArgumentError("expected a name, a token and one or more rights");
  }
  Caller caller{words[0], words[1], {}, {}};
  if (caller.token.size() < kTokenBytesMin) {
    return absl::InvalidArgumentError(absl::StrCat("the token of ", caller.name, " has ",
                                                   caller.token.size(), " characters, it needs ",
                                                   kTokenBytesMin, " or more"));
  }
  for (size_t i = 2; i < words.size(); ++i) {
    bool known = words[i] == "all";
    if (known) caller.rights.insert(std::begin(kRights), std::end(kRights));
    for (const Right right : kRightsOnProducts) {
      const std::string prefix = absl::StrCat(to_absl(right_name(right)), "=");
      if (!words[i].starts_with(prefix) || words[i].size() == prefix.size()) continue;
      caller.on_products.emplace(right, words[i].substr(prefix.size()));
      known = true;
    }
    for (const Right right : kRights) {
      if (words[i] != right_name(right)) continue;
      caller.rights.insert(right);
      known = true;
    }
    if (!known) {
      return absl::InvalidArgumentError(absl::StrCat(
          "unknown right ", excerpt(words[i]),
          "; expected query, query=PRODUCT, services, services=PRODUCT, ingest, admin, "
          "metrics, raw_ids, raw_ids=PRODUCT or all"));
    }
  }
  return caller;
}

absl::StatusOr<AccessList> AccessList::parse(const std::string& file, std::string_view text) {
  AccessList list;
  int number = 0;
  for (absl::string_view split : absl::StrSplit(to_absl(text), '\n')) {
    ++number;
    const std::string_view line = strip_spaces(to_std(split));
    if (line.empty() || line.starts_with('#')) continue;
    absl::StatusOr<Caller> caller = parse_line(line);
    if (caller.ok() && list.find(caller->token) != nullptr) {
      caller = absl::InvalidArgumentError(
          absl::StrCat("the token of ", caller->name, " is another caller's too"));
    }
    if (!caller.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(file, ":", number, ": ", caller.status().message()));
    }
    list.callers_.push_back(*std::move(caller));
  }
  return list;
}

absl::StatusOr<AccessList> AccessList::load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::InvalidArgumentError(absl::StrCat("cannot read the tokens file ", path));
  }
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return parse(path, text);
}

bool AccessList::Caller::may(Right right, std::string_view product) const {
  if (right == Right::kServices && may(Right::kQuery, product)) return true;
  return rights.contains(right) || on_products.contains({right, std::string(product)});
}

const AccessList::Caller* AccessList::find(std::string_view token) const {
  const Caller* found = nullptr;
  for (const Caller& caller : callers_) {
    if (equal_in_constant_time(caller.token, token)) found = &caller;
  }
  return found;
}

absl::StatusOr<const AccessList::Caller*> AccessList::authenticate(
    std::optional<std::string_view> authorization) const {
  constexpr std::string_view kBearer = "Bearer ";
  if (!authorization) {
    return unauthenticated("this server wants a token: send the metadata authorization: Bearer …");
  }
  if (authorization->size() <= kBearer.size() ||
      !equals_ignoring_case(authorization->substr(0, kBearer.size()), kBearer)) {
    return unauthenticated("the authorization metadata is not of the form: Bearer <token>");
  }
  const Caller* caller = find(strip_spaces(authorization->substr(kBearer.size())));
  if (caller == nullptr) return unauthenticated("the token is not known");
  return caller;
}

std::string AccessList::name_of(std::optional<std::string_view> authorization) const {
  const absl::StatusOr<const Caller*> caller = authenticate(authorization);
  return caller.ok() ? (*caller)->name : "";
}

bool AccessList::grants(std::optional<std::string_view> authorization, Right right,
                        std::string_view product) const {
  const absl::StatusOr<const Caller*> caller = authenticate(authorization);
  return caller.ok() && (*caller)->may(right, product);
}

absl::Status AccessList::check(std::optional<std::string_view> authorization, Right right,
                               std::string_view product) const {
  KAPPA_ASSIGN_OR_RETURN(const Caller* const caller, authenticate(authorization));
  if (caller->may(right, product)) return absl::OkStatus();
  const std::string what = product.empty() ? "" : absl::StrCat(" on product ", to_absl(product));
  return with_reason(
      absl::PermissionDeniedError(absl::StrCat("caller ", caller->name, " has no right to ",
                                               to_absl(right_name(right)), what)),
      "PERMISSION_DENIED", {{"caller", caller->name}, {"right", std::string(right_name(right))}});
}

}  // namespace kappa::serve
