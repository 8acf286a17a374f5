#include "engine/cli/scenario/record_line.h"

#include <vector>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/cli/json_members.h"
#include "engine/cli/scenario/scenario.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"

namespace kappa::cli::scenario {
namespace {

using Json = nlohmann::ordered_json;

absl::Status fault(const std::string& name, const std::string& expected, const Json& found) {
  return absl::InvalidArgumentError(
      absl::StrCat(name, ": expected ", expected, ", found ", found.dump()));
}

absl::Status read_headers(const Json& value, RecordHeaders* headers) {
  if (!value.is_object()) return fault("@headers", "an object of texts", value);
  for (const auto& header : value.items()) {
    if (!header.value().is_string()) return fault("@headers", "an object of texts", value);
    headers->emplace_back(header.key(), header.value().get<std::string>());
  }
  return absl::OkStatus();
}

absl::Status read_control(const std::string& name, const Json& value, WrittenRecord* record,
                          bool* tombstone) {
  if (name == "@key") {
    if (!value.is_string() && !value.is_object() && !value.is_null()) {
      return fault(name, "a text, or an object of the key columns", value);
    }
    if (value.is_string()) record->key = value.get<std::string>();
    if (value.is_object()) record->key = value.dump();
    return absl::OkStatus();
  }
  if (name == "@timestamp") {
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    record->timestamp = parse_log_time(text);
    if (!record->timestamp) return fault(name, "milliseconds or an RFC 3339 time", value);
    return absl::OkStatus();
  }
  if (name == "@headers") return read_headers(value, &record->headers);
  if (name == "@value") {
    if (!value.is_null()) return fault(name, "null, for a tombstone", value);
    *tombstone = true;
    return absl::OkStatus();
  }
  if (name == "@raw") {
    if (!value.is_string()) return fault(name, "a text", value);
    record->raw = true;
    record->value = value.get<std::string>();
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown field \"", name,
                   "\"; fields with @ are @key, @timestamp, @headers, @value and @raw"));
}

}  // namespace

absl::StatusOr<WrittenRecord> parse_record_line(const std::string& json) {
  const Json object = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) {
    return absl::InvalidArgumentError(
        "expected one JSON object on the line (bytes that are not JSON are written as "
        "{\"@raw\": \"…\"})");
  }
  WrittenRecord record;
  bool tombstone = false;
  std::vector<std::string> fields;
  for (const JsonMember& member : json_members(json)) {
    const std::string name = Json::parse(member.name).get<std::string>();
    if (name.starts_with('@')) {
      KAPPA_RETURN_IF_ERROR(read_control(name, Json::parse(member.value), &record, &tombstone));
    } else {
      fields.push_back(absl::StrCat(to_absl(member.name), ":", to_absl(member.value)));
    }
  }
  const int values = (record.raw ? 1 : 0) + (tombstone ? 1 : 0) + (fields.empty() ? 0 : 1);
  if (values > 1) {
    return absl::InvalidArgumentError(
        "a record has fields, or \"@raw\", or \"@value\": null; found more than one of them");
  }
  if (!record.raw && !tombstone) record.value = absl::StrCat("{", absl::StrJoin(fields, ","), "}");
  return record;
}

}  // namespace kappa::cli::scenario
