#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "child_process.h"
#include "state/store.h"
#include "temporary_directory.h"

// What a store does when the disk does not take more. In processes of their own, for limits and
// mounts hold for a whole process.
namespace kappa::state {
namespace {

// Writes until it is refused, and says how: "refused: CODE: message"; then whether the next write
// is refused, too, and whether reads go on.
void fill(const std::string& path, bool runs = false) {
  auto store = open_rocksdb_store(path);
  if (!store.ok()) {
    std::printf("cannot open: %s\n", std::string(store.status().message()).c_str());
    return;
  }
  WriteBatch first;
  first.put("first", "is there");
  if (!(*store)->write(first, true).ok()) return;
  absl::Status written;
  for (int n = 0; written.ok() && n < 1000; ++n) {
    const std::string key = "key " + std::to_string(n);
    const std::string value(100'000, static_cast<char>(n));
    WriteBatch batch;
    batch.put(key, value);
    written = runs ? (*store)->add_run(std::vector<StateStore::Entry>{{key, value}})
                   : (*store)->write(batch, true);
  }
  std::printf("refused: %s\n", written.ToString().c_str());
  WriteBatch small;
  small.put("small", "v");
  std::printf("next write: %s\n", (*store)->write(small, true).ok() ? "taken" : "refused");
  std::printf("reads: %s\n", (*store)->get("first").ok() ? "go on" : "fail");
  std::fflush(stdout);
}

void fill_small_file_system(bool runs) {
  const std::string path = std::getenv("KAPPA_TEST_PATH");
  if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) ||
      ::mount("tmpfs", path.c_str(), "tmpfs", 0, "size=4m") != 0) {
    std::printf("no mount\n");
    return;
  }
  fill(path + "/db", runs);
}

}  // namespace

TEST_CASE("fill a file system of 4 MiB", "[.][child]") {
  fill_small_file_system(false);
}
TEST_CASE("fill a file system of 4 MiB with runs", "[.][child]") {
  fill_small_file_system(true);
}

TEST_CASE("fill files up to 2 MiB", "[.][child]") {
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{2u << 20, 2u << 20};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  fill(std::string(std::getenv("KAPPA_TEST_PATH")) + "/db");
}

TEST_CASE("a full disk is told as such, and ends writing but not reading") {
  const TemporaryDirectory directory;
  const std::string child_case =
      GENERATE("fill a file system of 4 MiB", "fill a file system of 4 MiB with runs");
  ChildProcess child(child_case, {{"KAPPA_TEST_PATH", directory.path()}});
  const std::string refused = child.read_line("refused: ");
  if (refused.empty()) {
    WARN("this process may not mount a small file system, so a full disk was not tried");
    return;
  }
  REQUIRE_THAT(refused, Catch::Contains("RESOURCE_EXHAUSTED"));
  REQUIRE_THAT(refused, Catch::Contains("free some space"));
  REQUIRE(child.read_line("next write: ") == "refused");
  REQUIRE(child.read_line("reads: ") == "go on");
}

TEST_CASE("any other error of the disk ends writing but not reading") {
  const TemporaryDirectory directory;
  ChildProcess child("fill files up to 2 MiB", {{"KAPPA_TEST_PATH", directory.path()}});
  REQUIRE_THAT(child.read_line("refused: "), Catch::Contains("UNAVAILABLE"));
  REQUIRE(child.read_line("next write: ") == "refused");
  REQUIRE(child.read_line("reads: ") == "go on");
}

}  // namespace kappa::state
