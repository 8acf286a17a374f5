#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "operators/functions.h"

// The loops that kernels are made of. Internal to operators/functions_*.cpp and cast*.cpp.
namespace kappa::operators {

// Calls f(row) for each selected row. The dense loop is a plain counted one, for the vectoriser.
template <typename F>
inline void for_selected(Selection selection, F&& f) {
  if (selection.rows == nullptr) {
    const auto count = static_cast<uint32_t>(selection.count);
    for (uint32_t row = 0; row < count; ++row) f(row);
  } else {
    for (size_t i = 0; i < selection.count; ++i) f(selection.rows[i]);
  }
}

// Calls f(row) for each selected row whose result is not already null.
template <typename F>
inline void for_not_null(const KernelCall& call, F&& f) {
  if (!call.out.has_nulls()) {
    for_selected(call.selection, f);
    return;
  }
  const uint8_t* nulls = call.out.nulls().data();
  for_selected(call.selection, [&](uint32_t row) {
    if (nulls[row] == 0) f(row);
  });
}

template <typename T>
inline const T* values_of(const KernelArg& arg) {
  return arg.column->values<T>().data();
}

// The values of an argument, constant or not, row by row.
template <typename T>
struct ArgReader {
  const T* data;
  size_t stride;

  explicit ArgReader(const KernelArg& arg)
      : data(values_of<T>(arg)), stride(arg.constant ? 0 : 1) {}
  const T& operator[](uint32_t row) const { return data[row * stride]; }
};

inline bool is_null_at(const KernelArg& arg, uint32_t row) {
  return arg.column->is_null(arg.constant ? 0 : row);
}

// out[row] = op(a[row]).
template <typename A, typename R, typename Op>
inline void map_unary(const KernelCall& call, Op op) {
  const A* __restrict a = values_of<A>(call.args[0]);
  R* __restrict out = call.out.values<R>().data();
  for_selected(call.selection, [&](uint32_t row) { out[row] = op(a[row]); });
}

// out[row] = op(a[row], b[row]), with one loop for each way an argument may be constant.
template <typename A, typename B, typename R, typename Op>
inline void map_binary(const KernelCall& call, Op op) {
  const A* __restrict a = values_of<A>(call.args[0]);
  const B* __restrict b = values_of<B>(call.args[1]);
  R* __restrict out = call.out.values<R>().data();
  if (call.args[1].constant) {
    const B right = b[0];
    for_selected(call.selection, [&](uint32_t row) { out[row] = op(a[row], right); });
  } else if (call.args[0].constant) {
    const A left = a[0];
    for_selected(call.selection, [&](uint32_t row) { out[row] = op(left, b[row]); });
  } else {
    for_selected(call.selection, [&](uint32_t row) { out[row] = op(a[row], b[row]); });
  }
}

// Like map_binary for an operation that may fail: op(a, b, bad) sets bits of `bad` where it does.
// Only if some row failed, a second pass finds out which; rows that are null anyway don't count.
// `message(a, b)` says what failed.
template <typename A, typename B, typename R, typename Op, typename Message>
inline void map_checked(const KernelCall& call, Op op, Message message) {
  using Bad = std::conditional_t<sizeof(R) == 4, uint32_t, uint64_t>;
  Bad bad = 0;
  map_binary<A, B, R>(call, [&](A a, B b) { return op(a, b, bad); });
  if (bad == 0) return;
  const ArgReader<A> left(call.args[0]);
  const ArgReader<B> right(call.args[1]);
  for_not_null(call, [&](uint32_t row) {
    Bad failed = 0;
    op(left[row], right[row], failed);
    if (failed != 0) call.errors.fail(row, message(left[row], right[row]));
  });
}

// The same for one argument: op(a, bad), message(a).
template <typename A, typename R, typename Op, typename Message>
inline void map_checked_unary(const KernelCall& call, Op op, Message message) {
  using Bad = std::conditional_t<sizeof(R) == 4, uint32_t, uint64_t>;
  Bad bad = 0;
  map_unary<A, R>(call, [&](A a) { return op(a, bad); });
  if (bad == 0) return;
  const A* a = values_of<A>(call.args[0]);
  for_not_null(call, [&](uint32_t row) {
    Bad failed = 0;
    op(a[row], failed);
    if (failed != 0) call.errors.fail(row, message(a[row]));
  });
}

// What a row function may use beside its arguments.
struct RowScope {
  Arena& arena;
  ErrorSink& errors;
  const KernelState* state;
  uint32_t row;

  template <typename Message>
  void fail(Message&& message) const {
    errors.fail(row, std::forward<Message>(message));
  }
};

// Turns a function of values, R f(RowScope&, Args...), into a kernel that calls it for each row
// without nulls. For functions whose own work outweighs the call. `bool` results are booleans.
template <auto Function>
struct RowKernel;

template <typename R, typename... Args, R (*Function)(RowScope&, Args...)>
struct RowKernel<Function> {
  using Stored = std::conditional_t<std::is_same_v<R, bool>, int8_t, R>;

  static void run(const KernelCall& call) { run_with(call, std::index_sequence_for<Args...>()); }

 private:
  template <size_t... I>
  static void run_with(const KernelCall& call, std::index_sequence<I...>) {
    const std::tuple<ArgReader<Args>...> args(ArgReader<Args>(call.args[I])...);
    Stored* __restrict out = call.out.values<Stored>().data();
    RowScope scope{call.arena, call.errors, call.state, 0};
    for_not_null(call, [&](uint32_t row) {
      scope.row = row;
      out[row] = static_cast<Stored>(Function(scope, std::get<I>(args)[row]...));
    });
  }
};

template <auto Function>
inline constexpr ScalarKernel row_kernel = &RowKernel<Function>::run;

// What each family adds to the registry.
using FunctionList = std::vector<ScalarFunction>;
void add_comparison_functions(FunctionList& list);
void add_arithmetic_functions(FunctionList& list);
void add_numeric_functions(FunctionList& list);
void add_rounding_functions(FunctionList& list);
void add_math_functions(FunctionList& list);
void add_choice_functions(FunctionList& list);
void add_text_functions(FunctionList& list);
void add_text_part_functions(FunctionList& list);
void add_like_functions(FunctionList& list);
void add_regexp_functions(FunctionList& list);
void add_bytes_functions(FunctionList& list);
void add_header_functions(FunctionList& list);
void add_time_functions(FunctionList& list);
void add_time_unit_functions(FunctionList& list);

}  // namespace kappa::operators
