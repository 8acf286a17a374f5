#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "state/table.h"

// How checkpoints lie in a generation's store. Integers in keys are big-endian, in values
// little-endian.
//
//   'c' checkpoint u64                                → blobs u32 | bytes u64 | crc32c u32
//   'd' checkpoint u64, operator u64, part u8, n u32  → a delta blob: packed rows | crc32c u32
//   'm' "checkpoint"                                  → the head, see encode_head()
//   'o' sequence u64                                  → an outbox entry, see encode_outbox()
//   'r' operator u64, part u8, key group u8, key      → a row's value
//
// A checkpoint's 'c' record counts its blobs, so that one which is not there any more is missed.
namespace kappa::state {

// What the last checkpoint left behind, beside its rows.
struct CheckpointHead {
  uint64_t number = 0;        // of the last checkpoint; they count from 1
  uint64_t oldest = 1;        // the first whose blobs are not folded yet
  uint64_t delta_bytes = 0;   // of all blobs from `oldest` on
  uint64_t folded_bytes = 0;  // of keys and values that folding wrote, overwritten ones included
  uint64_t outbox_from = 0;   // entries below are forgotten
  std::string place;
};

struct DeltaSummary {
  uint32_t blobs = 0;
  uint64_t bytes = 0;
};

std::string head_key();
std::string encode_head(const CheckpointHead& head);
absl::StatusOr<CheckpointHead> decode_head(std::string_view stored);

std::string summary_key(uint64_t checkpoint);
std::string encode_summary(const DeltaSummary& summary);
absl::StatusOr<DeltaSummary> decode_summary(uint64_t checkpoint, std::string_view stored);

// The first key of the checkpoint's blobs.
std::string delta_prefix(uint64_t checkpoint);
std::string delta_key(uint64_t checkpoint, TableId table, uint32_t n);
std::string seal_blob(std::string_view packed);
// The packed rows of a blob. DataLoss: damaged; says which.
absl::StatusOr<std::string_view> open_blob(std::string_view key, std::string_view stored);
TableId table_of_delta_key(std::string_view key);

std::string row_key(TableId table, uint32_t key_group, std::string_view key);
// The parts of a row key. DataLoss: it is none.
struct RowKeyParts {
  TableId table;
  uint32_t key_group = 0;
  std::string_view key;
};
absl::StatusOr<RowKeyParts> decode_row_key(std::string_view stored);

std::string outbox_key(uint64_t sequence);

}  // namespace kappa::state
