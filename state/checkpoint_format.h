#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "state/table.h"

// How checkpoints lie in a generation's store. Integers in keys are big-endian, in values
// little-endian.
//
//   'c' operator u64, part u8, checkpoint u64         → what it holds of a table: blobs u32 |
//                                                       bytes u64 | crc32c u32
//   'd' checkpoint u64, operator u64, part u8, n u32  → a blob: packed rows, or stored
//                                                       events | crc32c u32
//   'k' key                                           → what a follower keeps, opaque here
//   'm' "checkpoint"                                  → the head, see encode_head()
//   'o' sequence u64                                  → an outbox entry, see encode_outbox()
namespace kappa::state {

struct CheckpointHead {
  uint64_t number = 0;       // of the last checkpoint; they count from 1
  uint64_t outbox_from = 0;  // entries below are forgotten
  // Of all blobs in the store: what is missing is missed.
  uint64_t blobs = 0;
  uint64_t bytes = 0;
  // Where a table's rows start: older checkpoints hold nothing of it that later ones do not. A
  // table that is not here starts with the first.
  std::map<TableId, uint64_t> starts;
  std::string place;
};

std::string head_key();
std::string encode_head(const CheckpointHead& head);
absl::StatusOr<CheckpointHead> decode_head(std::string_view stored);

// What a checkpoint holds of a table: blobs numbered from 0.
struct CheckpointPart {
  uint32_t blobs = 0;
  uint64_t bytes = 0;
};

std::string part_key(TableId table, uint64_t checkpoint);
std::string encode_part(const CheckpointPart& part);
struct StoredPart {
  TableId table;
  uint64_t checkpoint = 0;
  CheckpointPart part;
};
absl::StatusOr<StoredPart> decode_part(std::string_view key, std::string_view stored);

std::string delta_key(uint64_t checkpoint, TableId table, uint32_t n);
absl::StatusOr<uint64_t> checkpoint_of_delta_key(std::string_view key);  // DataLoss: it is none
// Makes packed rows a blob.
void seal_blob(std::string* packed);
// The packed rows of a blob. DataLoss: damaged.
absl::StatusOr<std::string_view> open_blob(std::string_view stored);

std::string kept_key(std::string_view key);

std::string outbox_key(uint64_t sequence);
uint64_t sequence_of_outbox_key(std::string_view key);

// "0123456789abcdef/0", for messages.
std::string to_string(TableId table);

}  // namespace kappa::state
