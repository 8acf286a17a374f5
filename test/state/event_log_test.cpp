#include "state/event_log.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "state/checkpoint.h"
#include "temporary_directory.h"

namespace kappa::state {
namespace {

constexpr TableId kId{7, 0};
constexpr size_t kRecordBytes = 16;
constexpr size_t kSegmentBytes = kRecordBytes * EventLog::kSegmentRecords;

// Spills into a directory of its own as long as it is there.
class Spilling {
 public:
  Spilling() { set_spill_directory(directory_.path()); }
  ~Spilling() { set_spill_directory(""); }

 private:
  TemporaryDirectory directory_;
};

// Appends an event whose record is its number and its time.
void append(EventLog& log, int64_t time_us) {
  const int64_t content[] = {static_cast<int64_t>(log.end()), time_us};
  std::memcpy(log.append(time_us), content, sizeof(content));
}

void fill(EventLog& log, uint64_t segments) {
  for (uint64_t n = 0; n < segments * EventLog::kSegmentRecords; ++n) {
    append(log, static_cast<int64_t>(log.end()));
  }
}

void check_contents(const EventLog& log) {
  for (uint64_t n = log.begin(); n < log.end(); ++n) {
    int64_t content[2];
    std::memcpy(content, log.record(n), sizeof(content));
    if (content[0] == static_cast<int64_t>(n) && content[1] == content[0]) continue;
    FAIL("event " << n << " holds " << content[0] << " and " << content[1]);
  }
}

int64_t first_time_of_segment(uint64_t segment) {
  return static_cast<int64_t>(segment * EventLog::kSegmentRecords);
}

}  // namespace

TEST_CASE("events that were spilled to a file are the same, and lie where they were") {
  const Spilling spilling;
  EventLog log(kId, kRecordBytes, 2 * kSegmentBytes);
  std::vector<const std::byte*> addresses;
  while (log.end() < 9 * EventLog::kSegmentRecords) {
    append(log, static_cast<int64_t>(log.end()));
    addresses.push_back(log.record(log.end() - 1));
  }
  REQUIRE(log.bytes() == 3 * kSegmentBytes);  // two, and the one that was being filled
  REQUIRE(log.spilled_bytes() == 6 * kSegmentBytes);
  check_contents(log);
  for (uint64_t n = 0; n < log.end(); ++n) {
    if (log.record(n) != addresses[n]) FAIL("event " << n << " has moved");
  }
}

TEST_CASE("without a spill directory events stay in memory") {
  set_spill_directory("");
  EventLog log(kId, kRecordBytes, kSegmentBytes);
  fill(log, 6);
  REQUIRE(log.bytes() == 6 * kSegmentBytes);
  REQUIRE(log.spilled_bytes() == 0);
  check_contents(log);
}

TEST_CASE("without room for its file a log goes on in memory") {
  set_spill_directory("/there/is/no/such/directory");
  EventLog log(kId, kRecordBytes, kSegmentBytes);
  fill(log, 4);
  set_spill_directory("");
  REQUIRE(log.spilled_bytes() == 0);
  check_contents(log);
}

TEST_CASE("segments are forgotten from the front, once all of their events are old") {
  const bool spills = GENERATE(false, true);
  INFO((spills ? "spilled" : "in memory"));
  const Spilling spilling;
  if (!spills) set_spill_directory("");
  EventLog log(kId, kRecordBytes, kSegmentBytes);
  fill(log, 6);
  log.forget_before(first_time_of_segment(1) - 1);
  REQUIRE(log.begin() == 0);
  log.forget_before(first_time_of_segment(1));
  REQUIRE(log.begin() == EventLog::kSegmentRecords);
  log.forget_before(0);  // never falls
  log.forget_before(first_time_of_segment(4) + 5);
  REQUIRE(log.begin() == 4 * EventLog::kSegmentRecords);
  check_contents(log);
  // The one that is being filled stays, though all of it is old.
  log.forget_before(first_time_of_segment(100));
  REQUIRE(log.begin() == 5 * EventLog::kSegmentRecords);
  // Memory of a few that went is kept for those to come.
  REQUIRE(log.bytes() <= 5 * kSegmentBytes);
  fill(log, 1);
  check_contents(log);
}

TEST_CASE("a segment with one young event holds what is behind it") {
  EventLog log(kId, kRecordBytes, kSegmentBytes);
  fill(log, 1);
  append(log, first_time_of_segment(50));
  while (log.end() < 3 * EventLog::kSegmentRecords) append(log, 0);
  append(log, 0);
  log.forget_before(first_time_of_segment(40));
  REQUIRE(log.begin() == EventLog::kSegmentRecords);
  log.forget_before(first_time_of_segment(50) + 1);
  REQUIRE(log.begin() == 3 * EventLog::kSegmentRecords);
}

TEST_CASE("room in the spill file is used again") {
  const TemporaryDirectory directory;
  set_spill_directory(directory.path());
  EventLog log(kId, kRecordBytes, kSegmentBytes);
  for (int round = 0; round < 200; ++round) {
    fill(log, 1);
    log.forget_before(static_cast<int64_t>(log.end()) -
                      static_cast<int64_t>(4 * EventLog::kSegmentRecords));
    check_contents(log);
    REQUIRE(log.spilled_bytes() <= 5 * kSegmentBytes);
  }
  REQUIRE(log.spill_file_bytes() <= 6 * kSegmentBytes);
  set_spill_directory("");
}

// ---- checkpoints ------------------------------------------------------------------------------

namespace {

// An event log as a worker has it, whose stored events are their time as text.
class StoredLog {
 public:
  explicit StoredLog(TableId id) : log_(id, kRecordBytes) {}

