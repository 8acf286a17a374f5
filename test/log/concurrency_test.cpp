#include <atomic>
#include <thread>

#include "engine/log/append_listeners.h"
#include "engine/log/embedded/sync_rounds.h"
#include "test/log/log_fixture.h"

namespace kappa::log {
namespace {

constexpr int kAppenders = 3;
constexpr int kAppends = 300;

// Catch's macros are for one thread: threads say what they found and the test checks it.
void append_many(Log& log, int appender, std::atomic<int>* failures) {
  for (int i = 0; i < kAppends; ++i) {
    const std::string value = std::to_string(appender) + ":" + std::to_string(i);
    std::vector<RecordToAppend> records;
    for (int32_t p = 0; p <= i % 3; ++p) records.push_back({.value = value, .partition = p});
    if (!log.append("t", records).ok()) ++*failures;
    if (i % 50 == 0 && !log.sync().ok()) ++*failures;
  }
}

// Reads a partition until `total` records have come; each appender's must come in order.
void read_many(const Log& log, int32_t partition, int64_t total, std::atomic<int>* failures) {
  auto reader = log.open_reader(at("t", partition), Offset{0});
  std::vector<int> last(kAppenders, -1);
  int64_t next = 0;
  while (next < total) {
    const absl::StatusOr<RecordBlock> block = (*reader)->read(4096);
    if (!block.ok()) {
      ++*failures;
      return;
    }
    const absl::StatusOr<PartitionRange> range = log.range(at("t", partition));
    if (!range.ok() || range->end < block->next_offset) ++*failures;
    if (range->durable_end > range->end || range->start > range->durable_end) ++*failures;
    for (const RecordView& record : block->records) {
      if (record.offset != Offset{next++}) ++*failures;
      const std::string value(*record.value_view());
      const auto appender = static_cast<size_t>(value[0] - '0');
      const int number = std::stoi(value.substr(2));
      if (number <= last[appender]) ++*failures;
      last[appender] = number;
    }
    if (block->empty()) std::this_thread::yield();
  }
}

TEST_CASE("appenders, readers, syncs and retention get along") {
  const TempDirectory directory;
  ManualClock clock(LogTime{1000});
  const auto log = must_open(directory.path(),
                             {.segment_bytes = 4096, .retention_check_ms = 1, .clock = &clock});
  REQUIRE_OK(log->create_topic("t", {.partitions = 3, .retention_ms = 1'000'000}));
  REQUIRE_OK(log->create_topic("short", {.retention_ms = 0}));
  std::atomic<int> failures = 0;
  std::atomic<int> calls = 0;
  std::atomic<bool> done = false;
  const auto handle = log->on_append([&] { ++calls; });

  std::vector<std::thread> appenders;
  appenders.reserve(kAppenders);
  for (int a = 0; a < kAppenders; ++a) {
    appenders.emplace_back([&, a] { append_many(*log, a, &failures); });
  }
  std::vector<std::thread> others;
  for (int32_t p = 0; p < 3; ++p) {
    const int64_t total = int64_t{kAppenders} * (kAppends - p * kAppends / 3);
    others.emplace_back([&, p, total] { read_many(*log, p, total, &failures); });
  }
  others.emplace_back([&] {
    for (int64_t i = 0; !done; ++i) {
      const RecordToAppend record{.value = "old", .timestamp = LogTime{i % 1000}};
      if (!log->append("short", {&record, 1}).ok()) ++failures;
      if (!log->enforce_retention().ok()) ++failures;
      if (!log->offset_for_time(at("t"), LogTime{0}).ok()) ++failures;
      if (log->topics()->size() < 2) ++failures;
      if (!log->create_topic("new-" + std::to_string(i % 5), {}).ok()) ++failures;
    }
  });
  others.emplace_back([&] {
    while (!done) {
      if (!log->sync().ok()) ++failures;
      const auto short_lived = log->on_append([&] { ++calls; });
    }
  });
  for (std::thread& thread : appenders) thread.join();
  done = true;
  for (std::thread& thread : others) thread.join();
  CHECK(failures == 0);
  CHECK(calls >= kAppenders * kAppends);
  REQUIRE_OK(log->sync());
  for (int32_t p = 0; p < 3; ++p) {
    const PartitionRange range = must(log->range(at("t", p)));
    CHECK(range.durable_end == range.end);
    CHECK(range.end == Offset{int64_t{kAppenders} * (kAppends - p * kAppends / 3)});
  }
}

TEST_CASE("blocks may be let go of on another thread than they were read on") {
  const TempDirectory directory;
  const auto log = must_open(directory.path(), {.fsync = Fsync::kNever});
  REQUIRE_OK(log->create_topic("t", {}));
  for (int i = 0; i < 200; ++i) append_values(*log, "t", {std::string(1000, static_cast<char>(i))});
  const auto reader = must(log->open_reader(at("t"), Offset{0}));
  std::mutex mutex;
  std::vector<RecordBlock> queue;
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  std::thread other([&] {
    int next = 0;
    while (next < 400) {
      std::vector<RecordBlock> taken;
      {
        const std::lock_guard lock(mutex);
        taken.swap(queue);
      }
      for (const RecordBlock& block : taken) {
        for (const RecordView& record : block.records) {
          if (record.value_view() != std::string(1000, static_cast<char>(next++ % 200))) ++wrong;
        }
      }
    }
    done = true;
  });
  for (int pass = 0; pass < 2; ++pass) {
    reader->seek(Offset{0});
    for (RecordBlock block = must(reader->read(8192)); !block.empty();
         block = must(reader->read(8192))) {
      const std::lock_guard lock(mutex);
      queue.push_back(std::move(block));
    }
  }
  other.join();
  CHECK(done);
  CHECK(wrong == 0);
}

TEST_CASE("who unsubscribes while the callback runs waits for it") {
  AppendListeners listeners;
  std::atomic<bool> entered = false;
  std::atomic<bool> left = false;
  auto handle = listeners.add([&] {
    entered = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    left = true;
  });
  std::thread notifier([&] { listeners.notify(); });
  while (!entered) std::this_thread::yield();
  handle.reset();
  CHECK(left);
  notifier.join();
  left = false;
  listeners.notify();
  CHECK_FALSE(left);
  CHECK(listeners.empty());
}

TEST_CASE("callers that come while a round of syncing runs share the next") {
  std::atomic<int> rounds = 0;
  std::atomic<int> inside = 0;
  std::atomic<bool> overlapped = false;
  std::atomic<int> waiting = 0;
  SyncRounds sync([&] {
    if (++inside > 1) overlapped = true;
    ++rounds;
    if (rounds == 1) {
      while (waiting < 8) std::this_thread::yield();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    --inside;
    return absl::OkStatus();
  });
  std::vector<std::thread> callers;
  callers.reserve(9);
  for (int i = 0; i < 9; ++i) {
    callers.emplace_back([&] {
      ++waiting;
      sync.join().IgnoreError();
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK_FALSE(overlapped);
  CHECK(rounds >= 2);
  CHECK(rounds <= 9);
}

TEST_CASE("the result of a round goes to all who waited for it") {
  SyncRounds sync([] { return absl::ResourceExhaustedError("full"); });
  CHECK(sync.join().code() == absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace kappa::log
