#include "state/store.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "temporary_directory.h"

namespace kappa::state {
namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

Entries scan(const StateStore& store, std::string_view from, std::string_view to) {
  Entries entries;
  REQUIRE(store
              .scan(from, to,
                    [&](std::string_view key, std::string_view value) {
                      entries.emplace_back(key, value);
                      return true;
                    })
              .ok());
  return entries;
}

// Both stores, to be asked the same.
class AnyStore {
 public:
  explicit AnyStore(bool on_disk) : on_disk_(on_disk), store_(make_memory_store()) {
    if (on_disk_) store_ = *open_rocksdb_store(directory_ / "db");
  }
  void reopen() {
    if (!on_disk_) return;
    store_.reset();
    store_ = *open_rocksdb_store(directory_ / "db");
  }
  StateStore* operator->() { return store_.get(); }
  StateStore& operator*() { return *store_; }

 private:
  const bool on_disk_;
  const TemporaryDirectory directory_;
  std::unique_ptr<StateStore> store_;
};

}  // namespace

TEST_CASE("a store keeps what batches put and erase, in order, and gives it back after reopening") {
  AnyStore store(GENERATE(false, true));
  WriteBatch batch;
  batch.put("b", "1");
  batch.put("a", "2");
  batch.put(std::string("c\0c", 3), std::string("\0x", 2));
  batch.put("d", "");
  batch.put("a", "3");
  REQUIRE(store->write(batch, true).ok());
  for (int round = 0; round < 2; ++round) {
    REQUIRE(*store->get("a") == "3");
    REQUIRE(store->get("d")->empty());
    REQUIRE(absl::IsNotFound(store->get("aa").status()));
    REQUIRE(scan(*store, "a", "z") == Entries{{"a", "3"},
                                              {"b", "1"},
                                              {std::string("c\0c", 3), std::string("\0x", 2)},
                                              {"d", ""}});
    REQUIRE(scan(*store, "b", "d").size() == 2);
    REQUIRE(scan(*store, "d", "b").empty());
    store.reopen();
  }
  WriteBatch changes;
  changes.erase("nothing");
  changes.erase_range("b", "d");
  changes.erase_range("z", "a");  // empty
  changes.put("bb", "after");
  REQUIRE(store->write(changes, false).ok());
  store.reopen();
  REQUIRE(scan(*store, "", "z") == Entries{{"a", "3"}, {"bb", "after"}, {"d", ""}});
}

TEST_CASE("a scan shows what was there when it began and stops when told") {
  AnyStore store(GENERATE(false, true));
  WriteBatch batch;
  for (char key = 'a'; key < 'k'; ++key) batch.put(std::string(1, key), "v");
  REQUIRE(store->write(batch, false).ok());
  std::string seen;
  REQUIRE(store
              ->scan("a", "z",
                     [&](std::string_view key, std::string_view) {
                       WriteBatch more;
                       more.put(std::string(key) + "x", "v");
                       REQUIRE(store->write(more, false).ok());
                       seen += key;
                       return key != "e";
                     })
              .ok());
  REQUIRE(seen == "abcde");
}

TEST_CASE("runs lie between what batches put, and are gone when they are dropped") {
  AnyStore store(GENERATE(false, true));
  const auto run = [](const std::string& prefix, char value) {
    std::vector<StateStore::Entry> entries;
    for (char key = 'a'; key < 'e'; ++key)
      entries.emplace_back(prefix + key, std::string(9, value));
    return entries;
  };
  WriteBatch around;
  around.put("a", "before");
  around.put("z", "behind");
  REQUIRE(store->write(around, false).ok());
  REQUIRE(store->add_run(run("m1", '1')).ok());
  REQUIRE(store->add_run(run("m2", '2')).ok());
  WriteBatch more;
  more.put("z", "later");
  more.put("b", "more");
  REQUIRE(store->write(more, true).ok());
  for (int round = 0; round < 2; ++round) {
    REQUIRE(scan(*store, "", "zz").size() == 3 + 8);
    REQUIRE(*store->get("m1c") == "111111111");
    REQUIRE(*store->get("m2d") == "222222222");
    REQUIRE(*store->get("z") == "later");
    store.reopen();
  }
  WriteBatch erased;
  for (const auto& [key, value] : run("m1", '1')) erased.erase(key);
  REQUIRE(store->drop_run("m1a", "m1d").ok());
  REQUIRE(store->write(erased, false).ok());
  REQUIRE(store->add_run(run("m3", '3')).ok());
  for (int round = 0; round < 2; ++round) {
    REQUIRE(scan(*store, "m1", "m2").empty());
    REQUIRE(scan(*store, "", "zz").size() == 3 + 8);
    store.reopen();
  }
}

