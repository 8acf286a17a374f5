#include "engine/serve/cursors.h"

#include <catch2/catch.hpp>

#include "engine/serve/api_error.h"

namespace kappa::serve {
namespace {

std::shared_ptr<const ScanRows> rows_of(size_t rows, size_t bytes) {
  auto made = std::make_shared<ScanRows>();
  made->order.resize(rows);
  made->bytes = bytes;
  return made;
}

struct Fixture {
  Fixture() {
    limits.cursors_memory_bytes_max = 1000;
    limits.cursor_idle_ms_max = 60'000;
  }
  ServerLimits limits;
  ManualClock clock{LogTime{1'000'000}};
  Cursors cursors{&clock, &limits};
};

TEST_CASE_METHOD(Fixture, "a token finds its rows and position again, more than once") {
  const auto rows = rows_of(10, 100);
  const std::string cursor = *cursors.keep(rows, 7);
  for (int i = 0; i < 2; ++i) {
    const auto start = cursors.find(Cursors::token(cursor, 4), 7);
    REQUIRE(start.ok());
    CHECK(start->rows == rows);
    CHECK(start->position == 4);
    CHECK(start->cursor == cursor);
  }
}

TEST_CASE_METHOD(Fixture, "a token that is not used for the idle time expires") {
  const std::string cursor = *cursors.keep(rows_of(10, 100), 7);
  const std::string token = Cursors::token(cursor, 4);
  clock.set(LogTime{1'060'000});
  CHECK(cursors.find(token, 7).ok());  // and that is a use
  clock.set(LogTime{1'120'000});
  CHECK(cursors.find(token, 7).ok());
  clock.set(LogTime{1'180'001});
  const absl::Status expired = cursors.find(token, 7).status();
  CHECK(absl::IsAborted(expired));
  CHECK(details_of(expired).reason == "PAGE_TOKEN_EXPIRED");
  CHECK(expired.ToString().find("start the scan again") != std::string::npos);
  CHECK(cursors.bytes() == 0);
}

TEST_CASE_METHOD(Fixture, "tokens that are no tokens, or of another scan, are refused") {
  const std::string cursor = *cursors.keep(rows_of(10, 100), 7);
  CHECK(absl::IsInvalidArgument(cursors.find("hello", 7).status()));
  CHECK(absl::IsInvalidArgument(cursors.find("", 7).status()));
  CHECK(absl::IsInvalidArgument(cursors.find(Cursors::token(cursor, 4), 8).status()));
  CHECK(absl::IsInvalidArgument(cursors.find(Cursors::token(cursor, 11), 7).status()));
  CHECK(absl::IsAborted(cursors.find(Cursors::token(std::string(16, 'x'), 0), 7).status()));
}

TEST_CASE_METHOD(Fixture, "finished cursors make room for new ones, others do not") {
  const std::string first = *cursors.keep(rows_of(10, 600), 1);
  const absl::Status full = cursors.keep(rows_of(10, 600), 2).status();
  CHECK(absl::IsResourceExhausted(full));
  CHECK(details_of(full).retry_delay_ms == 60'000);
  cursors.finish(first);
  CHECK(cursors.find(Cursors::token(first, 0), 1).ok());
  CHECK(cursors.keep(rows_of(10, 600), 2).ok());
  CHECK(absl::IsAborted(cursors.find(Cursors::token(first, 0), 1).status()));
  CHECK(cursors.bytes() == 600);
}

TEST_CASE_METHOD(Fixture, "expiry gives the memory back by itself") {
  REQUIRE(cursors.keep(rows_of(10, 600), 1).ok());
  clock.set(LogTime{1'060'001});
  cursors.expire();
  CHECK(cursors.bytes() == 0);
}

}  // namespace
}  // namespace kappa::serve
