#include "state/checkpoint_format.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/types/crc32c.h"

namespace kappa::state {
namespace {

constexpr uint32_t kFormatVersion = 1;
constexpr size_t kTableBytes = 9;
constexpr size_t kDeltaKeyBytes = 1 + 8 + kTableBytes + 4;

template <typename T>
void append_big_endian(T value, std::string* out) {
  for (int shift = 8 * (static_cast<int>(sizeof(T)) - 1); shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>(value >> shift));
  }
}

template <typename T>
T big_endian_at(const char* from) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>((uint64_t{value} << 8) | static_cast<uint8_t>(from[i]));
  }
  return value;
}

template <typename T>
void append_little_endian(T value, std::string* out) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <typename T>
T little_endian_at(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

void append_table(TableId table, std::string* out) {
  append_big_endian(table.operator_id, out);
  append_big_endian(table.part, out);
}

TableId table_at(const char* from) {
  return {big_endian_at<uint64_t>(from), static_cast<uint8_t>(from[8])};
}

std::string numbered_key(char kind, uint64_t number) {
  std::string key(1, kind);
  append_big_endian(number, &key);
  return key;
}

void seal(std::string* record) {
  append_little_endian(crc32c(record->data(), record->size()), record);
}

// The record without its checksum, or nullopt if that is wrong.
std::optional<std::string_view> unseal(std::string_view record) {
  if (record.size() < sizeof(uint32_t)) return std::nullopt;
  const std::string_view body = record.substr(0, record.size() - sizeof(uint32_t));
  if (crc32c(body.data(), body.size()) != little_endian_at<uint32_t>(body.data() + body.size())) {
    return std::nullopt;
  }
  return body;
}

}  // namespace

std::string head_key() {
  return "mcheckpoint";
}

// format version u32 | number u64 | oldest u64 | delta bytes u64 | folded bytes u64 |
// outbox from u64 | place | crc32c u32
std::string encode_head(const CheckpointHead& head) {
  std::string out;
  append_little_endian(kFormatVersion, &out);
  for (uint64_t field :
       {head.number, head.oldest, head.delta_bytes, head.folded_bytes, head.outbox_from}) {
    append_little_endian(field, &out);
  }
  out += head.place;
  seal(&out);
  return out;
}

absl::StatusOr<CheckpointHead> decode_head(std::string_view stored) {
  constexpr size_t kFixedBytes = 4 + 5 * 8;
  const auto body = unseal(stored);
  if (!body || body->size() < kFixedBytes) {
    return absl::DataLossError(absl::StrCat("the checkpoint's head (", stored.size(),
                                            " bytes) is damaged: its checksum does not match"));
  }
  const auto version = little_endian_at<uint32_t>(body->data());
  if (version != kFormatVersion) {
    return absl::DataLossError(absl::StrCat("the checkpoint is of format ", version,
                                            "; this program reads format ", kFormatVersion));
  }
  const auto field = [&](size_t i) { return little_endian_at<uint64_t>(body->data() + 4 + 8 * i); };
  CheckpointHead head;
  head.number = field(0);
  head.oldest = field(1);
  head.delta_bytes = field(2);
  head.folded_bytes = field(3);
  head.outbox_from = field(4);
  head.place = body->substr(kFixedBytes);
  return head;
}

std::string summary_key(uint64_t checkpoint) {
  return numbered_key('c', checkpoint);
}

std::string encode_summary(const DeltaSummary& summary) {
  std::string out;
  append_little_endian(summary.blobs, &out);
  append_little_endian(summary.bytes, &out);
  seal(&out);
  return out;
}

absl::StatusOr<DeltaSummary> decode_summary(uint64_t checkpoint, std::string_view stored) {
  const auto body = unseal(stored);
  if (!body || body->size() != 12) {
    return absl::DataLossError(absl::StrCat("the record of checkpoint ", checkpoint,
                                            " is damaged: its checksum does not match"));
  }
  return DeltaSummary{little_endian_at<uint32_t>(body->data()),
                      little_endian_at<uint64_t>(body->data() + 4)};
}

std::string delta_prefix(uint64_t checkpoint) {
  return numbered_key('d', checkpoint);
}

std::string delta_key(uint64_t checkpoint, TableId table, uint32_t n) {
  std::string key = delta_prefix(checkpoint);
  append_table(table, &key);
  append_big_endian(n, &key);
  return key;
}

TableId table_of_delta_key(std::string_view key) {
  return table_at(key.data() + 9);
}

std::string seal_blob(std::string_view packed) {
  std::string blob;
  blob.reserve(packed.size() + sizeof(uint32_t));
  blob = packed;
  seal(&blob);
  return blob;
}

absl::StatusOr<std::string_view> open_blob(std::string_view key, std::string_view stored) {
  if (key.size() != kDeltaKeyBytes) {
    return absl::DataLossError(
        absl::StrCat("a delta blob's key has ", key.size(), " bytes instead of ", kDeltaKeyBytes));
  }
  if (const auto packed = unseal(stored)) return *packed;
  const TableId table = table_of_delta_key(key);
  return absl::DataLossError(absl::StrFormat(
      "blob %d of table %016x/%d in checkpoint %d is damaged: its checksum does not match",
      big_endian_at<uint32_t>(key.data() + 9 + kTableBytes), table.operator_id, table.part,
      big_endian_at<uint64_t>(key.data() + 1)));
}

std::string row_key(TableId table, uint32_t key_group, std::string_view key) {
  std::string out;
  out.reserve(1 + kTableBytes + 1 + key.size());
  out.push_back('r');
  append_table(table, &out);
  out.push_back(static_cast<char>(key_group));
  out += key;
  return out;
}

absl::StatusOr<RowKeyParts> decode_row_key(std::string_view stored) {
  constexpr size_t kFixedBytes = 1 + kTableBytes + 1;
  if (stored.size() < kFixedBytes) {
    return absl::DataLossError(absl::StrCat("a stored row's key has ", stored.size(),
                                            " bytes; at least ", kFixedBytes, " are needed"));
  }
  return RowKeyParts{table_at(stored.data() + 1), static_cast<uint8_t>(stored[1 + kTableBytes]),
                     stored.substr(kFixedBytes)};
}

std::string outbox_key(uint64_t sequence) {
  return numbered_key('o', sequence);
}

}  // namespace kappa::state
