#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "test/kafka/broker.h"

namespace kappa::test {
namespace {

using Lines = std::vector<std::string>;

TEST_CASE("a broker of a test's own keeps its port and its records across a kill and a pause") {
  KAPPA_NEED_KAFKA();
  Broker broker;
  create_topic(broker.bootstrap(), "kept", 1);
  kcat(broker.bootstrap(), {"-P", "-t", "kept"}, "before\n");
  const std::string bootstrap = broker.bootstrap();
  broker.kill();
  broker.start();
  CHECK(broker.bootstrap() == bootstrap);
  broker.pause();
  broker.resume();
  kcat(bootstrap, {"-P", "-t", "kept"}, "after\n");
  CHECK(committed_records(bootstrap, "kept", "%s") == Lines{"before", "after"});
}

}  // namespace
}  // namespace kappa::test
