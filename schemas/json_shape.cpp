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

bool JsonShape::match_literals(const Slot& slot, Lanes lanes) const {
  for (Lane& lane : lanes) {
    lane.at = match_literal(slot, lane.at, lane.end);
    if (lane.at == nullptr) return false;
  }
  return true;
}

// ---- the usual form of each kind of value ---------------------------------------------------
//
//   using Value                                   what is written for it
//   const char* read(slot, at, end, column, Value*)

struct JsonShape::Text {
  using Value = StringRef;
  KAPPA_ALWAYS_INLINE static const char* read(const Slot&, const char* at, const char* end,
                                              const JsonColumn&, StringRef* value) {
    std::string_view content;
    if (*at != '"') return nullptr;
    const char* const stop = read_string(at, end, &content);
    if (stop == nullptr || content.size() > kTextBytesMax) return nullptr;
    *value = {content.data(), static_cast<uint32_t>(content.size())};
    return stop;
  }
};

struct JsonShape::Integer {
  using Value = int32_t;
  KAPPA_ALWAYS_INLINE static const char* read(const Slot&, const char* at, const char*,
                                              const JsonColumn&, int32_t* value) {
    int64_t number = 0;
    const char* const stop = scan_integer(at, &number);
    if (number < std::numeric_limits<int32_t>::min() ||
        number > std::numeric_limits<int32_t>::max()) {
      return nullptr;
    }
    *value = static_cast<int32_t>(number);
    return stop;
  }
};

struct JsonShape::Bigint {
  using Value = int64_t;
  KAPPA_ALWAYS_INLINE static const char* read(const Slot&, const char* at, const char*,
                                              const JsonColumn&, int64_t* value) {
    return scan_integer(at, value);
  }
};

template <typename Stored>
struct JsonShape::Numeric {
  using Value = Stored;
  KAPPA_ALWAYS_INLINE static const char* read(const Slot& slot, const char* at, const char*,
                                              const JsonColumn& column, Stored* value) {
    const bool quoted = *at == '"';
    int64_t mantissa = 0;
    uint32_t scale = 0;
    const char* stop = scan_decimal(at + (quoted ? 1 : 0), &mantissa, &scale);
    if (stop == nullptr || (quoted && *stop != '"') || scale > slot.scale) return nullptr;
    // At most 18 digits by a power of at most 10^38 may not fit.
    int128 number = 0;
    const int128 power = power_of_ten(slot.scale - static_cast<int>(scale));
    if (__builtin_mul_overflow(int128{mantissa}, power, &number) ||
        !fits_precision(number, column.type.precision)) {
      return nullptr;
    }
    *value = static_cast<Stored>(number);
    return stop + (quoted ? 1 : 0);
  }
};

struct JsonShape::Double {
  using Value = double;
  KAPPA_ALWAYS_INLINE static const char* read(const Slot&, const char* at, const char* end,
                                              const JsonColumn&, double* value) {
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
      *value = static_cast<double>(mantissa) / kExactPowers[scale];
      return stop;
    }
    stop = scan_number(at, end);
    if (stop == nullptr) return nullptr;
    const auto parsed = std::from_chars(at, stop, *value);
    return parsed.ec == std::errc() && parsed.ptr == stop ? stop : nullptr;
  }
};

// "2015-07-15 00:08:19.999", with a T instead of the space or a Z at the end if need be; or a
// number, if the column has a unit.
struct JsonShape::Timestamp {
  using Value = int64_t;
  KAPPA_ALWAYS_INLINE static const char* read(Slot& slot, const char* at, const char*,
                                              const JsonColumn&, int64_t* us) {
    if (*at != '"') return slot.unit == TimeUnit::kNone ? nullptr : read_number(slot, at, us);
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
    *us = slot.date_us + int64_t{seconds} * kMicrosPerSecond;
    const char* stop = text + 19;
    if (*stop == '.') {
      const Digits fraction = scan_8_digits(stop + 1);
      if (fraction.count == 0 || fraction.count > 6) return nullptr;
      *us += static_cast<int64_t>(fraction.value * kPowersOfTen[6 - fraction.count]);
      stop += 1 + fraction.count;
    }
    if (*stop == 'Z') ++stop;
    return *stop == '"' ? stop + 1 : nullptr;
  }

  KAPPA_ALWAYS_INLINE static const char* read_number(const Slot& slot, const char* at,
                                                     int64_t* us) {
    int64_t number = 0;
    const char* const stop = scan_integer(at, &number);
    if (stop == nullptr) return nullptr;
    *us = number;
    if (slot.unit == TimeUnit::kNanos) {
      *us = number / 1000 - (number % 1000 < 0 ? 1 : 0);
    } else if (slot.unit != TimeUnit::kMicros) {
      const int64_t factor = slot.unit == TimeUnit::kMillis ? kMicrosPerMilli : kMicrosPerSecond;
      if (__builtin_mul_overflow(number, factor, us)) return nullptr;
    }
    return *us >= kFirstTimestampUs && *us < kEndTimestampUs ? stop : nullptr;
  }
};

// ---- slots ----------------------------------------------------------------------------------

