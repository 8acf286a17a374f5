#include "operators/cast.h"

#include <algorithm>
#include <cstring>

#include "engine/types/invariant.h"
#include "engine/types/time.h"
#include "operators/functions_kernel.h"

namespace kappa::operators {
namespace {

// A value that means the same in both types (numeric(10,2) and numeric(12,2), text and text).
template <typename T>
void copy_values(const KernelCall& call) {
  map_unary<T, T>(call, [](const T& value) { return value; });
}

void make_null(const KernelCall& call) {
  uint8_t* nulls = call.out.mutable_nulls().data();
  for_selected(call.selection, [&](uint32_t row) { nulls[row] = 1; });
}

void boolean_to_integer(const KernelCall& call) {
  map_unary<int8_t, int32_t>(call, [](int8_t value) { return int32_t{value}; });
}

void integer_to_boolean(const KernelCall& call) {
  map_unary<int32_t, int8_t>(call, [](int32_t value) { return static_cast<int8_t>(value != 0); });
}

void date_to_timestamptz(const KernelCall& call) {
  map_unary<int32_t, int64_t>(call, [](int32_t days) { return days * kMicrosPerDay; });
}

void timestamptz_to_date(const KernelCall& call) {
  map_unary<int64_t, int32_t>(call, [](int64_t us) {
    const int64_t days = us / kMicrosPerDay;
    return static_cast<int32_t>(us % kMicrosPerDay < 0 ? days - 1 : days);
  });
}

ScalarKernel copy_kernel(const Type& type) {
  return dispatch_physical(type.physical(),
                           []<typename T>() -> ScalarKernel { return &copy_values<T>; });
}

ScalarKernel find_kernel(const Type& from, const Type& to) {
  if (from.id == TypeId::kNull) return &make_null;
  if (from.id == to.id && from.id != TypeId::kNumeric) return copy_kernel(to);
  if (from.is_number() && to.is_number()) return cast_number_kernel(from, to);
  if (to.id == TypeId::kText) return cast_to_text_kernel(from);
  if (from.id == TypeId::kText) return cast_from_text_kernel(to);
  if (from.id == TypeId::kBoolean && to.id == TypeId::kInteger) return &boolean_to_integer;
  if (from.id == TypeId::kInteger && to.id == TypeId::kBoolean) return &integer_to_boolean;
  if (from.id == TypeId::kDate && to.id == TypeId::kTimestamptz) return &date_to_timestamptz;
  if (from.id == TypeId::kTimestamptz && to.id == TypeId::kDate) return &timestamptz_to_date;
  return nullptr;
}

}  // namespace

ScalarKernel cast_kernel(const Type& from, const Type& to) {
  const ScalarKernel kernel = find_kernel(from, to);
  KAPPA_INVARIANT(kernel != nullptr, "cast from " + to_string(from) + " to " + to_string(to));
  return kernel;
}

}  // namespace kappa::operators
