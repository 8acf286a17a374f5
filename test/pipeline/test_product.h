#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/log/embedded/embedded_log.h"
#include "engine/runtime/pipeline.h"
#include "engine/types/clock.h"
#include "state/store.h"

namespace kappa::test {

// A directory that goes with its owner.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  std::string path(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// A log, a store and a journal in a temporary directory, and a pipeline of some SQL over them.
class TestProduct {
 public:
  explicit TestProduct(std::string sql, runtime::PipelineOptions options = {});

  // Appends a JSON payload at a log time and moves the clock there if it is later.
  void append(const std::string& topic, const std::string& json, int64_t timestamp_ms,
              int32_t partition = 0);
  // Drops the pipeline as a crash would and opens it again; options may be changed before.
  void crash_and_reopen();
  // The rows of a view as text, sorted: values separated by '|'.
  std::vector<std::string> rows(const std::string& view);
  // The values of a topic's records, of all its partitions.
  std::vector<std::string> topic(const std::string& name);
  std::string dump();

  runtime::Pipeline& operator*() { return *pipeline; }
  runtime::Pipeline* operator->() { return pipeline.get(); }

  TemporaryDirectory directory;
  ManualClock clock;
  std::unique_ptr<log::Log> log;
  std::unique_ptr<state::StateStore> store = state::make_memory_store();
  runtime::PipelineOptions options;
  std::unique_ptr<runtime::Pipeline> pipeline;

 private:
  void open();
  std::string sql_;
};

// Fails the test with the status's message unless it is OK.
void require_ok(const absl::Status& status);

// Waits for a condition that a live pipeline makes true sooner or later: a minute at most.
template <typename Condition>
void wait_for(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace kappa::test
