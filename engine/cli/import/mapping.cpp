#include "engine/cli/import/mapping.h"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/cli/import/json_text.h"
#include "engine/cli/json_members.h"
#include "engine/sql/suggest.h"
#include "engine/types/datetime.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"

namespace kappa::cli {
namespace {

constexpr size_t kDigitsMax = 38;
constexpr char kKeySeparator = '|';

using Pair = std::pair<std::string, std::string>;

absl::StatusOr<Pair> pair_of(const char* option, const std::string& text) {
  const size_t at = text.find('=');
  if (at == std::string::npos || at == 0) {
    return absl::InvalidArgumentError(absl::StrCat(option, " ", text, ": expected NAME=VALUE"));
  }
  return Pair(text.substr(0, at), text.substr(at + 1));
}

absl::StatusOr<FieldType> type_of(const std::string& option, const std::string& name) {
  static const std::array<std::pair<std::string_view, FieldType>, 6> kTypes = {{
      {"text", FieldType::kText},
      {"integer", FieldType::kInteger},
      {"bigint", FieldType::kInteger},
      {"double", FieldType::kNumber},
      {"numeric", FieldType::kNumber},
      {"boolean", FieldType::kBoolean},
  }};
  for (const auto& [word, type] : kTypes) {
    if (word == name) return type;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "--type ", option, ": expected text, integer, bigint, double, numeric or boolean"));
}

// Appends `text` as a JSON value of a type; false: it is none of that type.
bool append_typed(std::string_view text, FieldType type, std::string* json) {
  JsonNumber number;
  switch (type) {
    case FieldType::kAuto:
      if (parse_json_number(text, &number) && !number.exponent && number.digits <= kDigitsMax) {
        *json += text;
        return true;
      }
      break;
    case FieldType::kText:
      break;
    case FieldType::kInteger:
    case FieldType::kNumber:
      if (!parse_json_number(text, &number) || (type == FieldType::kInteger && !number.whole)) {
        return false;
      }
      *json += text;
      return true;
    case FieldType::kBoolean:
      for (const char* word : {"true", "t", "yes", "1"}) {
        if (equals_ignoring_case(text, word)) return *json += "true", true;
      }
      for (const char* word : {"false", "f", "no", "0"}) {
        if (equals_ignoring_case(text, word)) return *json += "false", true;
      }
      return false;
  }
  append_json_string(text, json);
  return true;
}

std::string type_name(FieldType type) {
  switch (type) {
    case FieldType::kInteger:
      return "a whole number";
    case FieldType::kNumber:
      return "a number";
    case FieldType::kBoolean:
      return "true or false";
    default:
      return "text";
  }
}

absl::Status no_such_value(std::string_view name, FieldType type, std::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat(to_absl(name), ": expected ", type_name(type), ", found ", excerpt(text)));
}

std::string prefix_of(std::string_view name) {
  std::string prefix;
  append_json_string(name, &prefix);
  return prefix + ":";
}

void close_object(std::string* json) {
  if (json->back() == ',') json->pop_back();
  *json += '}';
}

// A JSON string's text.
std::string text_of_json(std::string_view json) {
  if (json.find('\\') == std::string_view::npos) {
    return std::string(json.substr(1, json.size() - 2));
  }
  return nlohmann::json::parse(json).get<std::string>();
}

}  // namespace

absl::StatusOr<Mapping> Mapping::make(const MappingOptions& options,
                                      const std::vector<std::string>* columns,
                                      const DeclaredTypes& declared) {
  Mapping mapping;
  if (columns) {
    mapping.csv_ = true;
    mapping.columns_ = *columns;
    for (const std::string& name : *columns) {
      mapping.csv_fields_.emplace_back().prefix = prefix_of(name);
    }
  }
  KAPPA_RETURN_IF_ERROR(mapping.set_up(options));
  // What the product declares holds unless an option says otherwise; it speaks of final names.
  for (Field& field : mapping.csv_fields_) {
    for (const auto& [name, type] : declared) {
      if (field.type == FieldType::kAuto && field.prefix == prefix_of(name)) field.type = type;
    }
    absl::StrAppend(&mapping.description_, field.prefix, static_cast<int>(field.type), ";");
  }
  return mapping;
}

