#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "engine/log/embedded/embedded_log.h"

template <>
struct Catch::StringMaker<kappa::Offset> {
  static std::string convert(const kappa::Offset& offset) { return std::to_string(offset.value); }
};

namespace kappa::log {

// A directory that is gone when the test is.
class TempDirectory {
 public:
  TempDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "kappa-log-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

#define REQUIRE_OK(expr)                         \
  do {                                           \
    const absl::Status status_of_expr_ = (expr); \
    INFO(status_of_expr_.ToString());            \
    REQUIRE(status_of_expr_.ok());               \
  } while (false)

template <typename T>
T must(absl::StatusOr<T> value) {
  INFO(value.status().ToString());
  REQUIRE(value.ok());
  return *std::move(value);
}

inline std::unique_ptr<EmbeddedLog> must_open(const std::string& directory,
                                              EmbeddedLogOptions options = {}) {
  return must(open_embedded_log(directory, options));
}

inline TopicPartition at(const std::string& topic, int32_t partition = 0) {
  return {.topic = topic, .partition = partition};
}

// Appends values to one partition, one call for all of them; returns the first offset.
inline Offset append_values(Log& log, const std::string& topic,
                            const std::vector<std::string>& values, int32_t partition = 0,
                            std::optional<LogTime> timestamp = std::nullopt) {
  std::vector<RecordToAppend> records;
  for (const std::string& value : values) {
    records.push_back({.key = std::nullopt,
                       .value = value,
                       .timestamp = timestamp,
                       .partition = partition,
                       .headers = nullptr});
  }
  const std::vector<AppendedAt> appended = must(log.append(topic, records));
  REQUIRE(appended.size() == values.size());
  return appended.front().offset;
}

struct ReadRecord {
  Offset offset;
  LogTime timestamp;
  std::optional<std::string> key;
  std::optional<std::string> value;
  RecordHeaders headers;
};

inline ReadRecord copy_of(const RecordView& record) {
  ReadRecord copy{.offset = record.offset,
                  .timestamp = record.timestamp,
                  .key = {},
                  .value = {},
                  .headers = parse_headers(record)};
  if (record.key_view()) copy.key = std::string(*record.key_view());
  if (record.value_view()) copy.value = std::string(*record.value_view());
  return copy;
}

// Everything from `from` to the end.
inline absl::StatusOr<std::vector<ReadRecord>> try_read_all(const Log& log,
                                                            const TopicPartition& partition,
                                                            Offset from = {},
                                                            size_t bytes_max = 1 << 16) {
  auto reader = log.open_reader(partition, from);
  if (!reader.ok()) return reader.status();
  std::vector<ReadRecord> records;
  while (true) {
    absl::StatusOr<RecordBlock> block = (*reader)->read(bytes_max);
    if (!block.ok()) return block.status();
    if (block->empty()) return records;
    for (const RecordView& record : block->records) records.push_back(copy_of(record));
  }
}

inline std::vector<ReadRecord> read_all(const Log& log, const TopicPartition& partition,
                                        Offset from = {}, size_t bytes_max = 1 << 16) {
  return must(try_read_all(log, partition, from, bytes_max));
}

inline std::vector<std::string> values_of(const std::vector<ReadRecord>& records) {
  std::vector<std::string> values;
  for (const ReadRecord& record : records) values.push_back(record.value.value_or("(null)"));
  return values;
}

// "0", "1", … from `first` on.
inline std::vector<std::string> numbers(int64_t first, int64_t count) {
  std::vector<std::string> values;
  for (int64_t i = 0; i < count; ++i) values.push_back(std::to_string(first + i));
  return values;
}

}  // namespace kappa::log
