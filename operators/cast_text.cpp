#include <array>
#include <charconv>
#include <string>
#include <type_traits>

#include "engine/types/datetime.h"
#include "engine/types/time.h"
#include "engine/types/value.h"
#include "operators/cast.h"
#include "operators/functions_kernel.h"

// Casts from and to text. What parse_value() and to_text() say is right; types that are often cast
// take a way of their own here that makes no std::string and must agree with them.
namespace kappa::operators {
namespace {

template <typename T>
void store(Column& out, uint32_t row, const Value& value) {
  using Held = std::conditional_t<std::is_same_v<T, int8_t>, bool, T>;
  out.values<T>()[row] = static_cast<T>(std::get<Held>(value.data));
}

template <typename T>
void parse_row(const KernelCall& call, uint32_t row, std::string_view text) {
  const absl::StatusOr<Value> value = parse_value(call.out.type(), text);
  if (!value.ok()) {
    call.errors.fail(row, [&] { return std::string(value.status().message()); });
  } else if constexpr (std::is_same_v<T, StringRef>) {
    call.out.values<StringRef>()[row] = call.arena.copy(std::get<std::string>(value->data));
  } else {
    store<T>(call.out, row, *value);
  }
}

template <typename T>
void parse_text(const KernelCall& call) {
  const StringRef* texts = values_of<StringRef>(call.args[0]);
  for_not_null(call, [&](uint32_t row) { parse_row<T>(call, row, texts[row].view()); });
}

// Plain digits right away; whatever else is a number, parse_value() knows.
template <typename T>
void parse_integers(const KernelCall& call) {
  const StringRef* texts = values_of<StringRef>(call.args[0]);
  T* out = call.out.values<T>().data();
  for_not_null(call, [&](uint32_t row) {
    const std::string_view text = texts[row].view();
    const char* end = text.data() + text.size();
    const auto [parsed, error] = std::from_chars(text.data(), end, out[row]);
    if (error != std::errc() || parsed != end) parse_row<T>(call, row, text);
  });
}

template <typename T>
void write_any(const KernelCall& call) {
  const T* values = values_of<T>(call.args[0]);
  const Type& type = call.args[0].column->type();
  StringRef* out = call.out.values<StringRef>().data();
  for_not_null(call, [&](uint32_t row) {
    Value value = Value::null(type);
    if constexpr (std::is_same_v<T, StringRef>) {
      value.data = std::string(values[row].view());
    } else {
      value.data = values[row];
    }
    out[row] = call.arena.copy(to_text(value));
  });
}

template <typename T>
void write_integers(const KernelCall& call) {
  const T* values = values_of<T>(call.args[0]);
  StringRef* out = call.out.values<StringRef>().data();
  for_not_null(call, [&](uint32_t row) {
    std::array<char, 24> digits;
    const char* end = std::to_chars(digits.data(), digits.data() + digits.size(), values[row]).ptr;
    out[row] = call.arena.copy({digits.data(), end});
  });
}

void write_booleans(const KernelCall& call) {
  const int8_t* values = values_of<int8_t>(call.args[0]);
  StringRef* out = call.out.values<StringRef>().data();
  for_not_null(call, [&](uint32_t row) {
    out[row] = values[row] != 0 ? StringRef{"true", 4} : StringRef{"false", 5};
  });
}

char* write_digits(char* to, int64_t value, int width) {
  for (int i = width - 1; i >= 0; --i, value /= 10) to[i] = static_cast<char>('0' + value % 10);
  return to + width;
}

char* write_date(char* to, int64_t days) {
  const CivilDate date = civil_from_days(days);
  to = write_digits(to, date.year, 4);
  *to++ = '-';
  to = write_digits(to, date.month, 2);
  *to++ = '-';
  return write_digits(to, date.day, 2);
}

// "T10:20:30.5Z" of microseconds in the day, with no more fraction digits than needed.
char* write_time(char* to, int64_t us) {
  *to++ = 'T';
  to = write_digits(to, us / kMicrosPerHour, 2);
  *to++ = ':';
  to = write_digits(to, us / kMicrosPerMinute % 60, 2);
  *to++ = ':';
  to = write_digits(to, us / kMicrosPerSecond % 60, 2);
  if (const int64_t fraction = us % kMicrosPerSecond; fraction != 0) {
    *to++ = '.';
    to = write_digits(to, fraction, 6);
    while (to[-1] == '0') --to;
  }
  *to++ = 'Z';
  return to;
}

void write_dates(const KernelCall& call) {
  const int32_t* values = values_of<int32_t>(call.args[0]);
  StringRef* out = call.out.values<StringRef>().data();
  for_not_null(call, [&](uint32_t row) {
    if (values[row] < kDateMin || values[row] > kDateMax) [[unlikely]] {
      out[row] = call.arena.copy(date_to_text(values[row]));
      return;
    }
    std::array<char, 16> text;
    out[row] = call.arena.copy({text.data(), write_date(text.data(), values[row])});
  });
}

void write_timestamps(const KernelCall& call) {
  const int64_t* values = values_of<int64_t>(call.args[0]);
  StringRef* out = call.out.values<StringRef>().data();
  for_not_null(call, [&](uint32_t row) {
    const int64_t us = values[row];
    if (us < kTimestampMin || us > kTimestampMax) [[unlikely]] {
      out[row] = call.arena.copy(timestamp_to_text(us));
      return;
    }
    const int64_t in_day = ((us % kMicrosPerDay) + kMicrosPerDay) % kMicrosPerDay;
    std::array<char, 32> text;
    char* end = write_date(text.data(), (us - in_day) / kMicrosPerDay);
    end = write_time(end, in_day);
    out[row] = call.arena.copy({text.data(), end});
  });
}

}  // namespace

ScalarKernel cast_from_text_kernel(const Type& to) {
  if (to.id == TypeId::kInteger) return &parse_integers<int32_t>;
  if (to.id == TypeId::kBigint) return &parse_integers<int64_t>;
  return dispatch_physical(to.physical(),
                           []<typename T>() -> ScalarKernel { return &parse_text<T>; });
}

ScalarKernel cast_to_text_kernel(const Type& from) {
  switch (from.id) {
    case TypeId::kBoolean:
      return &write_booleans;
    case TypeId::kInteger:
      return &write_integers<int32_t>;
    case TypeId::kBigint:
      return &write_integers<int64_t>;
    case TypeId::kDate:
      return &write_dates;
    case TypeId::kTimestamptz:
      return &write_timestamps;
    default:
      return dispatch_physical(from.physical(),
                               []<typename T>() -> ScalarKernel { return &write_any<T>; });
  }
}

}  // namespace kappa::operators