absl::StatusOr<Mapping::Field*> Mapping::field(const std::string& option, std::string_view name) {
  if (!csv_) {
    auto found = fields_.find(name);
    if (found == fields_.end()) {
      found = fields_.emplace(name, Field()).first;
      found->second.prefix = prefix_of(name);
    }
    return &found->second;
  }
  const auto found = std::find(columns_.begin(), columns_.end(), name);
  if (found != columns_.end()) return &csv_fields_[static_cast<size_t>(found - columns_.begin())];
  return absl::InvalidArgumentError(absl::StrCat(option, ": the file has no column ", excerpt(name),
                                                 "; ", sql::suggestion(name, columns_)));
}

absl::Status Mapping::set_up(const MappingOptions& options) {
  for (const std::string& option : options.types) {
    KAPPA_ASSIGN_OR_RETURN(const Pair pair, pair_of("--type", option));
    KAPPA_ASSIGN_OR_RETURN(Field* const named, field("--type", pair.first));
    KAPPA_ASSIGN_OR_RETURN(named->type, type_of(option, pair.second));
  }
  for (const std::string& option : options.renames) {
    KAPPA_ASSIGN_OR_RETURN(const Pair pair, pair_of("--rename", option));
    KAPPA_ASSIGN_OR_RETURN(Field* const named, field("--rename", pair.first));
    named->prefix = prefix_of(pair.second);
  }
  for (const std::string& name : options.drops) {
    KAPPA_ASSIGN_OR_RETURN(Field* const named, field("--drop", name));
    named->dropped = true;
  }
  for (const std::string& option : options.sets) {
    KAPPA_ASSIGN_OR_RETURN(const Pair pair, pair_of("--set", option));
    std::string& json = set_[prefix_of(pair.first)];
    json.clear();
    append_typed(pair.second, FieldType::kAuto, &json);
  }
  for (const std::string& name : options.key) {
    KAPPA_ASSIGN_OR_RETURN(Field* const named, field("--key", name));
    named->key_part = static_cast<int>(key_parts_++);
  }
  rewrites_ = !options.types.empty() || !options.renames.empty() || !options.drops.empty() ||
              !options.sets.empty();
  // A constant takes the place of a field of its name.
  for (Field& named : csv_fields_) named.dropped |= set_.contains(named.prefix);
  description_ = absl::StrCat(
      csv_ ? "csv" : "ndjson", "\n", absl::StrJoin(options.types, ","), "\n",
      absl::StrJoin(options.renames, ","), "\n", absl::StrJoin(options.drops, ","), "\n",
      absl::StrJoin(options.sets, ","), "\n", absl::StrJoin(options.key, ","), "\n",
      options.timestamp, "\n", options.timestamp_unit, "\n", options.timestamp_delay, "\n");
  return set_up_timestamp(options);
}

absl::Status Mapping::set_up_timestamp(const MappingOptions& options) {
  static const std::array<std::pair<std::string_view, Unit>, 4> kUnits = {
      {{"s", Unit::kSeconds}, {"ms", Unit::kMillis}, {"us", Unit::kMicros}, {"iso", Unit::kIso}}};
  timestamp_ = options.timestamp;
  if (timestamp_.empty()) {
    if (options.timestamp_delay.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError("--timestamp-delay needs --timestamp");
  }
  KAPPA_ASSIGN_OR_RETURN(Field* const named, field("--timestamp", timestamp_));
  named->timestamp = true;
  for (const auto& [word, unit] : kUnits) {
    if (word == options.timestamp_unit) unit_ = unit;
  }
  if (options.timestamp_delay.empty()) return absl::OkStatus();
  const auto us = parse_interval(options.timestamp_delay);
  if (!us) {
    return absl::InvalidArgumentError(absl::StrCat("--timestamp-delay ", options.timestamp_delay,
                                                   ": expected a time such as \"7 days\""));
  }
  delay_ms_ = *us / kMicrosPerMilli;
  return absl::OkStatus();
}

absl::Status Mapping::map(const InputRecord& input, serve::RecordToSend* record) {
  return csv_ ? map_csv(input, record) : map_json(input, record);
}

void Mapping::open_object(std::string* json) const {
  *json = "{";
  for (const auto& [prefix, value] : set_) absl::StrAppend(json, prefix, value, ",");
}

absl::Status Mapping::map_csv(const InputRecord& input, serve::RecordToSend* record) {
  std::string& json = record->value.emplace();
  json.reserve(input.text.size() + 32 * columns_.size());
  open_object(&json);
  std::vector<std::optional<std::string_view>> key(key_parts_);
  std::optional<std::string_view> timestamp;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const std::string_view text = input.fields[i];
    if (text.empty()) continue;
    const Field& field = csv_fields_[i];
    if (field.key_part >= 0) key[static_cast<size_t>(field.key_part)] = text;
    if (field.timestamp) timestamp = text;
    if (field.dropped) continue;
    json += field.prefix;
    if (!append_typed(text, field.type, &json)) return no_such_value(columns_[i], field.type, text);
    json += ',';
  }
  close_object(&json);
  take_key(key, record);
  return timestamp_.empty() ? absl::OkStatus() : take_timestamp(timestamp.value_or(""), record);
}

