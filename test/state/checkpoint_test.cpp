#include <memory>
#include <string>

#include <catch2/catch.hpp>

#include "checkpoint_model.h"
#include "state/checkpoint_format.h"
#include "state/packed_rows.h"
#include "temporary_directory.h"

namespace kappa::state {
namespace {

size_t stored_blob_bytes(const StateStore& store) {
  size_t bytes = 0;
  REQUIRE(store
              .scan("d", "e",
                    [&](std::string_view, std::string_view blob) {
                      bytes += blob.size();
                      return true;
                    })
              .ok());
  return bytes;
}

// What a crash leaves behind that comes after a checkpoint's runs and before the write that makes
// them count.
void leave_over(StateStore& store, uint64_t checkpoint, RandomRows& random) {
  for (const TableId table : {TableId{1, 0}, TableId{2, 1}}) {
    std::vector<StateStore::Entry> run;
    for (uint32_t n = 0; n <= random.below(3); ++n) {
      run.emplace_back(delta_key(checkpoint, table, n), std::string(1000, 'x'));
    }
    REQUIRE(store.add_run(run).ok());
  }
}

}  // namespace

TEST_CASE("a store gives back the last checkpoint, void blobs erased or not, opened again or not") {
  const bool on_disk = GENERATE(false, true);
  const uint64_t run_bytes = GENERATE(CheckpointStore::kRunBytes, uint64_t{3000}, uint64_t{1});
  const uint64_t seed = GENERATE(range(1, 11));
  INFO((on_disk ? "rocksdb" : "memory") << ", runs of " << run_bytes << ", seed " << seed);
  const TemporaryDirectory directory;
  RandomRows random(seed);
  CheckpointModel model;
  std::unique_ptr<StateStore> store = make_memory_store();
  if (on_disk) store = *open_rocksdb_store(directory / "db");
  auto checkpoints = std::make_unique<CheckpointStore>(store.get(), run_bytes);
  REQUIRE(absl::IsNotFound(checkpoints->read_place().status()));
  uint64_t number = 0;  // of the last checkpoint, or higher

  for (int step = 0; step < 60; ++step) {
    INFO("step " << step);
    const size_t choice = random.below(10);
    if (choice < 6 || model.place.empty()) {
      const size_t value_bytes = random.chance(0.1) ? 40'000 : 40;
      REQUIRE(checkpoints->write(model.change(random, random.below(60), value_bytes)).ok());
      ++number;
      REQUIRE(stored_blob_bytes(*store) == checkpoints->delta_bytes());
    } else if (choice < 8) {
      REQUIRE(checkpoints->erase_void().ok());
    } else {
      const size_t delta_bytes = checkpoints->delta_bytes();
      checkpoints.reset();
      if (random.chance(0.5)) leave_over(*store, ++number, random);
      if (on_disk) {
        store.reset();
        store = *open_rocksdb_store(directory / "db");
      }
      checkpoints = std::make_unique<CheckpointStore>(store.get(), run_bytes);
      model.sequence = static_cast<uint32_t>(1000 * step);  // tables count anew
      REQUIRE(checkpoints->delta_bytes() == delta_bytes);
    }
    REQUIRE(CheckpointModel::read(*checkpoints) == model);
  }
}

TEST_CASE("a store without a checkpoint says so") {
  const std::unique_ptr<StateStore> store = make_memory_store();
  CheckpointStore checkpoints(store.get());
  REQUIRE(absl::IsNotFound(checkpoints.read_place().status()));
  REQUIRE(absl::IsNotFound(checkpoints.read_rows(nullptr)));
  REQUIRE(absl::IsNotFound(checkpoints.read_outbox().status()));
  REQUIRE(checkpoints.erase_void().ok());
  REQUIRE_FALSE(checkpoints.should_erase_void());
}

TEST_CASE("many outbox entries are forgotten at once") {
  const std::unique_ptr<StateStore> store = make_memory_store();
  CheckpointStore checkpoints(store.get());
  Checkpoint checkpoint;
  for (uint64_t n = 0; n < 10'000; ++n) checkpoint.outbox.push_back({n, "t", "p"});
  REQUIRE(checkpoints.write(checkpoint).ok());
  REQUIRE(checkpoints.read_outbox()->size() == 10'000);
  checkpoint.outbox.clear();
  checkpoint.outbox_published_to = 9'000;
  REQUIRE(checkpoints.write(checkpoint).ok());
  const auto left = CheckpointStore(store.get()).read_outbox();
  REQUIRE(left->size() == 1000);
  REQUIRE(left->front().sequence == 9'000);
}

TEST_CASE("void blobs are worth erasing once there are many of them") {
  const std::unique_ptr<StateStore> store = make_memory_store();
  CheckpointStore checkpoints(store.get());
  const auto write = [&](uint32_t sequence) {
    Checkpoint checkpoint;
    PackedTable& table = checkpoint.tables.emplace_back(PackedTable{{1, 0}, {sequence, 1}, {}});
    append_packed({3, "key", std::string(1u << 20, 'v'), false}, table.blob());
    REQUIRE(checkpoints.write(checkpoint).ok());
  };
  write(1);
  REQUIRE_FALSE(checkpoints.should_erase_void());
  for (uint32_t sequence = 2; sequence < 12; ++sequence) write(sequence);
  REQUIRE(checkpoints.should_erase_void());
  REQUIRE(checkpoints.delta_bytes() > 10u << 20);
  REQUIRE(checkpoints.erase_void().ok());
  REQUIRE_FALSE(checkpoints.should_erase_void());
  REQUIRE(checkpoints.delta_bytes() < 2u << 20);
}

}  // namespace kappa::state
