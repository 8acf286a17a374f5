#pragma once

#include "operators/functions.h"

namespace kappa::operators {

// The kernel of a cast between two types for which can_cast_explicitly() holds. Strict; one
// argument of type `from`, a result of type `to`. What cannot be cast fails its row.
//
//   double → integer, bigint       half to even; out of range fails
//   numeric → integer, bigint      half up (away from zero); out of range fails
//   number → numeric(p,s)          half up to s digits; more than p - s digits before the point
//   fail double → numeric               by its 15 significant digits, as PostgreSQL does text →
//   anything                parse_value();  anything → text: to_text() boolean ↔ integer false is
//   0, true any other number timestamptz ↔ date             days of UTC null → anything null
ScalarKernel cast_kernel(const Type& from, const Type& to);

// The parts of cast_kernel, one a family. Internal to cast*.cpp; null: not of that family.
ScalarKernel cast_number_kernel(const Type& from, const Type& to);
ScalarKernel cast_from_text_kernel(const Type& to);
ScalarKernel cast_to_text_kernel(const Type& from);

// The least and the greatest timestamptz there is, in microseconds: years 0001 to 9999.
inline constexpr int64_t kTimestampMin = -62'135'596'800'000'000;
inline constexpr int64_t kTimestampMax = 253'402'300'799'999'999;
inline constexpr int32_t kDateMin = -719'162;
inline constexpr int32_t kDateMax = 2'932'896;

}  // namespace kappa::operators
