#include <random>

#include <signal.h>
#include <sys/wait.h>

#include "test/log/log_fixture.h"

namespace kappa::log {
namespace {

constexpr int32_t kPartitions = 3;
constexpr int kKills = 20;

// What the child tells the parent: the ends of its partitions, as appended or as synced.
struct Progress {
  bool synced = false;
  int64_t ends[kPartitions] = {};
};

std::string value_of(int32_t partition, int64_t offset, size_t size) {
  std::string value = std::to_string(partition) + ":" + std::to_string(offset) + ":";
  value.resize(std::max(size, value.size()), static_cast<char>('a' + offset % 26));
  return value;
}

void tell(int pipe, const Progress& progress) {
  if (::write(pipe, &progress, sizeof(progress)) != sizeof(progress)) ::_exit(3);
}

// Appends to all partitions until killed. Large calls, so that the kill falls into a write.
[[noreturn]] void append_until_killed(const std::string& directory, int pipe, uint32_t seed) {
  auto opened = open_embedded_log(directory, {.segment_bytes = 512 << 10});
  if (!opened.ok()) ::_exit(1);
  Log& log = **opened;
  std::mt19937 random(seed);
  Progress progress;
  for (int32_t p = 0; p < kPartitions; ++p) {
    progress.ends[p] = log.range(at("t", p))->end.value;
  }
  while (true) {
    std::vector<std::string> values;
    std::vector<RecordToAppend> records;
    const size_t count = 1 + random() % (random() % 2 == 0 ? 2000 : 10);
    std::vector<int64_t> next(progress.ends, progress.ends + kPartitions);
    for (size_t i = 0; i < count; ++i) {
      const auto partition = static_cast<int32_t>(random() % kPartitions);
      values.push_back(
          value_of(partition, next[static_cast<size_t>(partition)]++, random() % 3000));
      records.push_back({.partition = partition});
    }
    for (size_t i = 0; i < count; ++i) records[i].value = values[i];
    if (!log.append("t", records).ok()) ::_exit(2);
    std::copy(next.begin(), next.end(), progress.ends);
    progress.synced = false;
    tell(pipe, progress);
    if (random() % 8 != 0) continue;
    if (!log.sync().ok()) ::_exit(2);
    progress.synced = true;
    tell(pipe, progress);
  }
}

// Runs a child for so long after its first report, kills it, and returns the last reports.
std::pair<Progress, Progress> run_and_kill(const std::string& directory, uint32_t seed,
                                           uint32_t run_us) {
  int pipes[2];
  REQUIRE(::pipe(pipes) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::close(pipes[0]);
    append_until_killed(directory, pipes[1], seed);
  }
  ::close(pipes[1]);
  Progress appended, synced, progress;
  bool killed = false;
  while (::read(pipes[0], &progress, sizeof(progress)) == sizeof(progress)) {
    (progress.synced ? synced : appended) = progress;
    if (killed) continue;
    ::usleep(run_us);
    ::kill(child, SIGKILL);
    killed = true;
  }
  ::close(pipes[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  return {appended, synced};
}

TEST_CASE("after a kill -9 all that was acknowledged is there, and nothing torn") {
  const uint32_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const TempDirectory directory;
  {
    const auto log = must_open(directory.path());
    REQUIRE_OK(log->create_topic("t", {.partitions = kPartitions}));
  }
  size_t cuts = 0;
  for (int round = 0; round < kKills; ++round) {
    INFO("round " << round);
    const auto [appended, synced] = run_and_kill(directory.path(), static_cast<uint32_t>(random()),
                                                 static_cast<int>(random() % 40));
    const auto log = must_open(directory.path());
    cuts += log->cut_tails().size();
    for (int32_t p = 0; p < kPartitions; ++p) {
      const PartitionRange range = must(log->range(at("t", p)));
      REQUIRE(range.end.value >= synced.ends[p]);
      REQUIRE(range.end.value >= appended.ends[p]);
      REQUIRE(range.durable_end == range.end);
      const std::vector<ReadRecord> records = read_all(*log, at("t", p));
      REQUIRE(records.size() == static_cast<size_t>(range.end.value));
      bool all_right = true;
      for (size_t i = 0; i < records.size(); ++i) {
        const auto offset = static_cast<int64_t>(i);
        all_right &= records[i].offset == Offset{offset};
        all_right &= *records[i].value == value_of(p, offset, records[i].value->size());
      }
      REQUIRE(all_right);
    }
  }
  INFO("kills that left a torn tail: " << cuts);
  SUCCEED();
}

}  // namespace
}  // namespace kappa::log
