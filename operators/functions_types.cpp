#include <algorithm>

#include "absl/strings/str_cat.h"
#include "operators/functions.h"
#include "operators/functions_numeric.h"

// What may be cast to what, and the type that two values have in common.
namespace kappa::operators {
namespace {

// Every value of numeric type `from` is one of `to`.
bool holds_numeric(const Type& to, const Type& from) {
  return to.scale >= from.scale && to.precision - to.scale >= from.precision - from.scale;
}

}  // namespace

bool can_cast_implicitly(const Type& from, const Type& to) {
  if (from == to || from.id == TypeId::kNull) return true;
  switch (from.id) {
    case TypeId::kInteger:
      if (to.id == TypeId::kBigint) return true;
      [[fallthrough]];
    case TypeId::kBigint:
    case TypeId::kNumeric:
      if (to.id == TypeId::kNumeric) return holds_numeric(to, numeric_type_of(from));
      return to.id == TypeId::kDouble;
    case TypeId::kDate:
      return to.id == TypeId::kTimestamptz;
    default:
      return false;
  }
}

bool can_cast_explicitly(const Type& from, const Type& to) {
  if (from.id == to.id || from.id == TypeId::kNull) return true;
  if (to.id == TypeId::kNull) return false;
  if (from.id == TypeId::kText || to.id == TypeId::kText) return true;
  if (from.is_number() && to.is_number()) return true;
  const auto between = [&](TypeId a, TypeId b) {
    return (from.id == a && to.id == b) || (from.id == b && to.id == a);
  };
  return between(TypeId::kBoolean, TypeId::kInteger) ||
         between(TypeId::kTimestamptz, TypeId::kDate);
}

absl::StatusOr<Type> common_type(const Type& a, const Type& b) {
  if (a == b || b.id == TypeId::kNull) return a;
  if (a.id == TypeId::kNull) return b;
  if (a.is_number() && b.is_number()) {
    if (a.id == TypeId::kDouble || b.id == TypeId::kDouble) return Type::double_precision();
    if (a.is_integer() && b.is_integer()) return Type::bigint();
    const Type left = numeric_type_of(a);
    const Type right = numeric_type_of(b);
    const int scale = std::max(left.scale, right.scale);
    const int whole = std::max(left.precision - left.scale, right.precision - right.scale);
    return Type::numeric(std::min(whole + scale, kNumericDigitsMax), scale);
  }
  if (can_cast_implicitly(a, b)) return b;
  if (can_cast_implicitly(b, a)) return a;
  return absl::InvalidArgumentError(absl::StrCat("types ", to_string(a), " and ", to_string(b),
                                                 " have no common type; cast one of them"));
}

}  // namespace kappa::operators
