#include "engine/cli/commands/produce.h"

#include <charconv>
#include <fstream>
#include <iostream>
#include <optional>
#include <string_view>

#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/cli/json_members.h"
#include "engine/cli/scenario/scenario.h"
#include "engine/serve/api_error.h"
#include "engine/types/status_macros.h"

namespace kappa::cli {
namespace {

using Json = nlohmann::json;

constexpr size_t kBatchRecords = 1000;
constexpr size_t kBatchBytes = 4 << 20;

absl::Status expected(const std::string& field, const std::string& what, const Json& found) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", field, "\": expected ", what, ", found ", found.dump()));
}

absl::StatusOr<std::string> decoded(const std::string& field, const Json& json) {
  std::string bytes;
  if (json.is_string() && absl::Base64Unescape(json.get<std::string>(), &bytes)) return bytes;
  return expected(field, "base64", json);
}

absl::Status set_field(const std::string& name, const Json& json, std::string_view as_written,
                       serve::RecordToSend* record) {
  if (name == "value") {
    // Text is the payload itself; any other JSON is the payload as it is written; null is none.
    if (json.is_string()) {
      record->value = json.get<std::string>();
    } else if (json.is_null()) {
      record->value.reset();
    } else {
      record->value = std::string(as_written);
    }
  } else if (name == "value_base64") {
    KAPPA_ASSIGN_OR_RETURN(record->value, decoded(name, json));
  } else if (name == "key_base64") {
    KAPPA_ASSIGN_OR_RETURN(record->key, decoded(name, json));
  } else if (name == "key") {
    if (json.is_null()) return absl::OkStatus();
    if (!json.is_string()) return expected(name, "a text or null", json);
    record->key = json.get<std::string>();
  } else if (name == "timestamp") {
    record->timestamp =
        scenario::parse_log_time(json.is_string() ? json.get<std::string>() : json.dump());
    if (!record->timestamp) return expected(name, "milliseconds or an RFC 3339 time", json);
  } else if (name == "partition") {
    if (!json.is_number_unsigned() || json.get<uint64_t>() > INT32_MAX) {
      return expected(name, "a number from 0", json);
    }
    record->partition = json.get<int32_t>();
  } else if (name == "headers") {
    if (!json.is_object()) return expected(name, "an object of texts", json);
    for (const auto& [header, value] : json.items()) {
      if (!value.is_string()) return expected(name, "an object of texts", json);
      record->headers.emplace_back(header, value.get<std::string>());
    }
  } else if (name != "topic" && name != "offset") {  // which say where a consumed record was
    return absl::InvalidArgumentError(
        absl::StrCat("unknown field \"", name,
                     "\"; there are value, value_base64, key, key_base64, timestamp, partition "
                     "and headers"));
  }
  return absl::OkStatus();
}

absl::StatusOr<serve::RecordToSend> record_of_json(const std::string& line) {
  const Json object = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) {
    return absl::InvalidArgumentError("expected one JSON object on the line");
  }
  serve::RecordToSend record;
  for (const JsonMember& member : json_members(line)) {
    const std::string name = Json::parse(member.name).get<std::string>();
    KAPPA_RETURN_IF_ERROR(set_field(name, Json::parse(member.value), member.value, &record));
  }
  return record;
}

// The number of the record that a field of an AppendRequest is of: 3 for "records[3].value".
std::optional<int64_t> record_of_field(const std::string& field) {
  int64_t index = 0;
  constexpr std::string_view kBefore = "records[";
  if (!field.starts_with(kBefore)) return std::nullopt;
  const char* const begin = field.data() + kBefore.size();
  const auto parsed = std::from_chars(begin, field.data() + field.size(), index);
  return parsed.ec == std::errc() ? std::optional(index) : std::nullopt;
}

// Appends lines in batches; sends what it has whenever the input makes it wait.
class Producer {
 public:
  Producer(const ProduceOptions& options, serve::Client& client)
      : options_(options), client_(client) {}

