#include "state/row_codec.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "engine/types/invariant.h"
#include "engine/types/status_macros.h"

namespace kappa::state {
namespace {

constexpr char kPresent = 0x01;
constexpr char kNullKey = 0x02;
constexpr uint8_t kNullValue = 0xff;
constexpr uint8_t kLongString = 0xf0;

using uint128 = unsigned __int128;

template <typename T>
const T& field_at(const std::byte* row, const RowField& field) {
  return *reinterpret_cast<const T*>(row + field.offset);
}
template <typename T>
T& field_at(std::byte* row, const RowField& field) {
  return *reinterpret_cast<T*>(row + field.offset);
}
bool null_at(const std::byte* row, const RowField& field) {
  return row[field.null_offset] != std::byte{0};
}

// ---- keys -----------------------------------------------------------------------------------

char* put_big_endian(uint64_t bits, char* to) {
  bits = __builtin_bswap64(bits);
  std::memcpy(to, &bits, sizeof(bits));
  return to + sizeof(bits);
}

char* put_key(int8_t value, char* to) {
  *to = static_cast<char>(value);
  return to + 1;
}
char* put_key(int32_t value, char* to) {
  const uint32_t bits = __builtin_bswap32(static_cast<uint32_t>(value) ^ 0x8000'0000u);
  std::memcpy(to, &bits, sizeof(bits));
  return to + sizeof(bits);
}
constexpr uint64_t kSignBit = uint64_t{1} << 63;
char* put_key(int64_t value, char* to) {
  return put_big_endian(static_cast<uint64_t>(value) ^ kSignBit, to);
}
char* put_key(int128 value, char* to) {
  to = put_big_endian(static_cast<uint64_t>(static_cast<uint128>(value) >> 64) ^ kSignBit, to);
  return put_big_endian(static_cast<uint64_t>(value), to);
}
char* put_key(double value, char* to) {
  if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
  const auto bits = std::bit_cast<uint64_t>(value == 0.0 ? 0.0 : value);
  return put_big_endian((bits & kSignBit) != 0 ? ~bits : bits ^ kSignBit, to);
}
char* put_key(std::string_view value, char* to) {
  while (!value.empty()) {
    const size_t run = std::min(value.find('\0'), value.size());
    std::memcpy(to, value.data(), run);
    to += run;
    value.remove_prefix(run);
    if (value.empty()) break;
    *to++ = '\0';
    *to++ = static_cast<char>(0xff);
    value.remove_prefix(1);
  }
  *to++ = '\0';
  *to++ = 0x01;
  return to;
}

// ---- values ---------------------------------------------------------------------------------

// Writes a whole word and counts the bytes that matter: the next field overwrites the rest.
char* put_word(uint64_t bits, char* to) {
  const auto size = static_cast<size_t>(64 - std::countl_zero(bits) + 7) / 8;
  *to = static_cast<char>(size);
  std::memcpy(to + 1, &bits, sizeof(bits));
  return to + 1 + size;
}
char* put_value(int64_t value, char* to) {
  return put_word((static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63), to);
}
char* put_value(int128 value, char* to) {
  const uint128 bits = (static_cast<uint128>(value) << 1) ^ static_cast<uint128>(value >> 127);
  const auto high = static_cast<uint64_t>(bits >> 64);
  if (high == 0) return put_word(static_cast<uint64_t>(bits), to);
  const auto size = static_cast<size_t>(128 - std::countl_zero(high) + 7) / 8;
  *to = static_cast<char>(size);
  std::memcpy(to + 1, &bits, sizeof(bits));
  return to + 1 + size;
}
char* put_value(double value, char* to) {
  if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
  return put_word(__builtin_bswap64(std::bit_cast<uint64_t>(value)), to);
}
char* put_value(std::string_view value, char* to) {
  const auto size = static_cast<uint32_t>(value.size());
  if (size < kLongString) {
    *to++ = static_cast<char>(size);
  } else {
    *to++ = static_cast<char>(kLongString);
    std::memcpy(to, &size, sizeof(size));
    to += sizeof(size);
  }
  std::memcpy(to, value.data(), size);
  return to + size;
}

char* put_value_field(const std::byte* row, const RowField& field, char* to) {
  if (null_at(row, field)) {
    *to = static_cast<char>(kNullValue);
    return to + 1;
  }
  switch (field.type.physical()) {
    case PhysicalType::kInt8:
      *to = static_cast<char>(field_at<int8_t>(row, field));
      return to + 1;
    case PhysicalType::kInt32:
      return put_value(int64_t{field_at<int32_t>(row, field)}, to);
    case PhysicalType::kInt64:
      return put_value(field_at<int64_t>(row, field), to);
    case PhysicalType::kInt128:
      return put_value(field_at<int128>(row, field), to);
    case PhysicalType::kDouble:
      return put_value(field_at<double>(row, field), to);
    case PhysicalType::kString:
      return put_value(field_at<OwnedString>(row, field).view(), to);
  }
  return to;
}

// ---- reading keys ---------------------------------------------------------------------------

uint64_t big_endian(const char* from) {
  uint64_t bits;
  std::memcpy(&bits, from, sizeof(bits));
  return __builtin_bswap64(bits);
}

double double_of_key(const char* from) {
  const uint64_t bits = big_endian(from);
  return std::bit_cast<double>((bits & kSignBit) != 0 ? bits ^ kSignBit : ~bits);
}

int128 int128_of_key(const char* from) {
  const uint128 high = big_endian(from) ^ kSignBit;
  return static_cast<int128>((high << 64) | big_endian(from + 8));
}

int32_t int32_of_key(const char* from) {
  uint32_t bits;
  std::memcpy(&bits, from, sizeof(bits));
  return static_cast<int32_t>(__builtin_bswap32(bits) ^ 0x8000'0000u);
}

// Takes an escaped string off the front of `rest`.
bool take_key_string(std::string_view* rest, std::string* value) {
  for (;;) {
    const size_t zero = rest->find('\0');
    if (zero == std::string_view::npos || zero + 1 >= rest->size()) return false;
    value->append(rest->substr(0, zero));
    const char next = (*rest)[zero + 1];
    rest->remove_prefix(zero + 2);
    if (next == 0x01) return true;
    if (static_cast<uint8_t>(next) != 0xff) return false;
    value->push_back('\0');
  }
}

bool take_key_value(std::string_view* rest, Value* value) {
  const PhysicalType physical = value->type.physical();
  if (physical == PhysicalType::kString) {
    return take_key_string(rest, &value->data.emplace<std::string>());
  }
  if (rest->size() < width_of(physical)) return false;
  const char* from = rest->data();
  switch (physical) {
    case PhysicalType::kInt8:
      if (*from != 0 && *from != 1) return false;
      value->data = *from == 1;
      break;
    case PhysicalType::kInt32:
      value->data = int32_of_key(from);
      break;
    case PhysicalType::kInt64:
      value->data = static_cast<int64_t>(big_endian(from) ^ kSignBit);
      break;
    case PhysicalType::kInt128:
      value->data = int128_of_key(from);
      break;
    default:
      value->data = double_of_key(from);
      break;
  }
  rest->remove_prefix(width_of(physical));
  return true;
}

}  // namespace

size_t key_bytes_max(const RowLayout& layout, const std::byte* image) {
  size_t bytes = 0;
  for (const RowField& field : layout.key()) {
    bytes += field.type.physical() == PhysicalType::kString
                 ? 3 + 2 * size_t{field_at<OwnedString>(image, field).size()}
                 : 17;
  }
  return bytes;
}

size_t value_bytes_max(const RowLayout& layout, const std::byte* image) {
  size_t bytes = 0;
  for (const RowField& field : layout.values()) {
    bytes += field.type.physical() == PhysicalType::kString
                 ? 5 + size_t{field_at<OwnedString>(image, field).size()}
                 : 17;
  }
  return bytes;
}

char* write_key(const RowLayout& layout, const std::byte* image, char* to) {
  for (const RowField& field : layout.key()) {
    if (null_at(image, field)) {
      *to++ = kNullKey;
      continue;
    }
    *to++ = kPresent;
    dispatch_physical(field.type.physical(), [&]<typename T>() {
      if constexpr (std::is_same_v<T, StringRef>) {
        to = put_key(field_at<OwnedString>(image, field).view(), to);
      } else {
        to = put_key(field_at<T>(image, field), to);
      }
    });
  }
  return to;
}

char* write_value(const RowLayout& layout, const std::byte* image, char* to) {
  for (const RowField& field : layout.values()) to = put_value_field(image, field, to);
  return to;
}

char* write_key_integer(int64_t value, char* to) {
  *to = kPresent;
  return put_key(value, to + 1);
}

char* write_value_integer(int64_t value, char* to) {
  return put_value(value, to);
}

void append_key(const Row& key, std::string* out) {
  for (const Value& value : key) {
    if (value.is_null()) {
      out->push_back(kNullKey);
      continue;
    }
    const auto* text = std::get_if<std::string>(&value.data);
    const size_t at = out->size();
    out->resize(at + (text != nullptr ? 3 + 2 * text->size() : 17));
    char* to = out->data() + at;
    *to++ = kPresent;
    if (text != nullptr) {
      to = put_key(std::string_view(*text), to);
    } else if (const auto* boolean = std::get_if<bool>(&value.data)) {
      to = put_key(int8_t{*boolean}, to);
    } else if (const auto* int32 = std::get_if<int32_t>(&value.data)) {
      to = put_key(*int32, to);
    } else if (const auto* int64 = std::get_if<int64_t>(&value.data)) {
      to = put_key(*int64, to);
    } else if (const auto* wide = std::get_if<int128>(&value.data)) {
      to = put_key(*wide, to);
    } else {
      to = put_key(std::get<double>(value.data), to);
    }
    out->resize(static_cast<size_t>(to - out->data()));
  }
}

absl::Status take_key(const std::vector<RowField>& fields, std::string_view* rest, Row* key) {
  const size_t bytes = rest->size();
  key->clear();
  for (const RowField& field : fields) {
    Value& value = key->emplace_back(Value::null(field.type));
    const char marker = rest->empty() ? '\0' : rest->front();
    if (!rest->empty()) rest->remove_prefix(1);
    if (marker == kNullKey) continue;
    if (marker != kPresent || !take_key_value(rest, &value)) {
      return absl::DataLossError(absl::StrCat("a stored key of ", bytes,
                                              " bytes is damaged in column ", key->size(), " (",
                                              to_string(field.type), ")"));
    }
  }
  return absl::OkStatus();
}

absl::Status decode_key(const std::vector<RowField>& fields, std::string_view stored, Row* key) {
  std::string_view rest = stored;
  KAPPA_RETURN_IF_ERROR(take_key(fields, &rest, key));
  if (rest.empty()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("a stored key of ", stored.size(), " bytes has ",
                                          rest.size(), " more than its columns take"));
}

bool ValueReader::take(size_t size, std::string_view* bytes) {
  if (rest_.size() < size) return false;
  *bytes = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return true;
}

bool ValueReader::read_integer(size_t bytes_max, int128* value) {
  std::string_view bytes;
  if (!take(1, &bytes)) return false;
  const auto size = static_cast<uint8_t>(bytes[0]);
  if (size > bytes_max || !take(size, &bytes)) return false;
  uint128 bits = 0;
  std::memcpy(&bits, bytes.data(), size);
  *value = static_cast<int128>(bits);
  return true;
}

namespace {

int128 from_zigzag(int128 value) {
  const auto bits = static_cast<uint128>(value);
  return static_cast<int128>((bits >> 1) ^ (0 - (bits & 1)));
}

}  // namespace

bool ValueReader::read_integer(int64_t* value) {
  int128 bits = 0;
  if (!read_integer(sizeof(*value), &bits)) return false;
  *value = static_cast<int64_t>(from_zigzag(bits));
  return true;
}

bool ValueReader::read(const RowField& field, std::byte* row) {
  const bool null = !rest_.empty() && static_cast<uint8_t>(rest_.front()) == kNullValue;
  row[field.null_offset] = std::byte{null};
  const PhysicalType physical = field.type.physical();
  if (null) {
    rest_.remove_prefix(1);
    std::memset(row + field.offset, 0, width_of(physical));
    return true;
  }
  if (physical == PhysicalType::kInt8) {
    std::string_view bytes;
    if (!take(1, &bytes) || static_cast<uint8_t>(bytes[0]) > 1) return false;
    field_at<int8_t>(row, field) = static_cast<int8_t>(bytes[0]);
    return true;
  }
  int128 value = 0;
  if (!read_integer(width_of(physical) == 16 ? 16 : 8, &value)) return false;
  switch (physical) {
    case PhysicalType::kDouble:
      field_at<double>(row, field) =
          std::bit_cast<double>(__builtin_bswap64(static_cast<uint64_t>(value)));
      return true;
    case PhysicalType::kInt32:
      field_at<int32_t>(row, field) = static_cast<int32_t>(from_zigzag(value));
      return from_zigzag(value) == field_at<int32_t>(row, field);
    case PhysicalType::kInt64:
      field_at<int64_t>(row, field) = static_cast<int64_t>(from_zigzag(value));
      return true;
    case PhysicalType::kInt128:
      field_at<int128>(row, field) = from_zigzag(value);
      return true;
    default:
      return false;
  }
}

bool ValueReader::read_string(const RowField& field, std::byte* row, std::string_view* value) {
  std::string_view bytes;
  if (!take(1, &bytes)) return false;
  uint32_t size = static_cast<uint8_t>(bytes[0]);
  const bool null = size == kNullValue;
  row[field.null_offset] = std::byte{null};
  if (null) {
    *value = {};
    return true;
  }
  if (size > kLongString) return false;
  if (size == kLongString) {
    if (!take(sizeof(size), &bytes)) return false;
    std::memcpy(&size, bytes.data(), sizeof(size));
  }
  return take(size, value);
}

}  // namespace kappa::state