absl::Status Mapping::map_json(const InputRecord& input, serve::RecordToSend* record) {
  const std::string_view object = strip_spaces(input.text);
  if (!object.starts_with('{') || !nlohmann::json::accept(object)) {
    return absl::InvalidArgumentError("it is not a JSON object");
  }
  if (!rewrites_) record->value = object;
  if (!rewrites_ && key_parts_ == 0 && timestamp_.empty()) return absl::OkStatus();
  std::string json;
  open_object(&json);
  decoded_.clear();
  std::vector<std::optional<std::string_view>> key(key_parts_);
  std::optional<std::string_view> timestamp;
  for (const JsonMember& member : json_members(object)) {
    const std::string& name = decoded_.emplace_back(text_of_json(member.name));
    const auto named = fields_.find(name);
    const Field* field = named == fields_.end() ? nullptr : &named->second;
    const bool is_text = member.value.starts_with('"');
    std::string_view text = member.value;
    if (field && is_text) text = decoded_.emplace_back(text_of_json(member.value));
    if (field && member.value != "null") {
      if (field->key_part >= 0) key[static_cast<size_t>(field->key_part)] = text;
      if (field->timestamp) timestamp = text;
    }
    if (!rewrites_ || (field && field->dropped)) continue;
    const std::string prefix = field ? field->prefix : prefix_of(name);
    if (set_.contains(prefix)) continue;
    json += prefix;
    const bool typed = field && field->type != FieldType::kAuto && member.value != "null";
    if (!typed) {
      json += member.value;
    } else if (!append_typed(text, field->type, &json)) {
      return no_such_value(name, field->type, text);
    }
    json += ',';
  }
  close_object(&json);
  if (rewrites_) record->value = std::move(json);
  take_key(key, record);
  return timestamp_.empty() ? absl::OkStatus() : take_timestamp(timestamp.value_or(""), record);
}

void Mapping::take_key(const std::vector<std::optional<std::string_view>>& parts,
                       serve::RecordToSend* record) const {
  const bool any = std::any_of(parts.begin(), parts.end(), [](const auto& part) { return !!part; });
  if (!any) return;
  std::string& key = record->key.emplace(parts[0].value_or(""));
  for (size_t i = 1; i < parts.size(); ++i) {
    key += kKeySeparator;
    key += parts[i].value_or("");
  }
}

absl::Status Mapping::take_timestamp(std::string_view text, serve::RecordToSend* record) const {
  if (text.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("it has no ", timestamp_, ", its timestamp"));
  }
  int64_t number = 0;
  std::optional<int64_t> ms;
  if (unit_ == Unit::kIso) {
    if (const auto us = parse_timestamp(text)) ms = *us / kMicrosPerMilli;
  } else if (absl::SimpleAtoi(to_absl(text), &number) && number >= 0) {
    constexpr int64_t kSecondsMax = kEndTimestampUs / kMicrosPerMilli / 1000;
    if (unit_ == Unit::kMillis) ms = number;
    if (unit_ == Unit::kMicros) ms = number / kMicrosPerMilli;
    if (unit_ == Unit::kSeconds && number < kSecondsMax) ms = number * 1000;
  }
  if (!ms || *ms < 0 || *ms >= kEndTimestampUs / kMicrosPerMilli) {
    return absl::InvalidArgumentError(absl::StrCat(timestamp_, ": expected ",
                                                   unit_ == Unit::kIso
                                                       ? "a time such as 2024-05-01T10:00:00Z"
                                                       : "a whole number of units since 1970",
                                                   ", found ", excerpt(text)));
  }
  record->timestamp = LogTime{std::max<int64_t>(*ms + delay_ms_, 0)};
  return absl::OkStatus();
}

}  // namespace kappa::cli
