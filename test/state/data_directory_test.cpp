#include "state/data_directory.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "child_process.h"
#include "state/durable_file.h"
#include "temporary_directory.h"

namespace kappa::state {
namespace {

std::string message(const absl::Status& status) {
  return std::string(status.message());
}

}  // namespace

TEST_CASE("lock a data directory until killed", "[.][child]") {
  const auto directory =
      DataDirectory::lock(std::string(std::getenv("KAPPA_TEST_PATH")) + "/data", "kappa serve");
  if (!directory.ok()) return;
  std::printf("locked\n");
  std::fflush(stdout);
  (void)(*directory)->publish_address("127.0.0.1:7070");
  std::printf("published\n");
  std::fflush(stdout);
  for (;;) ::pause();
}

TEST_CASE("a data directory has one owner, and the error names it and the flag") {
  const TemporaryDirectory directory;
  const std::string path = directory / "data";
  auto first = DataDirectory::lock(path, "kappa import");
  REQUIRE(first.ok());
  REQUIRE((*first)->path() == path);
  const auto second = DataDirectory::lock(path, "kappa serve");
  REQUIRE(absl::IsUnavailable(second.status()));
  REQUIRE(message(second.status()) ==
          "data directory \"" + path + "\" is in use by kappa import (pid " +
              std::to_string(::getpid()) + "); stop it, or choose another with --data");
  REQUIRE((*first)->publish_address("127.0.0.1:7070").ok());
  REQUIRE(message(DataDirectory::lock(path, "kappa serve").status()) ==
          "data directory \"" + path + "\" is in use by kappa import (pid " +
              std::to_string(::getpid()) + ", gRPC 127.0.0.1:7070); stop it, use --server " +
              "127.0.0.1:7070, or choose another with --data");
  first->reset();
  REQUIRE(DataDirectory::lock(path, "kappa serve").ok());
}

TEST_CASE("who holds a data directory can be asked without taking it") {
  const TemporaryDirectory directory;
  const std::string path = directory / "data";
  REQUIRE(lock_holder(path).ok());
  REQUIRE_FALSE(lock_holder(path)->has_value());
  auto held = DataDirectory::lock(path, "kappa serve");
  for (int n = 0; n < 100; ++n) REQUIRE(lock_holder(path)->has_value());
  REQUIRE((*lock_holder(path))->pid == ::getpid());
  REQUIRE((*lock_holder(path))->command == "kappa serve");
  REQUIRE((*lock_holder(path))->address.empty());
  REQUIRE((*held)->publish_address("127.0.0.1:7070").ok());
  REQUIRE((*lock_holder(path))->address == "127.0.0.1:7070");
  held->reset();
  REQUIRE_FALSE(lock_holder(path)->has_value());
}

TEST_CASE("the lock of a killed process is free") {
  const TemporaryDirectory directory;
  const std::string path = directory / "data";
  ChildProcess child("lock a data directory until killed", {{"KAPPA_TEST_PATH", directory.path()}});
  REQUIRE(child.read_line("publ") == "ished");
  const auto holder = lock_holder(path);
  REQUIRE((*holder)->pid == child.pid());
  REQUIRE((*holder)->address == "127.0.0.1:7070");
  REQUIRE_THAT(message(DataDirectory::lock(path, "kappa query").status()),
               Catch::Contains("pid " + std::to_string(child.pid()) + ", gRPC 127.0.0.1:7070"));
  child.kill();
  REQUIRE_FALSE(lock_holder(path)->has_value());
  REQUIRE(DataDirectory::lock(path, "kappa serve").ok());
}

TEST_CASE("a data directory that cannot be made or written says so and names the flag") {
  const TemporaryDirectory directory;
  std::ofstream(directory / "file") << "not a directory";
  for (const std::string& path : {directory / "file", directory / "file/below"}) {
    const auto locked = DataDirectory::lock(path, "kappa serve");
    REQUIRE_FALSE(locked.ok());
    REQUIRE_THAT(message(locked.status()), Catch::Contains(path));
    REQUIRE_THAT(message(locked.status()), Catch::Contains("--data"));
  }
}

TEST_CASE("the paths in a data directory are those of its description") {
  const TemporaryDirectory directory;
  const auto data = *DataDirectory::lock(directory.path(), "kappa serve");
  REQUIRE(data->log_path() == directory / "log");
  REQUIRE(data->journal_path("shop") == directory / "products/shop/journal");
  REQUIRE(data->generation_path("shop", 12) == directory / "products/shop/generations/12");
}

// ---- catalogue ------------------------------------------------------------------------------

namespace {

// A product whose contents follow from a number, so that a mix of two would show.
ProductInfo product(const std::string& name, uint32_t number) {
  ProductInfo info{name, number, {}};
  for (uint32_t id = 1; id <= 1 + number % 4; ++id) {
    GenerationInfo generation;
    generation.id = id;
    generation.state = static_cast<GenerationState>((number + id) % 4);
    generation.plan_fingerprint = 0xfedc'ba98'7654'0000u + number;
    generation.files = {{"views.sql", std::string(number % 3000, 'x')}, {"ä.proto", "\n\"\\"}};
    generation.created = "2026-01-01T00:00:00Z";
    info.generations.push_back(std::move(generation));
  }
  info.replay_records_per_second = number * 0.5;
  if (number % 2 == 0) info.handover = {number, number + 1, uint64_t{number} << 40};
  return info;
}

bool same(const ProductInfo& a, const ProductInfo& b) {
  bool same = a.name == b.name && a.live_generation == b.live_generation &&
              a.generations.size() == b.generations.size() && a.handover == b.handover &&
              a.replay_records_per_second == b.replay_records_per_second;
  for (size_t i = 0; same && i < a.generations.size(); ++i) {
    const GenerationInfo& left = a.generations[i];
    const GenerationInfo& right = b.generations[i];
    same = left.id == right.id && left.state == right.state && left.files == right.files &&
           left.plan_fingerprint == right.plan_fingerprint && left.created == right.created;
  }
  return same;
}

}  // namespace

TEST_CASE("a catalogue gives back the products that were put, opened again") {
  const TemporaryDirectory directory;
  auto catalogue = *Catalogue::open(directory.path());
  REQUIRE(catalogue.products().empty());
  REQUIRE(catalogue.find("shop") == nullptr);
  REQUIRE(catalogue.put(product("shop", 3)).ok());
  REQUIRE(catalogue.put(product("bank", 6)).ok());
  REQUIRE(catalogue.put(product("shop", 7)).ok());
  const auto again = *Catalogue::open(directory.path());
  REQUIRE(again.products().size() == 2);
  REQUIRE(same(*again.find("shop"), product("shop", 7)));
  REQUIRE(same(*again.find("bank"), product("bank", 6)));
}

TEST_CASE("a catalogue refuses text that is not UTF-8 and stays as it was") {
  const TemporaryDirectory directory;
  auto catalogue = *Catalogue::open(directory.path());
  REQUIRE(catalogue.put(product("shop", 1)).ok());
  ProductInfo bad = product("shop", 2);
  bad.generations[0].files["views.sql"] = "\xff\xfe";
  REQUIRE(absl::IsInvalidArgument(catalogue.put(bad)));
  REQUIRE(same(*catalogue.find("shop"), product("shop", 1)));
  REQUIRE(same(*Catalogue::open(directory.path())->find("shop"), product("shop", 1)));
}

TEST_CASE("a catalogue with any byte flipped or cut off is refused or unchanged") {
  const TemporaryDirectory directory;
  const std::string path = directory / "catalogue.json";
  REQUIRE(Catalogue::open(directory.path())->put(product("shop", 5)).ok());
  const std::string whole = *read_file(path);
  const auto check = [&](const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    const auto opened = Catalogue::open(directory.path());
    if (opened.ok()) {
      // White space only.
      if (opened->find("shop") == nullptr || !same(*opened->find("shop"), product("shop", 5))) {
        FAIL("took " << bytes);
      }
    } else if (!absl::IsDataLoss(opened.status()) ||
               message(opened.status()).find(path) == std::string::npos) {
      FAIL(message(opened.status()));
    }
    return opened.ok();
  };
  size_t taken = 0;
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 7)));
    taken += check(flipped) ? 1 : 0;
  }
  REQUIRE(taken < whole.size() / 2);
  for (size_t size = 0; size + 2 < whole.size(); size += 7) {
    if (check(whole.substr(0, size))) FAIL("took the first " << size << " bytes");
  }
}

