#include "state/generation.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>

#include "temporary_directory.h"

namespace kappa::state {
namespace {

const GenerationManifest kManifest{0xfedc'ba98'7654'3210u, "plan\n\"text\"", "journal", "start"};

void put(StateStore& store, const std::string& key) {
  WriteBatch batch;
  batch.put(key, "v");
  REQUIRE(store.write(batch, true).ok());
}

}  // namespace

TEST_CASE("a generation is opened as it was created, and is gone once dropped") {
  const TemporaryDirectory directory;
  const std::string path = directory / "generations/1";
  REQUIRE(absl::IsNotFound(open_generation(path).status()));
  {
    const auto made = create_generation(path, kManifest);
    REQUIRE(made.ok());
    put(*made->store, "k");
  }
  REQUIRE(absl::IsAlreadyExists(create_generation(path, kManifest).status()));
  {
    const auto opened = open_generation(path);
    REQUIRE(opened.ok());
    REQUIRE(opened->manifest == kManifest);
    REQUIRE(opened->store->get("k").ok());
  }
  REQUIRE(drop_generation(path).ok());
  REQUIRE(absl::IsNotFound(open_generation(path).status()));
  REQUIRE(std::filesystem::is_empty(directory / "generations"));
  const auto anew = create_generation(path, kManifest);
  REQUIRE(anew.ok());
  REQUIRE(absl::IsNotFound(anew->store->get("k").status()));
}

TEST_CASE("a generation that a crash left half made is made anew") {
  const TemporaryDirectory directory;
  const std::string path = directory / "1";
  put(**open_rocksdb_store(path + "/db"), "old");
  REQUIRE(absl::IsNotFound(open_generation(path).status()));
  const auto made = create_generation(path, kManifest);
  REQUIRE(made.ok());
  REQUIRE(absl::IsNotFound(made->store->get("old").status()));
}

TEST_CASE("drops that were cut short are swept up") {
  const TemporaryDirectory directory;
  REQUIRE(sweep_dropped_generations(directory / "generations").ok());
  std::filesystem::create_directories(directory / "generations/1/db");
  std::filesystem::create_directories(directory / "generations/2.dropped/db");
  REQUIRE(sweep_dropped_generations(directory / "generations").ok());
  REQUIRE(std::filesystem::exists(directory / "generations/1/db"));
  REQUIRE_FALSE(std::filesystem::exists(directory / "generations/2.dropped"));
}

TEST_CASE("a generation with a damaged manifest or without its state is refused") {
  const TemporaryDirectory directory;
  const std::string path = directory / "1";
  REQUIRE(create_generation(path, kManifest).ok());
  std::filesystem::rename(path + "/db", path + "/elsewhere");
  REQUIRE(absl::IsDataLoss(open_generation(path).status()));
  std::fstream manifest(path + "/MANIFEST.json");
  manifest.seekp(40);
  manifest << "#";
  manifest.close();
  const auto opened = open_generation(path);
  REQUIRE(absl::IsDataLoss(opened.status()));
  REQUIRE_THAT(std::string(opened.status().message()), Catch::Contains("MANIFEST.json"));
}

TEST_CASE("a manifest takes UTF-8 only") {
  const TemporaryDirectory directory;
  GenerationManifest manifest = kManifest;
  manifest.plan_text = "\xff";
  REQUIRE(absl::IsInvalidArgument(create_generation(directory / "1", manifest).status()));
  REQUIRE(absl::IsNotFound(open_generation(directory / "1").status()));
}

}  // namespace kappa::state
