#include <cmath>
#include <numbers>

#include "operators/functions_kernel.h"

// Functions of double precision. PostgreSQL's names, results and errors.
namespace kappa::operators {
namespace {

// An infinite result of finite arguments is an error.
double checked(RowScope& scope, double result, double a, double b = 0) {
  if (std::isinf(result) && !std::isinf(a) && !std::isinf(b)) {
    scope.fail("value out of range: overflow");
  }
  return result;
}

double ceiling(RowScope&, double x) {
  return std::ceil(x);
}
double floor_of(RowScope&, double x) {
  return std::floor(x);
}
// Half to even, as the machine rounds.
double round_half_even(RowScope&, double x) {
  return std::nearbyint(x);
}
double truncate(RowScope&, double x) {
  return std::trunc(x);
}
double sign_of(RowScope&, double x) {
  if (std::isnan(x)) return x;
  return x > 0 ? 1 : (x < 0 ? -1 : 0);
}

double square_root(RowScope& scope, double x) {
  if (x < 0) scope.fail("cannot take square root of a negative number");
  return std::sqrt(x);
}
double cube_root(RowScope&, double x) {
  return std::cbrt(x);
}
double exponential(RowScope& scope, double x) {
  return checked(scope, std::exp(x), x);
}

bool takes_logarithm(RowScope& scope, double x) {
  if (x == 0) scope.fail("cannot take logarithm of zero");
  if (x < 0) scope.fail("cannot take logarithm of a negative number");
  return !(x <= 0);
}
double natural_logarithm(RowScope& scope, double x) {
  return takes_logarithm(scope, x) ? std::log(x) : 0;
}
double decimal_logarithm(RowScope& scope, double x) {
  return takes_logarithm(scope, x) ? std::log10(x) : 0;
}
double logarithm_to_base(RowScope& scope, double base, double x) {
  if (!takes_logarithm(scope, base) || !takes_logarithm(scope, x)) return 0;
  if (base == 1) {
    scope.fail("division by zero");
    return 0;
  }
  return std::log(x) / std::log(base);
}

double power_of(RowScope& scope, double x, double y) {
  if (x == 0 && y < 0) {
    scope.fail("zero raised to a negative power is undefined");
    return 0;
  }
  if (x < 0 && std::isfinite(y) && std::trunc(y) != y) {
    scope.fail("a negative number raised to a non-integer power yields a complex result");
    return 0;
  }
  return checked(scope, std::pow(x, y), x, y);
}

double sine(RowScope& scope, double x) {
  if (std::isinf(x)) scope.fail("input is out of range");
  return std::sin(x);
}
double cosine(RowScope& scope, double x) {
  if (std::isinf(x)) scope.fail("input is out of range");
  return std::cos(x);
}
double tangent(RowScope& scope, double x) {
  if (std::isinf(x)) scope.fail("input is out of range");
  return std::tan(x);
}
double arc_sine(RowScope& scope, double x) {
  if (x < -1 || x > 1) scope.fail("input is out of range");
  return std::asin(x);
}
double arc_cosine(RowScope& scope, double x) {
  if (x < -1 || x > 1) scope.fail("input is out of range");
  return std::acos(x);
}
double arc_tangent(RowScope&, double x) {
  return std::atan(x);
}
double arc_tangent_of_quotient(RowScope&, double y, double x) {
  return std::atan2(y, x);
}
double to_degrees(RowScope& scope, double x) {
  return checked(scope, x / (std::numbers::pi / 180), x);
}
double to_radians(RowScope&, double x) {
  return x * (std::numbers::pi / 180);
}

void pi_kernel(const KernelCall& call) {
  double* out = call.out.values<double>().data();
  for_selected(call.selection, [&](uint32_t row) { out[row] = std::numbers::pi; });
}

// The bucket of x among `count` equal ones between two bounds: 0 below, count + 1 above.
int32_t width_bucket(RowScope& scope, double x, double from, double to, int32_t count) {
  if (count <= 0) {
    scope.fail("count must be greater than zero");
  } else if (std::isnan(x) || std::isnan(from) || std::isnan(to)) {
    scope.fail("operand, lower bound, and upper bound cannot be NaN");
  } else if (std::isinf(from) || std::isinf(to)) {
    scope.fail("lower and upper bounds must be finite");
  } else if (from == to) {
    scope.fail("lower bound cannot equal upper bound");
  } else {
    const bool rising = from < to;
    const int64_t above = int64_t{count} + 1;
    if (rising ? x < from : x > from) return 0;
    int64_t bucket = above;
    if (rising ? x < to : x > to) {
      const double part = (x / 2 - from / 2) / (to / 2 - from / 2);
      bucket = std::min(static_cast<int64_t>(part * count), int64_t{count} - 1) + 1;
    }
    if (bucket <= INT32_MAX) return static_cast<int32_t>(bucket);
    scope.fail("integer out of range");
  }
  return 0;
}

void add(FunctionList& list, const char* name, size_t args, ScalarKernel kernel,
         bool infallible = false) {
  ScalarFunction function;
  function.name = name;
  function.args.assign(args, Type::double_precision());
  function.result = Type::double_precision();
  function.kernel = kernel;
  function.infallible = infallible;
  list.push_back(std::move(function));
}

void add_trigonometry(FunctionList& list) {
  add(list, "sin", 1, row_kernel<sine>);
  add(list, "cos", 1, row_kernel<cosine>);
  add(list, "tan", 1, row_kernel<tangent>);
  add(list, "asin", 1, row_kernel<arc_sine>);
  add(list, "acos", 1, row_kernel<arc_cosine>);
  add(list, "atan", 1, row_kernel<arc_tangent>, true);
  add(list, "atan2", 2, row_kernel<arc_tangent_of_quotient>, true);
  add(list, "degrees", 1, row_kernel<to_degrees>);
  add(list, "radians", 1, row_kernel<to_radians>, true);
  add(list, "pi", 0, &pi_kernel, true);
}

}  // namespace

void add_math_functions(FunctionList& list) {
  add(list, "ceil", 1, row_kernel<ceiling>, true);
  add(list, "ceiling", 1, row_kernel<ceiling>, true);
  add(list, "floor", 1, row_kernel<floor_of>, true);
  add(list, "round", 1, row_kernel<round_half_even>, true);
  add(list, "trunc", 1, row_kernel<truncate>, true);
  add(list, "sign", 1, row_kernel<sign_of>, true);
  add(list, "sqrt", 1, row_kernel<square_root>);
  add(list, "cbrt", 1, row_kernel<cube_root>, true);
  add(list, "exp", 1, row_kernel<exponential>);
  add(list, "ln", 1, row_kernel<natural_logarithm>);
  add(list, "log", 1, row_kernel<decimal_logarithm>);
  add(list, "log10", 1, row_kernel<decimal_logarithm>);
  add(list, "log", 2, row_kernel<logarithm_to_base>);
  add(list, "power", 2, row_kernel<power_of>);
  add(list, "pow", 2, row_kernel<power_of>);
  add(list, "^", 2, row_kernel<power_of>);
  add(list, "width_bucket", 3, row_kernel<width_bucket>);
  list.back().args.push_back(Type::integer());
  list.back().result = Type::integer();
  add_trigonometry(list);
}

}  // namespace kappa::operators
