#include "engine/types/type.h"

#include "absl/strings/str_cat.h"

namespace kappa {

std::string to_string(const Type& type) {
  switch (type.id) {
    case TypeId::kNull:
      return "unknown";
    case TypeId::kBoolean:
      return "boolean";
    case TypeId::kInteger:
      return "integer";
    case TypeId::kBigint:
      return "bigint";
    case TypeId::kDouble:
      return "double precision";
    case TypeId::kNumeric:
      return absl::StrCat("numeric(", type.precision, ",", type.scale, ")");
    case TypeId::kText:
      return "text";
    case TypeId::kBytea:
      return "bytea";
    case TypeId::kTimestamptz:
      return "timestamp with time zone";
    case TypeId::kDate:
      return "date";
    case TypeId::kInterval:
      return "interval";
  }
  return "unknown";
}

}  // namespace kappa
