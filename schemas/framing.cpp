#include "schemas/framing.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "schemas/protobuf_wire.h"

namespace kappa::schemas {
namespace {

constexpr char kById = 0x00;
constexpr char kByGuid = 0x01;
constexpr size_t kByIdBytes = 1 + 4;
constexpr size_t kByGuidBytes = 1 + 16;
constexpr int64_t kIndexesMax = 100;  // deeper messages than any .proto has

// The last header of that name counts.
std::optional<std::string_view> schema_header(const RecordView& record) {
  std::optional<std::string_view> found;
  // Most records' headers do not have these bytes anywhere: then they need not be walked.
  if (std::string_view(record.headers, record.headers_size).find(kSchemaIdHeader) ==
      std::string_view::npos) {
    return found;
  }
  std::string_view name;
  std::optional<std::string_view> value;
  HeaderReader reader(record);
  while (reader.next(&name, &value)) {
    if (name == kSchemaIdHeader) found = value.value_or(std::string_view());
  }
  return found;
}

std::string list(std::span<const int> indexes) {
  return absl::StrCat("[", absl::StrJoin(indexes, ", "), "]");
}

std::optional<std::string> too_short(size_t expected, size_t found) {
  return absl::StrCat("Schema Registry frame: expected at least ", expected, " bytes, got ", found);
}

// Reads message indexes at the beginning of `bytes`, and cuts them off. False if they are broken.
bool take_indexes(std::string_view* bytes, std::vector<int>* indexes) {
  WireReader in(*bytes);
  uint64_t bits = 0;
  if (!in.varint(&bits)) return false;
  const int64_t count = unzigzag(bits);
  if (count < 0 || count > kIndexesMax) return false;
  for (int64_t i = 0; i < count; ++i) {
    if (!in.varint(&bits)) return false;
    const int64_t index = unzigzag(bits);
    if (index < 0 || index > INT32_MAX) return false;
    indexes->push_back(static_cast<int>(index));
  }
  if (count == 0) indexes->push_back(0);
  bytes->remove_prefix(in.position());
  return true;
}

std::optional<std::string> check_indexes(std::string_view* bytes, std::span<const int> expected,
                                         std::string_view message) {
  std::vector<int> indexes;
  if (!take_indexes(bytes, &indexes)) {
    return "Schema Registry frame: its message indexes are broken";
  }
  if (std::equal(indexes.begin(), indexes.end(), expected.begin(), expected.end())) {
    return std::nullopt;
  }
  return absl::StrCat("Schema Registry frame: it is around message ", list(indexes),
                      " of its schema; expected ", list(expected), ", which is ",
                      std::string(message), " in the source's .proto");
}

// The message indexes behind a schema's id; the payload of a record with the header has no frame.
std::optional<std::string> take_schema(std::string_view header, std::string_view* indexes) {
  const std::string place = absl::StrCat("header ", std::string(kSchemaIdHeader), ": ");
  if (header.empty() || (header[0] != kById && header[0] != kByGuid)) {
    return absl::StrCat(place, "expected a byte 0x00 or 0x01 and the schema's id");
  }
  const size_t size = header[0] == kById ? kByIdBytes : kByGuidBytes;
  if (header.size() < size) return absl::StrCat(place, *too_short(size, header.size()));
  *indexes = header.substr(size);
  return std::nullopt;
}

}  // namespace

std::optional<std::string> unframe_json(const RecordView& record, std::string_view* body) {
  *body = {record.value, record.value_size};
  if (!may_be_framed_json(record) || schema_header(record)) return std::nullopt;
  if (body->size() < kByIdBytes) return too_short(kByIdBytes, body->size());
  body->remove_prefix(kByIdBytes);
  return std::nullopt;
}

std::optional<std::string> unframe_protobuf(const RecordView& record,
                                            std::span<const int> message_indexes,
                                            std::string_view message, std::string_view* body) {
  *body = {record.value, record.value_size};
  if (const auto header = schema_header(record)) {
    std::string_view indexes;
    if (auto reason = take_schema(*header, &indexes)) return reason;
    // A header without indexes names the schema alone.
    if (indexes.empty()) return std::nullopt;
    return check_indexes(&indexes, message_indexes, message);
  }
  if (!may_be_framed_json(record)) return std::nullopt;
  if (body->size() <= kByIdBytes) return too_short(kByIdBytes + 1, body->size());
  body->remove_prefix(kByIdBytes);
  return check_indexes(body, message_indexes, message);
}

}  // namespace kappa::schemas
