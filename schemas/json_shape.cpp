#include "schemas/json_shape.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "engine/types/datetime.h"
#include "engine/types/decimal.h"
#include "engine/types/time.h"
#include "schemas/json_scan.h"
#include "schemas/utf8.h"

// Every reader below returns where its value ends, or nullptr to leave the record to the slow path.
// None needs to check what follows a value: the next literal begins with the comma, bracket or
// space that must stand there, and is compared with it.
namespace kappa::schemas {
namespace {

// Quoted content that is valid UTF-8 and has no escapes. Returns the place behind the quote.
KAPPA_ALWAYS_INLINE const char* read_string(const char* at, const char* end,
                                            std::string_view* content) {
  bool ascii = true;
  const char* const close = scan_string(at + 1, end, &ascii);
  if (close == nullptr) return nullptr;
  *content = {at + 1, static_cast<size_t>(close - at - 1)};
  if (!ascii && !is_valid_utf8(*content)) return nullptr;
  return close + 1;
}

// Any scalar but a string with escapes.
const char* read_any_scalar(const char* at, const char* end, Scalar* scalar) {
  const char* stop = nullptr;
  switch (*at) {
    case '"':
      scalar->kind = ScalarKind::kString;
      return read_string(at, end, &scalar->text);
    case 't':
      scalar->kind = ScalarKind::kTrue;
      return std::memcmp(at, "true", 4) == 0 ? at + 4 : nullptr;
    case 'f':
      scalar->kind = ScalarKind::kFalse;
      return std::memcmp(at, "false", 5) == 0 ? at + 5 : nullptr;
    case 'n':
      scalar->kind = ScalarKind::kNull;
      return std::memcmp(at, "null", 4) == 0 ? at + 4 : nullptr;
    default:
      stop = scan_number(at, end);
      scalar->kind = ScalarKind::kNumber;
      scalar->text = {at, stop == nullptr ? 0 : static_cast<size_t>(stop - at)};
      return stop;
  }
}

}  // namespace

KAPPA_ALWAYS_INLINE const char* JsonShape::match_literal(const Slot& slot, const char* at,
                                                         const char* end) const {
  const uint64_t different = ((load_u64(at) ^ slot.head[0]) & slot.mask[0]) |
                             ((load_u64(at + 8) ^ slot.head[1]) & slot.mask[1]);
  if (different != 0) return nullptr;
  at += slot.head_size;
  if (slot.tail_size != 0) {
    if (at > end || static_cast<size_t>(end - at) < slot.tail_size ||
        std::memcmp(at, literals_.data() + slot.tail_offset, slot.tail_size) != 0)
      return nullptr;
    at += slot.tail_size;
  }
  return at <= end ? at : nullptr;
}

KAPPA_ALWAYS_INLINE const char* JsonShape::read_text(const Slot& slot, const char* at,
                                                     const char* end, RowWriter& row) {
  std::string_view content;
  if (*at != '"') return nullptr;
  const char* const stop = read_string(at, end, &content);
  if (stop == nullptr || content.size() > kTextBytesMax) return nullptr;
  row.set(slot.column, StringRef{content.data(), static_cast<uint32_t>(content.size())});
  return stop;
}

inline const char* JsonShape::read_integer(const Slot& slot, const char* at, RowWriter& row) {
  int64_t value = 0;
  const char* const stop = scan_integer(at, &value);
  if (value < std::numeric_limits<int32_t>::min() || value > std::numeric_limits<int32_t>::max())
    return nullptr;
  if (stop != nullptr) row.set(slot.column, static_cast<int32_t>(value));
  return stop;
}

KAPPA_ALWAYS_INLINE const char* JsonShape::read_bigint(const Slot& slot, const char* at,
                                                       RowWriter& row) {
  int64_t value = 0;
  const char* const stop = scan_integer(at, &value);
  if (stop != nullptr) row.set(slot.column, value);
  return stop;
}

inline const char* JsonShape::read_numeric(const Slot& slot, const char* at,
                                           const JsonColumn& column, RowWriter& row) {
  const bool quoted = *at == '"';
  int64_t mantissa = 0;
  uint32_t scale = 0;
  const char* stop = scan_decimal(at + (quoted ? 1 : 0), &mantissa, &scale);
  if (stop == nullptr || (quoted && *stop != '"') || scale > slot.scale) return nullptr;
  // At most 18 digits by a power of at most 10^38 may not fit.
  int128 value = 0;
  if (__builtin_mul_overflow(int128{mantissa}, power_of_ten(slot.scale - static_cast<int>(scale)),
                             &value) ||
      !fits_precision(value, column.type.precision))
    return nullptr;
  if (slot.kind == SlotKind::kNumeric64) {
    row.set(slot.column, static_cast<int64_t>(value));
  } else {
    row.set(slot.column, value);
  }
  return stop + (quoted ? 1 : 0);
}

inline const char* JsonShape::read_double(const Slot& slot, const char* at, const char* end,
                                          RowWriter& row) {
  // A mantissa below 2^53 and a power of ten below 10^22 are exact, and so is their quotient but
  // for one rounding (Clinger, "How to Read Floating Point Numbers Accurately").
  static constexpr double kExactPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,
                                            1e7,  1e8,  1e9,  1e10, 1e11, 1e12, 1e13,
                                            1e14, 1e15, 1e16, 1e17, 1e18};
  int64_t mantissa = 0;
  uint32_t scale = 0;
  const char* stop = scan_decimal(at, &mantissa, &scale);
  constexpr int64_t kExactMax = int64_t{1} << 53;
  if (stop != nullptr && mantissa > -kExactMax && mantissa < kExactMax && mantissa != 0 &&
      *stop != 'e' && *stop != 'E') {
    row.set(slot.column, static_cast<double>(mantissa) / kExactPowers[scale]);
    return stop;
  }
  stop = scan_number(at, end);
  if (stop == nullptr) return nullptr;
  double value = 0;
  const auto parsed = std::from_chars(at, stop, value);
  if (parsed.ec != std::errc() || parsed.ptr != stop) return nullptr;
  row.set(slot.column, value);
  return stop;
}

