#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "engine/log/kafka/kafka_log.h"
#include "test/kafka/broker.h"

namespace kappa::test {

// What tests of reading from a real broker have in common.

// Retention goes by the records' timestamps, and those of tests are old.
inline const TopicSettings kForEver = {{"retention.ms", "-1"}};

inline std::unique_ptr<log::Log> open_log(log::KafkaOptions options) {
  options.log_line = [](std::string_view) {};
  auto log = log::open_kafka_log(options);
  INFO(log.status());
  REQUIRE(log.ok());
  return *std::move(log);
}

inline std::unique_ptr<log::Log> open_log(const std::string& bootstrap) {
  log::KafkaOptions options;
  options.brokers = bootstrap;
  options.look_for_partitions_ms = 200;
  return open_log(options);
}

// Appends the values to a partition, a millisecond apart from `timestamp_ms` on.
inline void append_values(log::Log& log, const std::string& topic, int32_t partition,
                          const std::vector<std::string>& values, int64_t timestamp_ms = 1000) {
  std::vector<log::RecordToAppend> records;
  for (const std::string& value : values) {
    log::RecordToAppend& record = records.emplace_back();
    record.value = value;
    record.timestamp = LogTime{timestamp_ms++};
    record.partition = partition;
  }
  const auto appended = log.append(topic, records);
  INFO(appended.status());
  REQUIRE(appended.ok());
}

// Everything up to `end`, however often one has to ask.
inline std::vector<std::string> read_values(log::LogReader& reader, Offset end) {
  std::vector<std::string> values;
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (reader.position() < end && std::chrono::steady_clock::now() < give_up) {
    const auto block = reader.read_to(end, 1 << 16);
    if (absl::IsUnavailable(block.status())) continue;
    INFO(block.status());
    REQUIRE(block.ok());
    for (const RecordView& view : block->records) {
      values.emplace_back(view.value_view().value_or("(null)"));
    }
  }
  return values;
}

template <typename Condition>
bool eventually(Condition holds, std::chrono::seconds longest = std::chrono::seconds(60)) {
  const auto give_up = std::chrono::steady_clock::now() + longest;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

}  // namespace kappa::test
