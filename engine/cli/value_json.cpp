#include "engine/cli/value_json.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "schemas/utf8.h"

namespace kappa::cli {
namespace {

constexpr int64_t kExactInDouble = int64_t{1} << 53;

}  // namespace

nlohmann::ordered_json to_json(const Value& value) {
  if (value.is_null()) return nullptr;
  switch (value.type.id) {
    case TypeId::kBoolean:
      return std::get<bool>(value.data);
    case TypeId::kInteger:
      return std::get<int32_t>(value.data);
    case TypeId::kBigint: {
      const int64_t number = std::get<int64_t>(value.data);
      if (number > kExactInDouble || number < -kExactInDouble) return to_text(value);
      return number;
    }
    case TypeId::kDouble: {
      const double number = std::get<double>(value.data);
      if (!std::isfinite(number)) return to_text(value);
      return number;
    }
    case TypeId::kText:
      return std::get<std::string>(value.data);
    case TypeId::kBytea:
      return absl::Base64Escape(std::get<std::string>(value.data));
    case TypeId::kNull:
    case TypeId::kNumeric:
    case TypeId::kTimestamptz:
    case TypeId::kDate:
    case TypeId::kInterval:
      break;
  }
  return to_text(value);
}

void add_bytes(const std::string& name, const std::optional<std::string>& bytes,
               nlohmann::ordered_json* json) {
  if (!bytes) {
    (*json)[name] = nullptr;
  } else if (schemas::is_valid_utf8(*bytes)) {
    (*json)[name] = *bytes;
  } else {
    (*json)[name + "_base64"] = absl::Base64Escape(*bytes);
  }
}

std::string json_text(const nlohmann::ordered_json& json, bool one_line) {
  return json.dump(one_line ? -1 : 2, ' ', false,
                   nlohmann::ordered_json::error_handler_t::replace) +
         "\n";
}

}  // namespace kappa::cli