KAPPA_ALWAYS_INLINE const char* JsonShape::read_epoch(const Slot& slot, const char* at,
                                                      RowWriter& row) {
  int64_t value = 0;
  const char* const stop = scan_integer(at, &value);
  if (stop == nullptr) return nullptr;
  int64_t us = value;
  if (slot.unit == TimeUnit::kNanos) {
    us = value / 1000 - (value % 1000 < 0 ? 1 : 0);
  } else if (slot.unit != TimeUnit::kMicros) {
    const int64_t factor = slot.unit == TimeUnit::kMillis ? kMicrosPerMilli : kMicrosPerSecond;
    if (__builtin_mul_overflow(value, factor, &us)) return nullptr;
  }
  if (us < kFirstTimestampUs || us >= kEndTimestampUs) return nullptr;
  row.set(slot.column, us);
  return stop;
}

// "2015-07-15 00:08:19.999", with a T instead of the space or a Z at the end if need be.
KAPPA_ALWAYS_INLINE const char* JsonShape::read_timestamp(Slot& slot, const char* at,
                                                          RowWriter& row) {
  if (*at != '"') return slot.unit == TimeUnit::kNone ? nullptr : read_epoch(slot, at, row);
  const char* const text = at + 1;
  const uint64_t head = load_u64(text);
  const uint64_t tail = load_u64(text + 8) & 0xffff;
  if (head != slot.date_head || tail != slot.date_tail) [[unlikely]] {
    const std::optional<int32_t> days = parse_date({text, 10});
    if (!days) return nullptr;
    slot.date_us = *days * kMicrosPerDay;
    slot.date_head = head;
    slot.date_tail = tail;
  }
  const int32_t seconds = scan_clock(text + 11);
  if (seconds < 0 || (text[10] != ' ' && text[10] != 'T')) return nullptr;
  int64_t us = slot.date_us + int64_t{seconds} * kMicrosPerSecond;
  const char* stop = text + 19;
  if (*stop == '.') {
    const Digits fraction = scan_8_digits(stop + 1);
    if (fraction.count == 0 || fraction.count > 6) return nullptr;
    us += static_cast<int64_t>(fraction.value * kPowersOfTen[6 - fraction.count]);
    stop += 1 + fraction.count;
  }
  if (*stop == 'Z') ++stop;
  if (*stop != '"') return nullptr;
  row.set(slot.column, us);
  return stop + 1;
}

