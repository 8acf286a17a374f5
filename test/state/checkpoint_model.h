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

  // Changes the model and returns the checkpoint that does the same to a store. Deletes, and so
  // chooses among few keys, so that rows come and go; values of up to `value_bytes_max`.
  Checkpoint change(RandomRows& random, size_t rows, size_t value_bytes_max);

  // What `store` holds. Fails the test if that cannot be read or a row comes twice.
  static CheckpointModel read(const CheckpointStore& store);
  bool operator==(const CheckpointModel&) const = default;
};

}  // namespace kappa::state
