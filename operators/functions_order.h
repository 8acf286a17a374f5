#pragma once

#include <type_traits>

#include "engine/types/column.h"
#include "engine/types/string_ref.h"

// SQL's order of values. Internal to operators/functions_*.cpp.
namespace kappa::operators {

// PostgreSQL's order of doubles: NaN equals itself and is greater than everything else.
inline bool is_less(double a, double b) {
  return (a < b) | ((a == a) & (b != b));
}
inline bool is_equal(double a, double b) {
  return (a == b) | ((a != a) & (b != b));
}

// Text is ordered by its bytes.
inline bool is_less(const StringRef& a, const StringRef& b) {
  return a.view() < b.view();
}
inline bool is_equal(const StringRef& a, const StringRef& b) {
  return a == b;
}

template <typename T>
requires std::is_integral_v<T>
bool is_less(T a, T b) {
  return a < b;
}
template <typename T>
requires std::is_integral_v<T>
bool is_equal(T a, T b) {
  return a == b;
}

}  // namespace kappa::operators
