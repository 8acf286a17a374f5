#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "checkpoint_model.h"
#include "child_process.h"
#include "temporary_directory.h"

// Checkpoints, killed and damaged. What is read back is exactly some checkpoint, or refused.
namespace kappa::state {
namespace {

namespace fs = std::filesystem;

constexpr size_t kChanges = 60;
constexpr size_t kValueBytes = 3000;
constexpr uint64_t kRunBytes = 20'000;  // some parts are runs, some are not

// The model after each checkpoint of a seed: [n] after n of them.
class History {
 public:
  explicit History(uint64_t seed) : random_(seed) { after_.emplace_back(); }

  // The checkpoint that follows the last one.
  Checkpoint next() {
    CheckpointModel model = after_.back();
    Checkpoint checkpoint = model.change(random_, kChanges, kValueBytes);
    after_.push_back(std::move(model));
    return checkpoint;
  }
  const CheckpointModel& after(size_t checkpoints) {
    while (after_.size() <= checkpoints) (void)next();
    return after_[checkpoints];
  }

 private:
  RandomRows random_;
  std::vector<CheckpointModel> after_;
};

size_t number_of(const std::string& place) {
  return std::stoul(place.substr(std::string("place ").size()));
}

size_t checkpoints_in(const CheckpointStore& store) {
  const auto place = store.read_place();
  return place.ok() ? number_of(*place) : 0;
}

}  // namespace

TEST_CASE("write checkpoints until killed", "[.][child]") {
  const std::string path = std::getenv("KAPPA_TEST_PATH");
  const std::unique_ptr<StateStore> store = *open_rocksdb_store(path + "/db");
  CheckpointStore checkpoints(store.get(), kRunBytes);
  History history(std::stoul(std::getenv("KAPPA_TEST_SEED")));
  size_t number = checkpoints_in(checkpoints);
  history.after(number);
  for (;;) {
    if (!checkpoints.write(history.next()).ok()) return;
    std::printf("written %zu\n", ++number);
    std::fflush(stdout);
    if (number % 3 == 0 && !checkpoints.erase_void().ok()) return;
  }
}

TEST_CASE("killed at any moment, a store holds the last checkpoint it promised, or the next") {
  const uint64_t seed = 1 + static_cast<uint64_t>(::getpid()) % 1000;
  INFO("seed " << seed);
  const TemporaryDirectory directory;
  History history(seed);
  RandomRows random(seed);
  size_t last = 0;
  for (int round = 0; round < 10; ++round) {
    INFO("round " << round);
    size_t promised = last;
    {
      ChildProcess child(
          "write checkpoints until killed",
          {{"KAPPA_TEST_PATH", directory.path()}, {"KAPPA_TEST_SEED", std::to_string(seed)}});
      for (size_t n = 1 + random.below(12); n > 0; --n) {
        const std::string line = child.read_line("written ");
        REQUIRE_FALSE(line.empty());
        promised = std::stoul(line);
      }
      std::this_thread::sleep_for(std::chrono::microseconds(random.below(20'000)));
      child.kill();
      for (std::string line = child.read_line("written "); !line.empty();
           line = child.read_line("written ")) {
        promised = std::stoul(line);
      }
    }
    const std::unique_ptr<StateStore> store = *open_rocksdb_store(directory / "db");
    const CheckpointStore checkpoints(store.get());
    last = checkpoints_in(checkpoints);
    REQUIRE(last >= promised);
    REQUIRE(last <= promised + 1);
    REQUIRE(CheckpointModel::read(checkpoints) == history.after(last));
  }
}

TEST_CASE("killed before what makes its runs count, a store holds the checkpoint before") {
  const uint64_t seed = 1 + static_cast<uint64_t>(::getpid()) % 1000;
  INFO("seed " << seed);
  const TemporaryDirectory directory;
  History history(seed);
  size_t last = 0;
  for (const size_t more : {1, 0, 3, 0, 2}) {
    ChildProcess child("write checkpoints until killed",
                       {{"KAPPA_TEST_PATH", directory.path()},
                        {"KAPPA_TEST_SEED", std::to_string(seed)},
                        {"KAPPA_FAIL_AT", "checkpoint.runs_added:" + std::to_string(more + 1)}});
    while (!child.read_line("written ").empty()) ++last;
    const std::unique_ptr<StateStore> store = *open_rocksdb_store(directory / "db");
    const CheckpointStore checkpoints(store.get());
    REQUIRE(checkpoints_in(checkpoints) == last);
    REQUIRE(CheckpointModel::read(checkpoints) == history.after(last));
  }
  REQUIRE(last == 6);
}

namespace {

// What can be read from a store that may be damaged: the model, or why not.
std::optional<CheckpointModel> read_damaged(const std::string& path, std::string* why) {
  const auto store = open_rocksdb_store(path);
  *why = std::string(store.status().message());
  if (!store.ok()) return std::nullopt;
  const CheckpointStore checkpoints(store->get());
  const absl::Status rows = checkpoints.read_rows(
      [](TableId, uint32_t, std::string_view, std::string_view) { return absl::OkStatus(); });
  const absl::Status outbox = checkpoints.read_outbox().status();
  for (const absl::Status& status : {checkpoints.read_place().status(), rows, outbox}) {
    if (absl::IsNotFound(status)) return CheckpointModel();
    *why = std::string(status.message());
    if (!status.ok()) return std::nullopt;
  }
  return CheckpointModel::read(checkpoints);
}

// Flips a bit of a file, or cuts its end off.
std::string damage(const fs::path& file, RandomRows& random) {
  const auto size = fs::file_size(file);
  const size_t at = random.below(size);
  if (random.chance(0.25)) {
    fs::resize_file(file, at);
    return file.filename().string() + " cut to " + std::to_string(at);
  }
  std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekg(static_cast<std::streamoff>(at));
  const char flipped = static_cast<char>(bytes.get() ^ (1 << random.below(8)));
  bytes.seekp(static_cast<std::streamoff>(at));
  bytes.put(flipped);
  return file.filename().string() + " flipped at " + std::to_string(at);
}

}  // namespace

TEST_CASE("a store with a damaged file gives back some checkpoint whole, or refuses") {
  const uint64_t seed = 1 + static_cast<uint64_t>(::getpid()) % 1000;
  INFO("seed " << seed);
  const TemporaryDirectory directory;
  History history(seed);
  RandomRows random(seed);
  constexpr size_t kCheckpoints = 12;
  for (size_t n = 0; n < kCheckpoints; n += 3) {
    // Opened anew, what was in the log goes to a table file: so there are both.
    const std::unique_ptr<StateStore> store = *open_rocksdb_store(directory / "db");
    CheckpointStore checkpoints(store.get(), kRunBytes);
    for (int more = 0; more < 3; ++more) REQUIRE(checkpoints.write(history.next()).ok());
    REQUIRE(checkpoints.erase_void().ok());
  }
  size_t refused = 0;
  size_t older = 0;
  for (int trial = 0; trial < 50; ++trial) {
    const fs::path copy = directory / "copy";
    fs::remove_all(copy);
    fs::copy(directory / "db", copy, fs::copy_options::recursive);
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(copy)) {
      const std::string name = entry.path().filename().string();
      // Neither is read for what it says.
      if (name == "LOCK" || name.compare(0, 3, "LOG") == 0) continue;
      if (entry.file_size() > 0) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    const std::string how = damage(files[random.below(files.size())], random);
    INFO("trial " << trial << ": " << how);
    std::string why;
    const auto found = read_damaged(copy.string(), &why);
    if (!found) {
      REQUIRE_FALSE(why.empty());
      ++refused;
      continue;
    }
    const size_t number = found->place.empty() ? 0 : number_of(found->place);
    if (number < kCheckpoints) ++older;
    REQUIRE(*found == history.after(number));
  }
  REQUIRE(refused + older > 0);
}

}  // namespace kappa::state
