#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "random_rows.h"
#include "state/checkpoint.h"

namespace kappa::state {

// What a checkpoint store holds, in the simplest form, and random checkpoints that change it.
struct CheckpointModel {
  using Key = std::tuple<uint64_t, int, uint32_t, std::string>;  // operator, part, key group, key

  std::string place;
  std::map<Key, std::string> rows;
  std::vector<std::string> outbox;  // payloads of the entries not forgotten
  uint64_t outbox_from = 0;

  uint32_t sequence = 0;  // of the last checkpoint

  // Changes the model and returns the checkpoint that does the same to a store. Keys are few, so
  // that rows come and go; values have up to `value_bytes_max`. Now and then the checkpoint holds
  // all rows of a table and says so, which makes older ones void.
  Checkpoint change(RandomRows& random, size_t changes, size_t value_bytes_max);

  // What `store` holds. Fails the test if that cannot be read or a row comes twice.
  static CheckpointModel read(const CheckpointStore& store);
  // Whether both hold the same. An empty outbox does not say where it begins.
  bool operator==(const CheckpointModel& other) const {
    return place == other.place && rows == other.rows && outbox == other.outbox &&
           (outbox.empty() || outbox_from == other.outbox_from);
  }

 private:
  void pack_whole(PackedTable* packed) const;
};

}  // namespace kappa::state
