#include <cmath>
#include <limits>
#include <type_traits>

#include "operators/functions_kernel.h"

// + - * / % and their like on integer, bigint and double precision.
namespace kappa::operators {
namespace {

template <typename T>
using Unsigned = std::make_unsigned_t<T>;

template <typename T>
constexpr const char* kOutOfRange = sizeof(T) == 4 ? "integer out of range" : "bigint out of range";

constexpr const char* kDivisionByZero = "division by zero";

// Integer operations: the wrapped result, and bits in `bad` on overflow. Written without branches
// where the vectoriser can then use them.
struct Add {
  static constexpr const char* kName = "+";
  template <typename T>
  static T apply(T a, T b, Unsigned<T>& bad) {
    const T r = static_cast<T>(static_cast<Unsigned<T>>(a) + static_cast<Unsigned<T>>(b));
    bad |= static_cast<Unsigned<T>>((a ^ r) & (b ^ r)) >> (sizeof(T) * 8 - 1);
    return r;
  }
};
struct Subtract {
  static constexpr const char* kName = "-";
  template <typename T>
  static T apply(T a, T b, Unsigned<T>& bad) {
    const T r = static_cast<T>(static_cast<Unsigned<T>>(a) - static_cast<Unsigned<T>>(b));
    bad |= static_cast<Unsigned<T>>((a ^ b) & (a ^ r)) >> (sizeof(T) * 8 - 1);
    return r;
  }
};
struct Multiply {
  static constexpr const char* kName = "*";
  template <typename T>
  static T apply(T a, T b, Unsigned<T>& bad) {
    T r = 0;
    bad |= __builtin_mul_overflow(a, b, &r) ? 1u : 0u;
    return r;
  }
};

template <typename Op, typename T>
void integer_kernel(const KernelCall& call) {
  map_checked<T, T, T>(
      call, [](T a, T b, auto& bad) { return Op::template apply<T>(a, b, bad); },
      [](T, T) { return kOutOfRange<T>; });
}

template <typename T>
void divide_integers(const KernelCall& call) {
  map_checked<T, T, T>(
      call,
      [](T a, T b, auto& bad) {
        const bool fails = b == 0 || (b == -1 && a == std::numeric_limits<T>::min());
        bad |= fails ? 1u : 0u;
        return static_cast<T>(fails ? 0 : a / b);
      },
      [](T, T b) { return b == 0 ? kDivisionByZero : kOutOfRange<T>; });
}

// The sign is the dividend's. The divisor -1 is apart: the machine's division would trap.
template <typename T>
void modulo_integers(const KernelCall& call) {
  map_checked<T, T, T>(
      call,
      [](T a, T b, auto& bad) {
        bad |= b == 0 ? 1u : 0u;
        return static_cast<T>(b == 0 || b == -1 ? 0 : a % b);
      },
      [](T, T) { return kDivisionByZero; });
}

template <typename T>
void negate_integers(const KernelCall& call) {
  map_checked_unary<T, T>(
      call,
      [](T a, auto& bad) {
        bad |= a == std::numeric_limits<T>::min() ? 1u : 0u;
        return static_cast<T>(Unsigned<T>{0} - static_cast<Unsigned<T>>(a));
      },
      [](T) { return kOutOfRange<T>; });
}

template <typename T>
void absolute_integers(const KernelCall& call) {
  map_checked_unary<T, T>(
      call,
      [](T a, auto& bad) {
        bad |= a == std::numeric_limits<T>::min() ? 1u : 0u;
        const auto bits = static_cast<Unsigned<T>>(a);
        return static_cast<T>(a < 0 ? Unsigned<T>{0} - bits : bits);
      },
      [](T) { return kOutOfRange<T>; });
}

// Doubles: an infinite result of finite arguments is an error, and so is a zero product or quotient
// of arguments that are not zero.
bool overflows(double r, double a, double b) {
  return std::isinf(r) & !std::isinf(a) & !std::isinf(b);
}

struct AddDoubles {
  static double apply(double a, double b, uint64_t& bad) {
    const double r = a + b;
    bad |= overflows(r, a, b) ? 1u : 0u;
    return r;
  }
};
struct SubtractDoubles {
  static double apply(double a, double b, uint64_t& bad) {
    const double r = a - b;
    bad |= overflows(r, a, b) ? 1u : 0u;
    return r;
  }
};
struct MultiplyDoubles {
  static double apply(double a, double b, uint64_t& bad) {
    const double r = a * b;
    bad |= overflows(r, a, b) | ((r == 0) & (a != 0) & (b != 0)) ? 1u : 0u;
    return r;
  }
};
struct DivideDoubles {
  static double apply(double a, double b, uint64_t& bad) {
    const double r = a / b;
    bad |= (b == 0) | overflows(r, a, b) | ((r == 0) & (a != 0) & !std::isinf(b)) ? 1u : 0u;
    return r;
  }
};

template <typename Op, bool kDivides>
void double_kernel(const KernelCall& call) {
  map_checked<double, double, double>(
      call, [](double a, double b, uint64_t& bad) { return Op::apply(a, b, bad); },
      [](double a, double b) {
        if (kDivides && b == 0) return kDivisionByZero;
        uint64_t bad = 0;
        return std::isinf(Op::apply(a, b, bad)) ? "value out of range: overflow"
                                                : "value out of range: underflow";
      });
}

void negate_doubles(const KernelCall& call) {
  map_unary<double, double>(call, [](double a) { return -a; });
}

void absolute_doubles(const KernelCall& call) {
  map_unary<double, double>(call, [](double a) { return std::fabs(a); });
}

void add_binary(FunctionList& list, const char* name, const Type& type, ScalarKernel kernel) {
  ScalarFunction function;
  function.name = name;
  function.args = {type, type};
  function.result = type;
  function.kernel = kernel;
  list.push_back(std::move(function));
}

void add_unary(FunctionList& list, const char* name, const Type& type, ScalarKernel kernel) {
  add_binary(list, name, type, kernel);
  list.back().args.pop_back();
}

template <typename T>
void add_integer_functions(FunctionList& list, const Type& type) {
  add_binary(list, Add::kName, type, &integer_kernel<Add, T>);
  add_binary(list, Subtract::kName, type, &integer_kernel<Subtract, T>);
  add_binary(list, Multiply::kName, type, &integer_kernel<Multiply, T>);
  add_binary(list, "/", type, &divide_integers<T>);
  add_binary(list, "%", type, &modulo_integers<T>);
  add_binary(list, "mod", type, &modulo_integers<T>);
  add_unary(list, "-", type, &negate_integers<T>);
  add_unary(list, "abs", type, &absolute_integers<T>);
}

}  // namespace

void add_arithmetic_functions(FunctionList& list) {
  add_integer_functions<int32_t>(list, Type::integer());
  add_integer_functions<int64_t>(list, Type::bigint());
  const Type type = Type::double_precision();
  add_binary(list, "+", type, &double_kernel<AddDoubles, false>);
  add_binary(list, "-", type, &double_kernel<SubtractDoubles, false>);
  add_binary(list, "*", type, &double_kernel<MultiplyDoubles, false>);
  add_binary(list, "/", type, &double_kernel<DivideDoubles, true>);
  add_unary(list, "-", type, &negate_doubles);
  add_unary(list, "abs", type, &absolute_doubles);
  list.back().infallible = true;
  list[list.size() - 2].infallible = true;
}

}  // namespace kappa::operators
