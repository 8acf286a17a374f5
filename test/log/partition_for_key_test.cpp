#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/log/log.h"

namespace kappa::log {
namespace {

TEST_CASE("a key goes to the partition that Kafka's clients pick") {
  // Hashes as Kafka's own tests have them (org.apache.kafka.common.utils.UtilsTest) or an
  // independent client computes them.
  const std::vector<std::pair<std::string, int32_t>> vectors = {
      {"", 275646681},
      {"21", -973932308},
      {"foobar", -790332482},
      {"a-little-bit-long-string", -985981536},
      {"a-little-bit-longer-string", -1486304829},
      {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
      {"abc", 479470107},
      {"\xff\xfe\x80", -160726397},
  };
  for (const auto& [key, hash] : vectors) {
    for (const int32_t partitions : {1, 2, 3, 12, 1000, 0x7fffffff}) {
      INFO(key << " over " << partitions);
      CHECK(partition_for_key(key, partitions) == (hash & 0x7fffffff) % partitions);
    }
  }
}

TEST_CASE("topic names follow Kafka's rule") {
  for (const std::string good : {"a", "transactions", "A-b_c.9", "...", ".hidden"}) {
    CHECK(validate_topic_name(good).ok());
  }
  CHECK(validate_topic_name(std::string(249, 'x')).ok());
  for (const std::string bad : {"", ".", "..", "a b", "a/b", "caf\xc3\xa9", "a~", "a\n"}) {
    INFO(bad);
    CHECK(validate_topic_name(bad).code() == absl::StatusCode::kInvalidArgument);
  }
  CHECK(validate_topic_name(std::string(250, 'x')).code() == absl::StatusCode::kInvalidArgument);
  CHECK(validate_topic_name("a\nb").message() ==
        "topic name \"a\\nb\": found \"\\n\" at character 2; letters, digits, \".\", \"_\" and "
        "\"-\" are allowed");
}

}  // namespace
}  // namespace kappa::log