TEST_CASE("a run is refused where its keys are being changed, and a half-made one is forgotten") {
  const TemporaryDirectory directory;
  auto store = *open_rocksdb_store(directory / "db");
  WriteBatch batch;
  batch.put("m1b", "in memory");
  REQUIRE(store->write(batch, true).ok());
  const std::vector<StateStore::Entry> run{{"m1a", "1"}, {"m1c", "2"}};
  REQUIRE_FALSE(store->add_run(run).ok());
  REQUIRE_FALSE(store->write(batch, true).ok());  // as after any other error
  store.reset();
  std::ofstream(directory / "db/run.tmp") << "what a crash has left";
  store = *open_rocksdb_store(directory / "db");
  REQUIRE_FALSE(std::filesystem::exists(directory / "db/run.tmp"));
  REQUIRE(scan(*store, "", "zz") == Entries{{"m1b", "in memory"}});
}

TEST_CASE("the room of a run that was dropped is free at once") {
  const TemporaryDirectory directory;
  const auto store = *open_rocksdb_store(directory / "db");
  constexpr size_t kBytes = 8u << 20;
  for (char n = '0'; n < '9'; ++n) {
    const std::string prefix = std::string("run") + n;
    REQUIRE(store
                ->add_run(std::vector<StateStore::Entry>{{prefix + "a", std::string(kBytes, n)},
                                                         {prefix + "b", "end"}})
                .ok());
    REQUIRE(store->bytes_on_disk() > kBytes);
    REQUIRE(store->drop_run(prefix + "a", prefix + "b").ok());
    REQUIRE(store->bytes_on_disk() < kBytes);
  }
}

TEST_CASE("a store on disk is open once, and says where it is when it cannot be opened") {
  const TemporaryDirectory directory;
  const auto store = open_rocksdb_store(directory / "db");
  REQUIRE(store.ok());
  const auto again = open_rocksdb_store(directory / "db");
  REQUIRE_FALSE(again.ok());
  REQUIRE_THAT(std::string(again.status().message()), Catch::Contains(directory / "db"));
  // What the one that has it open is about to add is left alone.
  std::ofstream(directory / "db/run.tmp") << "on its way";
  REQUIRE_FALSE(open_rocksdb_store(directory / "db").ok());
  REQUIRE(std::filesystem::exists(directory / "db/run.tmp"));
  const auto nowhere = open_rocksdb_store("/proc/nowhere/db");
  REQUIRE_FALSE(nowhere.ok());
  REQUIRE_THAT(std::string(nowhere.status().message()), Catch::Contains("/proc/nowhere/db"));
}

TEST_CASE("a store on disk knows its size, and the budget may change while it is open") {
  const TemporaryDirectory directory;
  const auto store = *open_rocksdb_store(directory / "db");
  set_storage_budget(8u << 20);
  const size_t before = store->bytes_on_disk();
  for (int n = 0; n < 20; ++n) {
    WriteBatch batch;
    batch.put("key " + std::to_string(n), std::string(1u << 20, 'v'));
    REQUIRE(batch.bytes() > 1u << 20);
    REQUIRE(store->write(batch, false).ok());
  }
  set_storage_budget(256u << 20);
  REQUIRE(store->bytes_on_disk() > before + (16u << 20));
  REQUIRE(scan(*store, "key", "kez").size() == 20);
}

}  // namespace kappa::state
