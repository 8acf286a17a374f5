#include "engine/serve/api_error.h"

#include <catch2/catch.hpp>
#include <grpcpp/support/status.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "schemas/utf8.h"

namespace kappa::serve {
namespace {

TEST_CASE("an error keeps code, message and details on its way over gRPC") {
  absl::Status status =
      with_reason(absl::NotFoundError("there is no view \"x\""), "VIEW_NOT_FOUND", {{"view", "x"}});
  status = with_violations(status, {{"view", "unknown"}, {"key[0]", "wrong"}});
  status = with_retry(status, 1500);
  const absl::Status back = from_grpc(to_grpc(status));
  CHECK(absl::IsNotFound(back));
  CHECK(back.message() == "there is no view \"x\"");
  const ErrorDetails details = details_of(back);
  CHECK(details.reason == "VIEW_NOT_FOUND");
  CHECK(details.metadata.at("view") == "x");
  REQUIRE(details.violations.size() == 2);
  CHECK(details.violations[1].field == "key[0]");
  CHECK(details.violations[1].description == "wrong");
  CHECK(details.retry_delay_ms == 1500);
}

TEST_CASE("every code is the same number on both sides") {
  for (int code = 1; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "m");
    CHECK(static_cast<int>(to_grpc(status).error_code()) == code);
    CHECK(from_grpc(to_grpc(status)).code() == status.code());
  }
  CHECK(to_grpc(absl::OkStatus()).ok());
  CHECK(from_grpc(grpc::Status::OK).ok());
}

TEST_CASE("an error without a reason has its code's name as reason") {
  CHECK(details_of(from_grpc(to_grpc(absl::InternalError("m")))).reason == "INTERNAL");
}

TEST_CASE("the details are a google.rpc.Status with the domain kappa") {
  const grpc::Status sent = to_grpc(with_reason(absl::AbortedError("m"), "R"));
  google::rpc::Status wire;
  REQUIRE(wire.ParseFromString(sent.error_details()));
  CHECK(wire.code() == 10);
  CHECK(wire.message() == "m");
  REQUIRE(wire.details_size() == 1);
  google::rpc::ErrorInfo info;
  REQUIRE(wire.details(0).UnpackTo(&info));
  CHECK(info.domain() == "kappa");
}

TEST_CASE("long errors are cut to what a client takes as metadata") {
  std::vector<FieldViolation> violations;
  for (int i = 0; i < 1000; ++i) violations.push_back({"field", std::string(1000, 'x')});
  std::string message;
  for (int i = 0; i < 5000; ++i) message += "ä";
  const absl::Status status =
      with_reason(with_violations(absl::InvalidArgumentError(message), violations), "R",
                  {{"a", std::string(100'000, 'y')}});
  const grpc::Status sent = to_grpc(status);
  // Details are written in base64.
  CHECK(sent.error_message().size() + sent.error_details().size() * 4 / 3 < 8000);
  CHECK(schemas::is_valid_utf8(sent.error_message()));
  const ErrorDetails details = details_of(from_grpc(sent));
  CHECK(details.reason == "R");
  CHECK_FALSE(details.violations.empty());
}

TEST_CASE("what is not UTF-8 becomes a replacement character, the rest stays") {
  CHECK(valid_utf8("plain äöü €😀") == "plain äöü €😀");
  CHECK(valid_utf8("a\xff"
                   "b") ==
        "a\uFFFD"
        "b");
  CHECK(valid_utf8("\xc0\x80") == "\uFFFD\uFFFD");            // overlong
  CHECK(valid_utf8("\xed\xa0\x80") == "\uFFFD\uFFFD\uFFFD");  // surrogate
  CHECK(valid_utf8("\xf4\x90\x80\x80") == "\uFFFD\uFFFD\uFFFD\uFFFD");
  CHECK(valid_utf8("\xe2\x82") == "\uFFFD\uFFFD");  // cut off
  CHECK(valid_utf8("").empty());
}

}  // namespace
}  // namespace kappa::serve
