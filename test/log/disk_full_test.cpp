#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "test/log/log_fixture.h"

namespace kappa::log {
namespace {

using Catch::Matchers::Contains;

// Lets no file grow beyond a size, as a full disk would: writes come back short, then fail.
class FileSizeLimit {
 public:
  FileSizeLimit() {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    handler_before_ = ::signal(SIGXFSZ, SIG_IGN);
  }
  ~FileSizeLimit() {
    lift();
    ::signal(SIGXFSZ, handler_before_);
  }
  void set(size_t bytes) {
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  void lift() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
  sighandler_t handler_before_;
};

TEST_CASE("an append that does not fit on the disk is undone, whatever byte it stops at") {
  const TempDirectory directory;
  const std::string segment = directory.path() + "/t/0/00000000000000000000.log";
  auto log = must_open(directory.path(), {.fsync = Fsync::kNever});
  REQUIRE_OK(log->create_topic("t", {}));
  append_values(*log, "t", numbers(0, 3));
  const size_t size = std::filesystem::file_size(segment);
  FileSizeLimit limit;
  for (size_t room = 0; room < 80; room += 3) {
    INFO("room for " << room << " bytes");
    const RecordToAppend record{.value = "this record takes some more than eighty bytes"};
    limit.set(size + room);
    const absl::Status status = log->append("t", {&record, 1}).status();
    limit.lift();
    REQUIRE(status.code() == absl::StatusCode::kResourceExhausted);
    REQUIRE_THAT(std::string(status.message()),
                 Contains("nothing was appended to topic t: cannot write " + segment));
    REQUIRE(std::filesystem::file_size(segment) == size);
    REQUIRE(values_of(read_all(*log, at("t"))) == numbers(0, 3));
  }
  // There is room again: it goes on by itself.
  CHECK(append_values(*log, "t", numbers(3, 3)) == Offset{3});
  log.reset();
  log = must_open(directory.path());
  CHECK(log->cut_tails().empty());
  CHECK(values_of(read_all(*log, at("t"))) == numbers(0, 6));
}

TEST_CASE("an append to several partitions of which one does not fit is undone in all") {
  const TempDirectory directory;
  const auto log = must_open(directory.path(), {.fsync = Fsync::kNever});
  REQUIRE_OK(log->create_topic("t", {.partitions = 4}));
  const std::string filler(10'000, 'f');
  append_values(*log, "t", {filler, filler}, 2);
  std::vector<RecordToAppend> records(4);
  for (int32_t p = 0; p < 4; ++p) records[static_cast<size_t>(p)] = {.value = "x", .partition = p};
  FileSizeLimit limit;
  limit.set(20'000);
  const absl::Status status = log->append("t", records).status();
  limit.lift();
  CHECK(status.code() == absl::StatusCode::kResourceExhausted);
  for (int32_t p = 0; p < 4; ++p) {
    CHECK(must(log->range(at("t", p))).end == Offset{p == 2 ? 2 : 0});
  }
  const std::vector<AppendedAt> appended = must(log->append("t", records));
  CHECK(appended[1].offset == Offset{0});
  CHECK(appended[2].offset == Offset{2});
  for (int32_t p = 0; p < 4; ++p) {
    CHECK(read_all(*log, at("t", p)).size() == (p == 2 ? 3 : 1));
  }
}

// Puts another file behind the descriptor that this process has for `path`.
void replace_descriptor(const std::string& path, int with) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry.path(), gone) != path) continue;
    REQUIRE(::dup2(with, std::stoi(entry.path().filename())) >= 0);
    return;
  }
  FAIL("no descriptor for " << path);
}

TEST_CASE("after a sync that failed a partition takes nothing more, and says why") {
  const TempDirectory directory;
  const std::string segment = directory.path() + "/t/0/00000000000000000000.log";
  {
    const auto log = must_open(directory.path());
    REQUIRE_OK(log->create_topic("t", {.partitions = 2}));
    append_values(*log, "t", numbers(0, 3));
    int pipes[2];
    REQUIRE(::pipe(pipes) == 0);
    replace_descriptor(segment, pipes[1]);  // pipes cannot be synced
    const absl::Status status = log->sync();
    CHECK(status.code() == absl::StatusCode::kUnavailable);
    CHECK_THAT(std::string(status.message()),
               Contains("topic t partition 0 takes no more records until the log is opened anew, "
                        "since a sync failed: cannot sync " +
                        segment));
    CHECK(log->sync() == status);
    const RecordToAppend record{.value = "x", .partition = 0};
    CHECK_THAT(std::string(log->append("t", {&record, 1}).status().message()),
               Contains("since a sync failed"));
    CHECK(must(log->range(at("t"))).durable_end == Offset{0});
    CHECK(values_of(read_all(*log, at("t"))) == numbers(0, 3));
    append_values(*log, "t", {"the other partition goes on"}, 1);
    ::close(pipes[0]);
    ::close(pipes[1]);
  }
  const auto log = must_open(directory.path());
  CHECK(append_values(*log, "t", numbers(3, 3)) == Offset{3});
  REQUIRE_OK(log->sync());
}

TEST_CASE("an append that cannot be undone leaves a partition that takes nothing more") {
  const TempDirectory directory;
  const std::string segment = directory.path() + "/t/0/00000000000000000000.log";
  {
    const auto log = must_open(directory.path(), {.fsync = Fsync::kNever});
    REQUIRE_OK(log->create_topic("t", {}));
    append_values(*log, "t", numbers(0, 3));
    const int reading_only = ::open(segment.c_str(), O_RDONLY);
    replace_descriptor(segment, reading_only);
    const RecordToAppend record{.value = "x"};
    CHECK_THAT(std::string(log->append("t", {&record, 1}).status().message()),
               Contains("nothing was appended to topic t: cannot write"));
    CHECK_THAT(std::string(log->append("t", {&record, 1}).status().message()),
               Contains("since a failed append could not be undone: cannot truncate"));
    CHECK(values_of(read_all(*log, at("t"))) == numbers(0, 3));
    ::close(reading_only);
  }
  const auto log = must_open(directory.path(), {.fsync = Fsync::kNever});
  CHECK(append_values(*log, "t", numbers(3, 3)) == Offset{3});
}

TEST_CASE("a log whose directory is gone says so and takes nothing") {
  const TempDirectory directory;
  const auto log = must_open(directory.path(), {.fsync = Fsync::kNever});
  REQUIRE_OK(log->create_topic("t", {}));
  std::filesystem::remove_all(directory.path() + "/t");
  const RecordToAppend record{.value = "x"};
  const absl::Status status = log->append("t", {&record, 1}).status();
  CHECK(status.code() == absl::StatusCode::kNotFound);
  CHECK_THAT(std::string(status.message()), Contains("cannot open") && Contains("/t/0/"));
  CHECK(must(log->range(at("t"))).end == Offset{0});
}

}  // namespace
}  // namespace kappa::log
