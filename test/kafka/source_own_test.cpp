// Reading while the broker goes away.

#include "absl/strings/match.h"
#include "test/kafka/broker.h"
#include "test/kafka/source.h"

namespace kappa::test {

using Values = std::vector<std::string>;

TEST_CASE("a killed broker is waited for, and its records are read on when it is back") {
  KAPPA_NEED_KAFKA();
  Broker broker;
  const auto log = open_log(broker.bootstrap());
  create_topic(broker.bootstrap(), "sales", 1, kForEver);
  append_values(*log, "sales", 0, {"a", "b"});
  const auto reader = log->open_reader({"sales", 0}, Offset{0});
  REQUIRE(reader.ok());
  CHECK(read_values(**reader, Offset{2}) == Values{"a", "b"});
  broker.kill();
  absl::Status status;
  CHECK(eventually([&] {
    status = (*reader)->read(1 << 16).status();
    return absl::IsUnavailable(status);
  }));
  INFO(status);
  CHECK(absl::StrContains(status.message(), "waiting for topic sales partition 0 at offset 2"));
  CHECK(absl::IsUnavailable(log->range({"sales", 0}).status()));
  broker.start();
  CHECK(eventually([&] { return log->range({"sales", 0}).ok(); }));
  append_values(*log, "sales", 0, {"c"});
  CHECK(read_values(**reader, Offset{3}) == Values{"c"});
}

TEST_CASE("a broker that hangs is out of reach after a few seconds, not at its end") {
  KAPPA_NEED_KAFKA();
  Broker broker;
  const auto log = open_log(broker.bootstrap());
  create_topic(broker.bootstrap(), "sales", 1, kForEver);
  append_values(*log, "sales", 0, {"a"});
  const auto reader = log->open_reader({"sales", 0}, Offset{0});
  REQUIRE(reader.ok());
  CHECK(read_values(**reader, Offset{1}) == Values{"a"});
  broker.pause();
  absl::Status status;
  CHECK(eventually(
      [&] {
        status = (*reader)->read(1 << 16).status();
        return absl::IsUnavailable(status);
      },
      std::chrono::seconds(20)));
  INFO(status);
  CHECK(absl::StrContains(status.message(), "has not answered for"));
  broker.resume();
  append_values(*log, "sales", 0, {"b"});
  CHECK(read_values(**reader, Offset{2}) == Values{"b"});
  CHECK(eventually([&] { return (*reader)->read(1 << 16).ok(); }));
}

}  // namespace kappa::test