TEST_CASE("a catalogue of a newer format is refused by its number") {
  const TemporaryDirectory directory;
  REQUIRE(replace_file(directory / "catalogue.json", *seal_json(R"({"products": []})", 2)).ok());
  const auto opened = Catalogue::open(directory.path());
  REQUIRE(absl::IsDataLoss(opened.status()));
  REQUIRE_THAT(message(opened.status()),
               Catch::Contains("has format 2; this program reads format 1"));
}

TEST_CASE("put products until killed", "[.][child]") {
  auto catalogue = *Catalogue::open(std::getenv("KAPPA_TEST_PATH"));
  const ProductInfo* last = catalogue.find("shop");
  for (uint32_t number = last != nullptr ? last->live_generation : 0;;) {
    if (!catalogue.put(product("shop", ++number)).ok()) return;
    std::printf("put %u\n", number);
    std::fflush(stdout);
  }
}

TEST_CASE("killed at any moment, a catalogue is the last one put, or the next") {
  const TemporaryDirectory directory;
  for (int round = 0; round < 10; ++round) {
    INFO("round " << round);
    ChildProcess child("put products until killed", {{"KAPPA_TEST_PATH", directory.path()}});
    uint32_t promised = 0;
    for (int n = 0; n < 1 + 7 * round; ++n) {
      promised = static_cast<uint32_t>(std::stoul(child.read_line("put ")));
    }
    child.kill();
    for (std::string line = child.read_line("put "); !line.empty();
         line = child.read_line("put ")) {
      promised = static_cast<uint32_t>(std::stoul(line));
    }
    const auto catalogue = Catalogue::open(directory.path());
    REQUIRE(catalogue.ok());
    const ProductInfo* found = catalogue->find("shop");
    REQUIRE(found != nullptr);
    REQUIRE(found->live_generation >= promised);
    REQUIRE(found->live_generation <= promised + 1);
    REQUIRE(same(*found, product("shop", found->live_generation)));
  }
}

}  // namespace kappa::state
