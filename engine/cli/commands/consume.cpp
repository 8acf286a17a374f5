#include "engine/cli/commands/consume.h"

#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/cli/value_json.h"
#include "engine/types/datetime.h"

namespace kappa::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string json_line(const std::string& topic, const serve::ReceivedRecord& record) {
  Json json;
  json["topic"] = topic;
  json["partition"] = record.partition;
  json["offset"] = record.offset.value;
  json["timestamp"] = timestamp_to_text(record.timestamp.ms * kMicrosPerMilli);
  add_bytes("key", record.key, &json);
  add_bytes("value", record.value, &json);
  json["headers"] = Json::object();
  for (const auto& [name, value] : record.headers) json["headers"][name] = value;
  return json_text(json, /*one_line=*/true);
}

std::string plain_line(const std::string& key_separator, const serve::ReceivedRecord& record) {
  const std::string key = key_separator.empty() ? "" : record.key.value_or("NULL") + key_separator;
  // Without its key a tombstone would say nothing.
  const bool says_whose = !record.value && key_separator.empty() && record.key;
  return absl::StrCat(key, record.value.value_or("NULL"),
                      says_whose ? absl::StrCat(" (deletes ", *record.key, ")") : "", "\n");
}

}  // namespace

absl::Status set_start(const std::string& from, serve::TopicReadOptions* read) {
  using From = serve::TopicReadOptions::From;
  int64_t offset = 0;
  if (from == "beginning") {
    read->from = From::kBeginning;
  } else if (from == "end") {
    read->from = From::kEnd;
  } else if (absl::SimpleAtoi(from, &offset) && offset >= 0) {
    read->from = From::kOffset;
    read->offset = Offset{offset};
  } else if (const auto us = parse_timestamp(from)) {
    read->from = From::kTimestamp;
    // The first record that is not before that time: a part of a millisecond counts as a whole.
    read->timestamp = LogTime{(*us + kMicrosPerMilli - 1) / kMicrosPerMilli};
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("--from ", from,
                     ": expected beginning, end, an offset, or a time such as "
                     "2024-05-01T10:00:00Z"));
  }
  return absl::OkStatus();
}

int run_consume(const ConsumeOptions& options) {
  serve::TopicReadOptions read;
  if (const absl::Status start = set_start(options.from, &read); !start.ok()) {
    report(start);
    return kExitUsage;
  }
  if (options.partition >= 0) read.partition = options.partition;
  read.limit = options.limit;
  read.follow = options.follow;
  ConnectOptions connect = options.connect;
  connect.command = "kappa consume";
  const auto connection = Connection::open(std::move(connect));
  if (!connection.ok()) return report(connection.status());
  const absl::Status status =
      (*connection)
          ->client()
          .read_topic(options.topic, read, [&](const serve::ReceivedRecord& record) {
            print(options.output == OutputFormat::kJson
                      ? json_line(options.topic, record)
                      : plain_line(options.key_separator, record));
            return true;
          });
  return status.ok() ? kExitOk : report(status);
}

}  // namespace kappa::cli