  void add(int64_t time_us) {
    append(log_, time_us);
    const std::string text = std::to_string(time_us);
    char* const body = log_.begin_store(5, time_us, text.size());
    log_.end_store(std::copy(text.begin(), text.end(), body));
  }
  void load(int64_t time_us, uint64_t checkpoint) {
    log_.note_loaded(time_us, checkpoint);
    append(log_, time_us);
  }
  EventLog& operator*() { return log_; }
  EventLog* operator->() { return &log_; }

 private:
  EventLog log_;
};

using Times = std::vector<int64_t>;

void write(CheckpointStore& store, const std::vector<StoredLog*>& logs) {
  Checkpoint checkpoint;
  checkpoint.place = "here";
  for (StoredLog* log : logs) checkpoint.tables.push_back((*log)->take_checkpoint());
  REQUIRE(store.write(checkpoint).ok());
  REQUIRE(store.erase_void().ok());
  REQUIRE(store.merge_small_parts().ok());
}

size_t parts_in(const StateStore& store) {
  size_t parts = 0;
  REQUIRE(store
              .scan("c", "d",
                    [&](std::string_view, std::string_view) {
                      ++parts;
                      return true;
                    })
              .ok());
  return parts;
}

std::map<TableId, Times> stored(const CheckpointStore& store, const std::set<TableId>& logs) {
  std::map<TableId, Times> times;
  const absl::Status read =
      store.read_events(logs, [&](TableId log, uint64_t, const StoredEvent& event) {
        REQUIRE(event.key_group == 5);
        REQUIRE(event.body == std::to_string(event.time_us));
        times[log].push_back(event.time_us);
        return absl::OkStatus();
      });
  REQUIRE(read.ok());
  return times;
}

}  // namespace

TEST_CASE("a checkpoint holds the events that came since the one before, and tells what counts") {
  StoredLog log(kId);
  log.add(10);
  log.add(30);
  REQUIRE(log->dirty_bytes() > 0);
  PackedTable first = log->take_checkpoint();
  REQUIRE(first.id == kId);
  REQUIRE(first.blobs.size() == 1);
  REQUIRE(first.head.sequence == 1);
  REQUIRE(first.head.whole_in == 1);
  REQUIRE(log->dirty_bytes() == 0);
  log.add(20);
  REQUIRE(log->take_checkpoint().head.whole_in == 2);
  const PackedTable empty = log->take_checkpoint();
  REQUIRE(empty.blobs.empty());
  REQUIRE(empty.head.sequence == 3);
  REQUIRE(empty.head.whole_in == 3);
  log->forget_before(30);
  REQUIRE(log->take_checkpoint().head.whole_in == 4);  // 30 itself still counts
  log->forget_before(31);
  REQUIRE(log->take_checkpoint().head.whole_in == 1);  // nothing does
  log.add(40);
  REQUIRE(log->take_checkpoint().head.whole_in == 1);
  REQUIRE(log->take_checkpoint().head.whole_in == 2);
}

TEST_CASE("events come back in the order in which they were stored, log by log") {
  const std::unique_ptr<StateStore> memory = make_memory_store();
  CheckpointStore store(memory.get());
  constexpr TableId kOther{8, 0};
  StoredLog log(kId);
  StoredLog other(kOther);
  std::map<TableId, Times> expected;
  for (int64_t n = 0; n < 20; ++n) {
    const int64_t time = n * 7 % 20;
    log.add(time);
    expected[kId].push_back(time);
    if (n % 3 == 0) {
      other.add(100 + time);
      expected[kOther].push_back(100 + time);
    }
    if (n % 4 == 0) write(store, {&log, &other});
  }
  write(store, {&log, &other});
  REQUIRE(stored(store, {kId, kOther}) == expected);
  REQUIRE(stored(CheckpointStore(memory.get()), {kId, kOther}) == expected);
  REQUIRE(stored(store, {kOther}) == std::map<TableId, Times>{{kOther, expected[kOther]}});
  REQUIRE(stored(store, {TableId{9, 0}}).empty());
  // They are no rows, which read_rows() is told.
  REQUIRE(store
              .read_rows([](TableId, uint32_t, std::string_view,
                            std::string_view) { return absl::InternalError("a row"); },
                         {kId, kOther})
              .ok());
}

TEST_CASE("checkpoints of events that count no more are void, of the slowest worker's log") {
  const std::unique_ptr<StateStore> memory = make_memory_store();
  CheckpointStore store(memory.get());
  StoredLog fast(kId);
  StoredLog slow(kId);
  for (int64_t time = 0; time < 10; ++time) {
    fast.add(time);
    slow.add(time);
    write(store, {&fast, &slow});
  }
  fast->forget_before(8);
  write(store, {&fast, &slow});
  REQUIRE(stored(store, {kId})[kId].size() == 20);
  slow->forget_before(5);
  write(store, {&fast, &slow});
  REQUIRE(stored(store, {kId})[kId] == Times{5, 5, 6, 6, 7, 7, 8, 8, 9, 9});
  slow->forget_before(100);
  write(store, {&fast, &slow});
  REQUIRE(stored(store, {kId})[kId] == Times{8, 8, 9, 9});
}

TEST_CASE("what was stored before a restart becomes void by age, however often it is restarted") {
  const std::unique_ptr<StateStore> memory = make_memory_store();
  constexpr int64_t kCounts = 25;  // so old may an event be
  for (int64_t run = 0; run < 20; ++run) {
    INFO("run " << run);
    CheckpointStore store(memory.get());
    // Another number of workers each time; an event's time tells its worker.
    const auto workers = static_cast<size_t>(1 + run % 3);
    std::vector<std::unique_ptr<StoredLog>> logs;
    std::vector<StoredLog*> all;
    for (size_t w = 0; w < workers; ++w) {
      all.push_back(logs.emplace_back(std::make_unique<StoredLog>(kId)).get());
    }
    const auto log_of = [&](int64_t time) -> StoredLog& {
      return *all[static_cast<size_t>(time) % workers];
    };
    Times loaded;
    if (run > 0) {
      const auto load = [&](TableId, uint64_t checkpoint, const StoredEvent& event) {
        loaded.push_back(event.time_us);
        log_of(loaded.back()).load(loaded.back(), checkpoint);
        return absl::OkStatus();
      };
      REQUIRE(store.read_events({kId}, load).ok());
      // Each event that counts, and few others.
      const int64_t end = run * 10;
      for (int64_t time = std::max<int64_t>(0, end - kCounts); time < end; ++time) {
        INFO("event " << time);
        REQUIRE(std::count(loaded.begin(), loaded.end(), time) == 1);
      }
      REQUIRE(loaded.size() <= kCounts + 5);
    }
    for (int64_t time = run * 10; time < run * 10 + 10; ++time) {
      log_of(time).add(time);
      for (StoredLog* log : all) (*log)->forget_before(time - kCounts + 1);
      write(store, all);
    }
  }
}

TEST_CASE("small parts of events are merged, whoever wrote them") {
  const std::unique_ptr<StateStore> memory = make_memory_store();
  const auto workers = static_cast<size_t>(GENERATE(1, 2));
  constexpr int64_t kEvents = 1000;
  Times expected;
  {
    CheckpointStore store(memory.get());
    std::vector<std::unique_ptr<StoredLog>> logs;
    std::vector<StoredLog*> all;
    for (size_t w = 0; w < workers; ++w) {
      all.push_back(logs.emplace_back(std::make_unique<StoredLog>(kId)).get());
    }
    for (int64_t time = 0; time < kEvents; ++time) {
      all[static_cast<size_t>(time) % workers]->add(time);
      expected.push_back(time);
      write(store, all);
      REQUIRE(parts_in(*memory) <= 64);
    }
    REQUIRE(stored(store, {kId})[kId] == expected);
  }
  // Another process goes on, and forgets.
  CheckpointStore store(memory.get());
  StoredLog log(kId);
  const auto load = [&](TableId, uint64_t checkpoint, const StoredEvent& event) {
    log.load(event.time_us, checkpoint);
    return absl::OkStatus();
  };
  REQUIRE(store.read_events({kId}, load).ok());
  for (int64_t time = kEvents; time < kEvents + 200; ++time) {
    log.add(time);
    expected.push_back(time);
    log->forget_before(time - 300);
    write(store, {&log});
    const Times now = stored(store, {kId})[kId];
    REQUIRE(now.size() >= 301);
    REQUIRE(std::equal(now.rbegin(), now.rend(), expected.rbegin()));
  }
  log->forget_before(kEvents + 200);
  write(store, {&log});
  REQUIRE(stored(store, {kId})[kId].empty());
  REQUIRE(parts_in(*memory) == 0);
}

TEST_CASE("large parts of events are left as they are") {
  const std::unique_ptr<StateStore> memory = make_memory_store();
  CheckpointStore store(memory.get());
  StoredLog log(kId);
  for (size_t n = 0; n < 100; ++n) {
    for (int64_t time = 0; time < 5000; ++time) log.add(time * 1'000'000);
    write(store, {&log});
    REQUIRE(parts_in(*memory) == n + 1);
  }
}

TEST_CASE("a long log remembers its checkpoints by fewer and fewer") {
  StoredLog log(kId);
  constexpr int64_t kCheckpoints = 20'000;
  for (int64_t time = 0; time < kCheckpoints; ++time) {
    log.add(time);
    log->take_checkpoint();
  }
  // Of those that are void, few are held for others.
  log->forget_before(kCheckpoints / 2);
  const uint32_t whole_in = log->take_checkpoint().head.whole_in;
  REQUIRE(whole_in >= kCheckpoints / 2);
  REQUIRE(whole_in <= kCheckpoints / 2 + 32);
}

TEST_CASE("stored events of any time and size come back") {
  StoredEventWriter writer;
  std::vector<StoredEvent> events;
  std::vector<std::string> bodies;
  for (const size_t size : {0, 1, 127, 128, 129, 300, 16383, 16384, 100'000}) {
    bodies.emplace_back(size, static_cast<char>('a' + bodies.size()));
  }
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  uint32_t group = 0;
  for (const std::string& body : bodies) {
    for (const int64_t time : {int64_t{0}, int64_t{1}, int64_t{-1}, kMost, kLeast, kMost}) {
      events.push_back({group, time, body});
      group = (group + 37) % 128;
      writer.add(events.back());
    }
  }
  REQUIRE(writer.bytes() > 700'000);
  const std::vector<std::string> blobs = writer.take();
  REQUIRE(writer.bytes() == 0);
  size_t next = 0;
  for (const std::string& blob : blobs) {
    StoredEventReader reader(blob);
    StoredEvent event;
    while (!reader.at_end()) {
      REQUIRE(reader.next(&event));
      REQUIRE(event.key_group == events[next].key_group);
      REQUIRE(event.time_us == events[next].time_us);
      REQUIRE(event.body == events[next].body);
      ++next;
    }
    // Cut anywhere, it is events and then none, and nothing beyond its end is read.
    for (size_t cut = 1; cut < std::min<size_t>(blob.size(), 600); ++cut) {
      const std::string shorter(blob.data(), cut);
      StoredEventReader cut_reader(shorter);
      while (!cut_reader.at_end() && cut_reader.next(&event)) continue;
    }
  }
  REQUIRE(next == events.size());
}

}  // namespace kappa::state
