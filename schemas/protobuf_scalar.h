#pragma once

#include <cstdint>
#include <string_view>

#include "engine/types/column.h"

namespace kappa::schemas {

// A value as its field's kind has it: `integer` for booleans, integers, enums and the seconds of a
// Timestamp or Duration, `nanos` for their nanoseconds, `real` for float and double, `text` for
// strings and bytes (borrowed). All zero: the default value.
struct ProtoScalar {
  int128 integer = 0;
  double real = 0;
  int32_t nanos = 0;
  std::string_view text;
};

}  // namespace kappa::schemas
