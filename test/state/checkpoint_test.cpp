#include <memory>
#include <string>

#include <catch2/catch.hpp>

#include "checkpoint_model.h"
#include "temporary_directory.h"

namespace kappa::state {
namespace {

// An empty outbox does not say where it begins.
CheckpointModel comparable(CheckpointModel model) {
  if (model.outbox.empty()) model.outbox_from = 0;
  return model;
}

}  // namespace

TEST_CASE("a store gives back the last checkpoint, folded or not, opened again or not") {
  const bool on_disk = GENERATE(false, true);
  const uint64_t seed = GENERATE(range(1, 11));
  INFO((on_disk ? "rocksdb" : "memory") << ", seed " << seed);
  const TemporaryDirectory directory;
  RandomRows random(seed);
  CheckpointModel model;
  std::unique_ptr<StateStore> store = make_memory_store();
  if (on_disk) store = *open_rocksdb_store(directory / "db");
  auto checkpoints = std::make_unique<CheckpointStore>(store.get());
  REQUIRE(absl::IsNotFound(checkpoints->read_place().status()));

  for (int step = 0; step < 60; ++step) {
    INFO("step " << step);
    const size_t choice = random.below(10);
    if (choice < 6 || model.place.empty()) {
      const size_t value_bytes = random.chance(0.1) ? 40'000 : 40;
      REQUIRE(checkpoints->write(model.change(random, random.below(60), value_bytes)).ok());
    } else if (choice < 8) {
      REQUIRE(checkpoints->fold().ok());
    } else {
      const size_t delta_bytes = checkpoints->delta_bytes();
      checkpoints.reset();
      if (on_disk) {
        store.reset();
        store = *open_rocksdb_store(directory / "db");
      }
      checkpoints = std::make_unique<CheckpointStore>(store.get());
      REQUIRE(checkpoints->delta_bytes() == delta_bytes);
    }
    REQUIRE(comparable(CheckpointModel::read(*checkpoints)) == comparable(model));
  }
}

}  // namespace kappa::state
