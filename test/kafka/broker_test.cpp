#include "test/kafka/broker.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace kappa::test {
namespace {

using Lines = std::vector<std::string>;

TEST_CASE("what kcat writes to the shared broker, kcat reads") {
  KAPPA_NEED_KAFKA();
  const std::string broker = shared_broker();
  const std::string topic = unique_name("written");
  create_topic(broker, topic, 2);
  kcat(broker, {"-P", "-t", topic, "-p", "1", "-K", ":", "-H", "of=header"}, "a:1\nb:2\n");
  CHECK(committed_records(broker, topic, "%p %o %k %s %h") ==
        Lines{"1 0 a 1 of=header", "1 1 b 2 of=header"});
  delete_topic(broker, topic);
}

}  // namespace
}  // namespace kappa::test
