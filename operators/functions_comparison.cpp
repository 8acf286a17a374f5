#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <string>

#include "operators/functions_numeric.h"
#include "operators/functions_order.h"

namespace kappa::operators {
namespace {

struct Equal {
  static constexpr const char* kName = "=";
  template <typename T>
  static bool test(const T& a, const T& b) {
    return is_equal(a, b);
  }
};
struct NotEqual {
  static constexpr const char* kName = "<>";
  template <typename T>
  static bool test(const T& a, const T& b) {
    return !is_equal(a, b);
  }
};
struct Less {
  static constexpr const char* kName = "<";
  template <typename T>
  static bool test(const T& a, const T& b) {
    return is_less(a, b);
  }
};
struct LessEqual {
  static constexpr const char* kName = "<=";
  template <typename T>
  static bool test(const T& a, const T& b) {
    return !is_less(b, a);
  }
};
struct Greater {
  static constexpr const char* kName = ">";
  template <typename T>
  static bool test(const T& a, const T& b) {
    return is_less(b, a);
  }
};
struct GreaterEqual {
  static constexpr const char* kName = ">=";
  template <typename T>
  static bool test(const T& a, const T& b) {
    return !is_less(a, b);
  }
};

template <typename Op, typename T>
void compare(const KernelCall& call) {
  map_binary<T, T, int8_t>(
      call, [](const T& a, const T& b) { return static_cast<int8_t>(Op::test(a, b)); });
}

// Numerics of any two scales, both moved up to the larger one.
template <typename Op, typename A, typename B>
void compare_scaled(const KernelCall& call, int64_t factor_a, int64_t factor_b) {
  map_binary<A, B, int8_t>(
      call, [=](A a, B b) { return static_cast<int8_t>(Op::test(a * factor_a, b * factor_b)); });
}

// The product, or the end of the range on its side: no number of 38 digits lies beyond that.
int128 saturating_multiply(int128 value, int128 factor) {
  int128 result = 0;
  if (!__builtin_mul_overflow(value, factor, &result)) return result;
  return value < 0 ? std::numeric_limits<int128>::min() : std::numeric_limits<int128>::max();
}

template <typename Op>
void compare_wide(const KernelCall& call, int128 factor_a, int128 factor_b) {
  int8_t* out = call.out.values<int8_t>().data();
  Chunk a;
  Chunk b;
  for_chunks(call.selection, [&](size_t first, size_t count) {
    load_scaled(call.args[0], call.selection, first, count, a.data());
    load_scaled(call.args[1], call.selection, first, count, b.data());
    for (size_t i = 0; i < count; ++i) {
      out[call.selection[first + i]] = static_cast<int8_t>(
          Op::test(saturating_multiply(a[i], factor_a), saturating_multiply(b[i], factor_b)));
    }
  });
}

template <typename Op>
void compare_numeric(const KernelCall& call) {
  const Type a = numeric_type_of(call.args[0].column->type());
  const Type b = numeric_type_of(call.args[1].column->type());
  const int scale = std::max(a.scale, b.scale);
  const int128 factor_a = power_of_ten(scale - a.scale);
  const int128 factor_b = power_of_ten(scale - b.scale);
  if (!fits_int64(call.args[0], scale - a.scale) || !fits_int64(call.args[1], scale - b.scale)) {
    return compare_wide<Op>(call, factor_a, factor_b);
  }
  const bool small_a = call.args[0].column->type().physical() == PhysicalType::kInt32;
  const bool small_b = call.args[1].column->type().physical() == PhysicalType::kInt32;
  const auto narrow_a = static_cast<int64_t>(factor_a);
  const auto narrow_b = static_cast<int64_t>(factor_b);
  if (small_a && small_b) return compare_wide<Op>(call, factor_a, factor_b);
  if (small_a) return compare_scaled<Op, int32_t, int64_t>(call, narrow_a, narrow_b);
  if (small_b) return compare_scaled<Op, int64_t, int32_t>(call, narrow_a, narrow_b);
  compare_scaled<Op, int64_t, int64_t>(call, narrow_a, narrow_b);
}

template <typename Op>
ScalarKernel comparison_kernel(const Type& type) {
  if (type.id == TypeId::kNumeric) return &compare_numeric<Op>;
  return dispatch_physical(type.physical(),
                           []<typename T>() -> ScalarKernel { return &compare<Op, T>; });
}

// Nulls compare like a value of their own.
template <bool kDistinct, bool kNumeric>
void compare_distinct(const KernelCall& call) {
  const Type& type = call.args[0].column->type();
  comparison_kernel<NotEqual>(kNumeric ? Type::numeric(38, 0) : type)(call);
  int8_t* out = call.out.values<int8_t>().data();
  for_selected(call.selection, [&](uint32_t row) {
    const bool left = is_null_at(call.args[0], row);
    const bool right = is_null_at(call.args[1], row);
    const bool distinct = left || right ? left != right : out[row] != 0;
    out[row] = static_cast<int8_t>(distinct == kDistinct);
  });
}

ScalarFunction comparison(const char* name, const Type& type, ScalarKernel kernel) {
  ScalarFunction function;
  function.name = name;
  function.args = {type, type};
  function.result = Type::boolean();
  function.kernel = kernel;
  function.infallible = true;
  function.reads_integers = type.id == TypeId::kNumeric;
  return function;
}

template <typename Op>
void add_comparison(FunctionList& list, const Type& type) {
  list.push_back(comparison(Op::kName, type, comparison_kernel<Op>(type)));
}

}  // namespace

void add_comparison_functions(FunctionList& list) {
  const Type types[] = {Type::boolean(),      Type::integer(),          Type::bigint(),
                        Type::numeric(38, 0), Type::double_precision(), Type::text(),
                        Type::bytea(),        Type::timestamptz(),      Type::date(),
                        Type::interval()};
  for (const Type& type : types) {
    add_comparison<Equal>(list, type);
    add_comparison<NotEqual>(list, type);
    add_comparison<Less>(list, type);
    add_comparison<LessEqual>(list, type);
    add_comparison<Greater>(list, type);
    add_comparison<GreaterEqual>(list, type);
    const bool numeric = type.id == TypeId::kNumeric;
    list.push_back(
        comparison("is distinct from", type,
                   numeric ? &compare_distinct<true, true> : &compare_distinct<true, false>));
    list.back().strict = false;
    list.push_back(
        comparison("is not distinct from", type,
                   numeric ? &compare_distinct<false, true> : &compare_distinct<false, false>));
    list.back().strict = false;
  }
}

}  // namespace kappa::operators
