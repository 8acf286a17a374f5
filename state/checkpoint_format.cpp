#include "state/checkpoint_format.h"

#include <cstring>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/types/crc32c.h"

namespace kappa::state {
namespace {

constexpr uint32_t kFormatVersion = 3;
constexpr size_t kTableBytes = 9;

template <typename T>
void append_big_endian(T value, std::string* out) {
  for (int shift = 8 * (static_cast<int>(sizeof(T)) - 1); shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>(value >> shift));
  }
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

uint64_t big_endian_of(std::string_view bytes) {
  uint64_t value = 0;
  for (char byte : bytes) value = (value << 8) | static_cast<uint8_t>(byte);
  return value;
}

void append_table(TableId table, std::string* key) {
  append_big_endian(table.operator_id, key);
  append_big_endian(table.part, key);
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

// Reads little-endian fields off the front of a record whose length was checked.
class Fields {
 public:
  explicit Fields(std::string_view record) : rest_(record) {}

  template <typename T>
  T take() {
    const T value = little_endian_at<T>(rest_.data());
    rest_.remove_prefix(sizeof(T));
    return value;
  }
  TableId take_table() {
    const auto operator_id = take<uint64_t>();
    return {operator_id, take<uint8_t>()};
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

}  // namespace

std::string head_key() {
  return "mcheckpoint";
}

// format version u32 | number u64 | outbox from u64 | blobs u64 | bytes u64 |
// starts u32 | (operator u64, part u8, checkpoint u64)… | place | crc32c u32
std::string encode_head(const CheckpointHead& head) {
  std::string out;
  append_little_endian(kFormatVersion, &out);
  for (uint64_t field : {head.number, head.outbox_from, head.blobs, head.bytes}) {
    append_little_endian(field, &out);
  }
  append_little_endian(static_cast<uint32_t>(head.starts.size()), &out);
  for (const auto& [table, checkpoint] : head.starts) {
    append_little_endian(table.operator_id, &out);
    append_little_endian(table.part, &out);
    append_little_endian(checkpoint, &out);
  }
  out += head.place;
  seal(&out);
  return out;
}

absl::StatusOr<CheckpointHead> decode_head(std::string_view stored) {
  constexpr size_t kFixedBytes = 4 + 4 * 8 + 4;
  constexpr size_t kStartBytes = kTableBytes + 8;
  const auto body = unseal(stored);
  if (!body || body->size() < kFixedBytes) {
    return absl::DataLossError(absl::StrCat("the checkpoint's head (", stored.size(),
                                            " bytes) is damaged: its checksum does not match"));
  }
  Fields fields(*body);
  const auto version = fields.take<uint32_t>();
  if (version != kFormatVersion) {
    return absl::DataLossError(absl::StrCat("the checkpoint is of format ", version,
                                            "; this program reads format ", kFormatVersion));
  }
  CheckpointHead head;
  head.number = fields.take<uint64_t>();
  head.outbox_from = fields.take<uint64_t>();
  head.blobs = fields.take<uint64_t>();
  head.bytes = fields.take<uint64_t>();
  const auto starts = fields.take<uint32_t>();
  if (fields.rest().size() < starts * kStartBytes) {
    return absl::DataLossError(absl::StrCat("the checkpoint's head (", stored.size(),
                                            " bytes) is damaged: it is too short"));
  }
  for (uint32_t i = 0; i < starts; ++i) {
    const TableId table = fields.take_table();
    head.starts[table] = fields.take<uint64_t>();
  }
  head.place = fields.rest();
  return head;
}

std::string part_key(TableId table, uint64_t checkpoint) {
  std::string key(1, 'c');
  append_table(table, &key);
  append_big_endian(checkpoint, &key);
  return key;
}

std::string encode_part(const CheckpointPart& part) {
  std::string out;
  append_little_endian(part.blobs, &out);
  append_little_endian(part.bytes, &out);
  seal(&out);
  return out;
}

absl::StatusOr<StoredPart> decode_part(std::string_view key, std::string_view stored) {
  const auto body = unseal(stored);
  if (key.size() != 1 + kTableBytes + 8 || !body || body->size() != 12) {
    return absl::DataLossError("the record of what a checkpoint holds is damaged");
  }
  StoredPart found;
  found.table = {big_endian_of(key.substr(1, 8)), static_cast<uint8_t>(key[9])};
  found.checkpoint = big_endian_of(key.substr(10));
  Fields fields(*body);
  found.part.blobs = fields.take<uint32_t>();
  found.part.bytes = fields.take<uint64_t>();
  return found;
}

std::string delta_key(uint64_t checkpoint, TableId table, uint32_t n) {
  std::string key = numbered_key('d', checkpoint);
  append_table(table, &key);
  append_big_endian(n, &key);
  return key;
}

absl::StatusOr<uint64_t> checkpoint_of_delta_key(std::string_view key) {
  constexpr size_t kBytes = 1 + sizeof(uint64_t) + kTableBytes + sizeof(uint32_t);
  if (key.size() != kBytes) {
    return absl::DataLossError(
        absl::StrCat("a blob's key has ", key.size(), " bytes, not ", kBytes));
  }
  return big_endian_of(key.substr(1, sizeof(uint64_t)));
}

void seal_blob(std::string* packed) {
  seal(packed);
}

absl::StatusOr<std::string_view> open_blob(std::string_view stored) {
  if (const auto packed = unseal(stored)) return *packed;
  return absl::DataLossError("its checksum does not match");
}

std::string kept_key(std::string_view key) {
  return std::string(1, 'k').append(key);
}

std::string outbox_key(uint64_t sequence) {
  return numbered_key('o', sequence);
}

uint64_t sequence_of_outbox_key(std::string_view key) {
  return big_endian_of(key.substr(1));
}

std::string to_string(TableId table) {
  return absl::StrFormat("%016x/%d", table.operator_id, table.part);
}

}  // namespace kappa::state