  absl::Status run(std::istream& in) {
    std::string line;
    for (int64_t number = 1; std::getline(in, line); ++number) {
      if (line.ends_with('\r')) line.pop_back();
      auto record = record_of_line(line, options_);
      if (!record.ok()) {
        KAPPA_RETURN_IF_ERROR(send());
        return absl::InvalidArgumentError(
            absl::StrCat("line ", number, ": ", record.status().message()));
      }
      if (batch_.empty()) first_line_ = number;
      bytes_ += line.size();
      batch_.push_back(*std::move(record));
      const bool full = batch_.size() >= kBatchRecords || bytes_ >= kBatchBytes;
      if (full || in.rdbuf()->in_avail() <= 0) KAPPA_RETURN_IF_ERROR(send());
    }
    return send();
  }

  int64_t sent() const { return sent_; }

 private:
  absl::Status send() {
    if (batch_.empty()) return absl::OkStatus();
    const auto appended = client_.append(options_.topic, batch_, !options_.written);
    if (!appended.ok()) return by_lines(appended.status());
    sent_ += static_cast<int64_t>(batch_.size());
    batch_.clear();
    bytes_ = 0;
    return absl::OkStatus();
  }

  // The server counts the records of a request; whoever wrote them counts lines.
  absl::Status by_lines(const absl::Status& status) const {
    const serve::ErrorDetails details = serve::details_of(status);
    if (details.reason != "CONTRACT_VIOLATION" || details.violations.empty()) return status;
    const serve::FieldViolation& first = details.violations.front();
    const auto index = record_of_field(first.field);
    if (!index) return status;
    const auto product = details.metadata.find("product");
    std::string message = absl::StrCat("line ", first_line_ + *index);
    if (product != details.metadata.end()) {
      absl::StrAppend(&message, " does not meet what product ", product->second,
                      " declares of topic ", options_.topic);
    }
    absl::StrAppend(&message, ": ", first.description);
    if (details.violations.size() > 1) message += " (and more like it)";
    const int64_t last_line = first_line_ + static_cast<int64_t>(batch_.size()) - 1;
    if (last_line > first_line_) {
      absl::StrAppend(&message, "; none of the lines ", first_line_, " to ", last_line,
                      " is appended");
    }
    return absl::InvalidArgumentError(message);
  }

  const ProduceOptions& options_;
  serve::Client& client_;

  int64_t first_line_ = 0;  // of the batch, from 1
  std::vector<serve::RecordToSend> batch_;
  size_t bytes_ = 0;
  int64_t sent_ = 0;
};

}  // namespace

absl::StatusOr<serve::RecordToSend> record_of_line(const std::string& line,
                                                   const ProduceOptions& options) {
  if (options.json) return record_of_json(line);
  serve::RecordToSend record;
  if (options.key_separator.empty()) {
    record.value = line;
    return record;
  }
  const size_t at = line.find(options.key_separator);
  if (at == std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat("expected a key and a value with \"",
                                                   options.key_separator,
                                                   "\" between them, found none"));
  }
  record.key = line.substr(0, at);
  record.value = line.substr(at + options.key_separator.size());
  return record;
}

int run_produce(const ProduceOptions& options) {
  ConnectOptions connect = options.connect;
  connect.command = "kappa produce";
  connect.with_products = true;  // they check what is appended to their sources
  std::ifstream file;
  const bool from_file = !options.file.empty() && options.file != "-";
  if (from_file) {
    file.open(options.file);
    if (!file) return report(absl::StrCat("cannot read ", options.file));
  } else {
    std::ios::sync_with_stdio(false);  // so that it tells whether more is there
  }
  const auto connection = Connection::open(std::move(connect));
  if (!connection.ok()) return report(connection.status());
  Producer producer(options, (*connection)->client());
  const absl::Status status = producer.run(from_file ? file : std::cin);
  if (options.output == OutputFormat::kJson) {
    print(
        absl::StrCat("{\"topic\": \"", options.topic, "\", \"records\": ", producer.sent(), "}\n"));
  } else {
    note(absl::StrCat("kappa: ", producer.sent(), producer.sent() == 1 ? " record" : " records",
                      " appended to ", options.topic, "\n"));
  }
  return status.ok() ? kExitOk : report(status);
}

}  // namespace kappa::cli