bool JsonShape::same_as(const JsonShape& other) const {
  return literals_ == other.literals_ &&
         std::equal(slots_.begin(), slots_.end(), other.slots_.begin(), other.slots_.end(),
                    [](const Slot& a, const Slot& b) {
                      return a.head[0] == b.head[0] && a.head[1] == b.head[1] &&
                             a.head_size == b.head_size && a.tail_size == b.tail_size;
                    });
}

const char* JsonShape::read_scalar(const Slot& slot, const char* at, const char* end,
                                   const JsonColumn& column, RowWriter& row, Arena& arena) {
  Scalar scalar{};
  const char* const stop = read_any_scalar(at, end, &scalar);
  if (stop == nullptr || stop > end) return nullptr;
  return store_scalar(column, slot.column, scalar, row, arena) ? stop : nullptr;
}

KAPPA_ALWAYS_INLINE const char* JsonShape::read_slot(Slot& slot, const char* at, const char* end,
                                                     const std::vector<JsonColumn>& columns,
                                                     RowWriter& row, Arena& arena) {
  const char* stop = nullptr;
  switch (slot.kind) {
    case SlotKind::kText:
      stop = read_text(slot, at, end, row);
      break;
    case SlotKind::kBigint:
      stop = read_bigint(slot, at, row);
      break;
    case SlotKind::kTimestamp:
      stop = read_timestamp(slot, at, row);
      break;
    case SlotKind::kInteger:
      stop = read_integer(slot, at, row);
      break;
    case SlotKind::kNumeric64:
    case SlotKind::kNumeric128:
      stop = read_numeric(slot, at, columns[slot.column], row);
      break;
    case SlotKind::kDouble:
      stop = read_double(slot, at, end, row);
      break;
    case SlotKind::kUndeclared: {
      Scalar ignored{};
      return read_any_scalar(at, end, &ignored);
    }
    case SlotKind::kScalar:
    case SlotKind::kEnd:
      break;
  }
  if (stop != nullptr) [[likely]]
    return stop;
  // A null, or what the column takes in another form than the usual one.
  return read_scalar(slot, at, end, columns[slot.column], row, arena);
}

JsonShape::Outcome JsonShape::read(std::string_view payload, const std::vector<JsonColumn>& columns,
                                   RowWriter& row, Arena& arena) {
  const char* at = payload.data();
  const char* const end = at + payload.size();
  for (Slot& slot : slots_) {
    at = match_literal(slot, at, end);
    if (at == nullptr) return Outcome::kOtherShape;
    if (slot.kind == SlotKind::kEnd) break;
    const char first = *at;
    at = read_slot(slot, at, end, columns, row, arena);
    // An object or array instead of a scalar is another shape.
    if (at == nullptr) {
      return first == '{' || first == '[' ? Outcome::kOtherShape : Outcome::kOtherContent;
    }
    if (at > end) return Outcome::kOtherShape;
  }
  if (at != end) return Outcome::kOtherShape;
  for (const size_t column : missing_) row.set_null(column);
  return Outcome::kRow;
}

}  // namespace kappa::schemas
