#include "engine/cli/scenario/record_line.h"

#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/cli/scenario/scenario.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"

namespace kappa::cli::scenario {
namespace {

using Json = nlohmann::ordered_json;

// A member of an object as it is written: `"amount": 12.50`.
struct Member {
  std::string_view name_text;  // with its quotes
  std::string_view value_text;
};

// Walks over the members of an object that is known to be well formed.
class MemberScanner {
 public:
  explicit MemberScanner(std::string_view object) : text_(object) {}

  std::vector<Member> scan() {
    std::vector<Member> members;
    skip_space();
    ++at_;  // {
    for (skip_space(); text_[at_] != '}'; skip_space()) {
      if (text_[at_] == ',') {
        ++at_;
        continue;
      }
      Member member;
      member.name_text = take_value();
      skip_space();
      ++at_;  // :
      skip_space();
      member.value_text = take_value();
      members.push_back(member);
    }
    return members;
  }

 private:
  void skip_space() {
    while (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r') ++at_;
  }

  std::string_view take_value() {
    const size_t from = at_;
    int depth = 0;
    do {
      const char c = text_[at_];
      if (c == '"') {
        skip_string();
      } else {
        if (c == '{' || c == '[') ++depth;
        if (c == '}' || c == ']') --depth;
        ++at_;
      }
    } while (depth > 0 || !ends_value());
    std::string_view value = text_.substr(from, at_ - from);
    while (value.back() == ' ' || value.back() == '\t') value.remove_suffix(1);
    return value;
  }

  bool ends_value() const {
    return text_[at_] == ',' || text_[at_] == ':' || text_[at_] == '}' || text_[at_] == ']';
  }

  void skip_string() {
    for (++at_; text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    ++at_;
  }

  std::string_view text_;
  size_t at_ = 0;
};

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
  for (const Member& member : MemberScanner(json).scan()) {
    const std::string name = Json::parse(member.name_text).get<std::string>();
    if (name.starts_with('@')) {
      KAPPA_RETURN_IF_ERROR(
          read_control(name, Json::parse(member.value_text), &record, &tombstone));
    } else {
      fields.push_back(absl::StrCat(to_absl(member.name_text), ":", to_absl(member.value_text)));
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
