#pragma once

#include "engine/types/datetime.h"
#include "engine/types/time.h"
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

// The least and the greatest timestamptz and date there are: years 0001 to 9999. Sources, text and
// functions make no others.
inline constexpr int64_t kTimestampMin = kFirstTimestampUs;
inline constexpr int64_t kTimestampMax = kEndTimestampUs - 1;
inline constexpr int32_t kDateMin = static_cast<int32_t>(kTimestampMin / kMicrosPerDay);
inline constexpr int32_t kDateMax = static_cast<int32_t>(kTimestampMax / kMicrosPerDay);

}  // namespace kappa::operators