namespace {

// Of a payload whose value at `at` was not read. An object or array is another shape.
JsonShape::Outcome outcome_at(const char* at) {
  return *at == '{' || *at == '[' ? JsonShape::Outcome::kOtherShape
                                  : JsonShape::Outcome::kOtherContent;
}

}  // namespace

// Values may seem to go on behind their payloads; the literal that follows them does not fit then.
template <typename Reader>
JsonShape::Outcome JsonShape::read_values(Slot& slot, Lanes lanes, const JsonColumn& column,
                                          RowWriter& rows, Arena& arena) {
  const RowWriter::Cells<typename Reader::Value> cells(rows, slot.column);
  for (size_t i = 0; i < lanes.size(); ++i) {
    Lane& lane = lanes[i];
    typename Reader::Value value{};
    const char* stop = Reader::read(slot, lane.at, lane.end, column, &value);
    if (stop != nullptr) [[likely]] {
      cells.set(i, value);
    } else {
      // A null, or what the column takes in another form than the usual one.
      rows.select(i);
      stop = read_scalar(slot, lane, column, rows, arena);
      if (stop == nullptr) return outcome_at(lane.at);
    }
    lane.at = stop;
  }
  return Outcome::kRow;
}

JsonShape::Outcome JsonShape::read_scalars(const Slot& slot, Lanes lanes, const JsonColumn& column,
                                           RowWriter& rows, Arena& arena) {
  for (size_t i = 0; i < lanes.size(); ++i) {
    rows.select(i);
    const char* const stop = read_scalar(slot, lanes[i], column, rows, arena);
    if (stop == nullptr) return outcome_at(lanes[i].at);
    lanes[i].at = stop;
  }
  return Outcome::kRow;
}

const char* JsonShape::read_scalar(const Slot& slot, const Lane& lane, const JsonColumn& column,
                                   RowWriter& rows, Arena& arena) {
  Scalar scalar{};
  const char* const stop = read_any_scalar(lane.at, lane.end, &scalar);
  if (stop == nullptr || stop > lane.end) return nullptr;
  return store_scalar(column, slot.column, scalar, rows, arena) ? stop : nullptr;
}

JsonShape::Outcome JsonShape::skip_scalars(Lanes lanes) {
  for (Lane& lane : lanes) {
    Scalar ignored{};
    const char* const stop = read_any_scalar(lane.at, lane.end, &ignored);
    if (stop == nullptr) return outcome_at(lane.at);
    lane.at = stop;
  }
  return Outcome::kRow;
}

JsonShape::Outcome JsonShape::read_slot(Slot& slot, Lanes lanes,
                                        const std::vector<JsonColumn>& columns, RowWriter& rows,
                                        Arena& arena) {
  if (slot.kind == SlotKind::kUndeclared) return skip_scalars(lanes);
  const JsonColumn& column = columns[slot.column];
  switch (slot.kind) {
    case SlotKind::kText:
      return read_values<Text>(slot, lanes, column, rows, arena);
    case SlotKind::kInteger:
      return read_values<Integer>(slot, lanes, column, rows, arena);
    case SlotKind::kBigint:
      return read_values<Bigint>(slot, lanes, column, rows, arena);
    case SlotKind::kNumeric64:
      return read_values<Numeric<int64_t>>(slot, lanes, column, rows, arena);
    case SlotKind::kNumeric128:
      return read_values<Numeric<int128>>(slot, lanes, column, rows, arena);
    case SlotKind::kDouble:
      return read_values<Double>(slot, lanes, column, rows, arena);
    case SlotKind::kTimestamp:
      return read_values<Timestamp>(slot, lanes, column, rows, arena);
    case SlotKind::kScalar:
    case SlotKind::kUndeclared:
    case SlotKind::kEnd:
      break;
  }
  return read_scalars(slot, lanes, column, rows, arena);
}

JsonShape::Outcome JsonShape::read(std::span<const std::string_view> payloads,
                                   const std::vector<JsonColumn>& columns, RowWriter& rows,
                                   Arena& arena) {
  std::array<Lane, kLanesMax> all;
  const Lanes lanes(all.data(), payloads.size());
  for (size_t i = 0; i < lanes.size(); ++i) {
    lanes[i] = {payloads[i].data(), payloads[i].data() + payloads[i].size()};
  }
  for (Slot& slot : slots_) {
    if (!match_literals(slot, lanes)) return Outcome::kOtherShape;
    if (slot.kind == SlotKind::kEnd) break;
    const Outcome outcome = read_slot(slot, lanes, columns, rows, arena);
    if (outcome != Outcome::kRow) return outcome;
  }
  for (size_t i = 0; i < lanes.size(); ++i) {
    if (lanes[i].at != lanes[i].end) return Outcome::kOtherShape;
    rows.select(i);
    for (const size_t column : missing_) rows.set_null(column);
  }
  return Outcome::kRow;
}

bool JsonShape::same_as(const JsonShape& other) const {
  return literals_ == other.literals_ &&
         std::equal(slots_.begin(), slots_.end(), other.slots_.begin(), other.slots_.end(),
                    [](const Slot& a, const Slot& b) {
                      return a.head[0] == b.head[0] && a.head[1] == b.head[1] &&
                             a.head_size == b.head_size && a.tail_size == b.tail_size;
                    });
}

}  // namespace kappa::schemas
