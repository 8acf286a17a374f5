#include "engine/serve/access.h"

#include <catch2/catch.hpp>

#include "engine/serve/api_error.h"

namespace kappa::serve {
namespace {

constexpr const char* kFile = R"(
# who      token                  rights
grafana    3c0a6b1f9d5e4b7288aa   query metrics
shop       81f2c64f0a1d4f5d9b3e   query=omnishop   ingest
tills      5b8e1f0c7a6d4e2f9c31   query=fraud ingest raw_ids=fraud
checkout   19f3c2d47b8e4a6c8d50   services=fraud ingest
ops        77de02b1c4a94c0f8e66   all
)";

TEST_CASE("each caller has the rights that the file gives, and no others") {
  const auto list = AccessList::parse("tokens", kFile);
  REQUIRE(list.ok());
  const auto may = [&](const char* token, Right right, const char* product = "") {
    return list->check(std::string("Bearer ") + token, right, product).ok();
  };
  CHECK(may("3c0a6b1f9d5e4b7288aa", Right::kQuery, "omnishop"));
  CHECK(may("3c0a6b1f9d5e4b7288aa", Right::kMetrics));
  CHECK_FALSE(may("3c0a6b1f9d5e4b7288aa", Right::kIngest));
  CHECK_FALSE(may("3c0a6b1f9d5e4b7288aa", Right::kAdmin));
  CHECK(may("81f2c64f0a1d4f5d9b3e", Right::kQuery, "omnishop"));
  CHECK_FALSE(may("81f2c64f0a1d4f5d9b3e", Right::kQuery, "payroll"));
  CHECK_FALSE(may("81f2c64f0a1d4f5d9b3e", Right::kQuery));
  CHECK(may("81f2c64f0a1d4f5d9b3e", Right::kIngest));
  CHECK(may("77de02b1c4a94c0f8e66", Right::kAdmin));
  CHECK(may("77de02b1c4a94c0f8e66", Right::kMetrics));
}

TEST_CASE("the services of a domain may be called without a right to the views") {
  const auto list = AccessList::parse("tokens", kFile);
  REQUIRE(list.ok());
  const auto may = [&](const char* token, Right right, const char* product) {
    return list->check(std::string("Bearer ") + token, right, product).ok();
  };
  CHECK(may("19f3c2d47b8e4a6c8d50", Right::kServices, "fraud"));
  CHECK_FALSE(may("19f3c2d47b8e4a6c8d50", Right::kServices, "omnishop"));
  CHECK_FALSE(may("19f3c2d47b8e4a6c8d50", Right::kQuery, "fraud"));
  // Who reads views may call them, too.
  CHECK(may("81f2c64f0a1d4f5d9b3e", Right::kServices, "omnishop"));
  CHECK_FALSE(may("81f2c64f0a1d4f5d9b3e", Right::kServices, "fraud"));
  CHECK(may("3c0a6b1f9d5e4b7288aa", Right::kServices, "fraud"));
}

TEST_CASE("ids are shown as they are to callers with the right, on one product or on all") {
  const auto list = AccessList::parse("tokens", kFile);
  REQUIRE(list.ok());
  const auto sees = [&](const char* token, const char* product) {
    return list->grants(std::string("Bearer ") + token, Right::kRawIds, product);
  };
  CHECK(sees("5b8e1f0c7a6d4e2f9c31", "fraud"));
  CHECK_FALSE(sees("5b8e1f0c7a6d4e2f9c31", "sales"));
  CHECK_FALSE(sees("81f2c64f0a1d4f5d9b3e", "omnishop"));
  CHECK(sees("77de02b1c4a94c0f8e66", "sales"));
  CHECK_FALSE(sees("no such token at all", "fraud"));
  CHECK_FALSE(list->grants(std::nullopt, Right::kRawIds, "fraud"));
}

TEST_CASE(
    "a missing, unknown or malformed token is unauthenticated, a known one without the right "
    "is denied") {
  const auto list = AccessList::parse("tokens", kFile);
  REQUIRE(list.ok());
  CHECK(absl::IsUnauthenticated(list->check(std::nullopt, Right::kQuery, "")));
  CHECK(absl::IsUnauthenticated(list->check("Bearer 3c0a6b1f9d5e4b7288ab", Right::kQuery, "")));
  CHECK(absl::IsUnauthenticated(list->check("Bearer ", Right::kQuery, "")));
  CHECK(absl::IsUnauthenticated(list->check("Basic 3c0a6b1f9d5e4b7288aa", Right::kQuery, "")));
  CHECK(absl::IsUnauthenticated(list->check("3c0a6b1f9d5e4b7288aa", Right::kQuery, "")));
  const absl::Status denied = list->check("bearer 3c0a6b1f9d5e4b7288aa", Right::kAdmin, "");
  REQUIRE(absl::IsPermissionDenied(denied));
  CHECK(denied.ToString().find("grafana") != std::string::npos);
  CHECK(denied.ToString().find("admin") != std::string::npos);
  CHECK(denied.ToString().find("3c0a6b1f9d5e4b7288aa") == std::string::npos);
  CHECK(details_of(denied).reason == "PERMISSION_DENIED");
}

TEST_CASE("an empty list denies everyone") {
  const auto list = AccessList::parse("tokens", "# nobody\n");
  REQUIRE(list.ok());
  CHECK(absl::IsUnauthenticated(list->check("Bearer 3c0a6b1f9d5e4b7288aa", Right::kQuery, "")));
}

TEST_CASE("a faulty line is named by file and line") {
  const auto fault = [](const char* text) {
    return std::string(AccessList::parse("t.txt", text).status().message());
  };
  CHECK(fault("a b\n").find("t.txt:1: expected a name, a token") == 0);
  CHECK(fault("\na short query\n").find("t.txt:2: the token of a has 5 characters") == 0);
  CHECK(fault("a 3c0a6b1f9d5e4b7288aa querry\n").find("unknown right \"querry\"") !=
        std::string::npos);
  CHECK(fault("a 3c0a6b1f9d5e4b7288aa query=\n").find("unknown right") != std::string::npos);
  CHECK(fault("a 3c0a6b1f9d5e4b7288aa query\nb 3c0a6b1f9d5e4b7288aa admin\n")
            .find("t.txt:2: the token of b is another caller's too") == 0);
  CHECK(absl::IsInvalidArgument(AccessList::load("/no/such/file").status()));
}

}  // namespace
}  // namespace kappa::serve
