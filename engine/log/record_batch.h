#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/types/record.h"
#include "engine/types/time.h"

namespace kappa::log {

// Reading Kafka's record batches, format v2 (magic 2); their byte layout is drawn at the encoder,
// engine/log/batch_encoder.h. Nothing that the bytes hold makes these functions read outside them.

inline constexpr size_t kBatchHeaderBytes = 61;
// baseOffset and batchLength: what it takes to know how many bytes a batch has.
inline constexpr size_t kBatchPrefixBytes = 12;

struct BatchHeader {
  Offset base_offset;
  size_t size_bytes = 0;  // of the whole batch, this header included
  uint32_t crc = 0;  // of everything behind the crc field; the fields before it are not covered
  int16_t attributes = 0;
  int32_t last_offset_delta = 0;
  LogTime base_timestamp;
  LogTime max_timestamp;
  int32_t record_count = 0;

  // One past the last offset the batch stands for.
  Offset next_offset() const { return Offset{base_offset.value + last_offset_delta + 1}; }
};

// The header at the front of `bytes`, which may end before the batch does: compare size_bytes.
// OutOfRange: fewer than kBatchHeaderBytes bytes. DataLoss: this is no batch header.
absl::StatusOr<BatchHeader> parse_batch_header(std::string_view bytes);

// DataLoss: the crc of `batch`, the header.size_bytes bytes that `header` was parsed from, is not
// what the header says.
absl::Status check_batch_crc(std::string_view batch, const BatchHeader& header);

// Checks the crc of one whole batch and appends those of its records whose offset is not below
// `from` to `records`; they point into `batch`. Control batches hold no records for us. On an error
// `records` is left as it was.
// DataLoss: wrong crc, or records that do not fill the batch exactly. Unimplemented: compressed.
absl::Status decode_batch(std::string_view batch, const BatchHeader& header, Offset from,
                          std::vector<RecordView>* records);

// Decodes batch after batch from the front of `bytes` up to the last whole one; returns how many
// bytes that took. Errors as above, naming the offset of the batch.
absl::StatusOr<size_t> decode_batches(std::string_view bytes, Offset from,
                                      std::vector<RecordView>* records);

}  // namespace kappa::log
