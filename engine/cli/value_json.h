#pragma once

#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "engine/types/value.h"

namespace kappa::cli {

// A value as JSON, by the rules of output topics: bigint beyond 2^53 and numeric as text, times in
// RFC 3339, bytea in base64.
nlohmann::ordered_json to_json(const Value& value);

// Adds a record's key, payload or header: text as it is, other bytes in base64 under the name
// NAME_base64, so that nothing is lost; null if there are none.
void add_bytes(const std::string& name, const std::optional<std::string>& bytes,
               nlohmann::ordered_json* json);

// As text, laid out for reading or on one line; bytes that are not UTF-8 are replaced.
std::string json_text(const nlohmann::ordered_json& json, bool one_line = false);

}  // namespace kappa::cli
