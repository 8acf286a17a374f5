#include "engine/cli/commands/dlq.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/cli/dead_letters.h"
#include "engine/cli/table.h"
#include "engine/cli/value_json.h"
#include "engine/types/datetime.h"
#include "schemas/utf8.h"

namespace kappa::cli {
namespace {

using Json = nlohmann::ordered_json;
using Group = DeadLetterSummary::Group;
using Summaries = std::vector<std::pair<std::string, DeadLetterSummary>>;

constexpr size_t kReasonsShown = 20;  // of a topic, in a table

std::string time_text(LogTime time) {
  return timestamp_to_text(time.ms * kMicrosPerMilli);
}

std::string reason_text(const std::string& topic, const std::string& reason) {
  if (!reason.empty()) return reason;
  return is_late_topic(topic) ? "late" : "no reason is given";
}

// ---- list

void add_row(const std::string& topic, const std::string& reason, const Group& group,
             Table* table) {
  table->rows.push_back({topic, absl::StrCat(group.records), time_text(group.since),
                         time_text(group.newest), group.newest_source, reason});
}

Group sum(const Group& a, const Group& b) {
  if (a.records == 0) return b;
  if (b.records == 0) return a;
  const bool b_is_newer = a.newest < b.newest;
  return {a.records + b.records, std::min(a.since, b.since), b_is_newer ? b.newest : a.newest,
          b_is_newer ? b.newest_source : a.newest_source};
}

void print_summaries(const Summaries& summaries) {
  Table table;
  table.columns = {{"topic"},  {"records", true}, {"since"},
                   {"newest"}, {"newest from"},   {"reason"}};
  for (const auto& [topic, summary] : summaries) {
    const auto reasons = summary.reasons();
    Group rest = summary.others();
    for (size_t i = 0; i < reasons.size(); ++i) {
      const auto& [reason, group] = reasons[i];
      if (i < kReasonsShown) {
        add_row(topic, reason_text(topic, reason), group, &table);
      } else {
        rest = sum(rest, group);
      }
    }
    if (rest.records > 0) add_row(topic, "other reasons", rest, &table);
  }
  print_table(table);
}

Json group_json(const Group& group) {
  Json json;
  json["records"] = group.records;
  json["since"] = group.records > 0 ? Json(time_text(group.since)) : Json();
  json["newest"] = group.records > 0 ? Json(time_text(group.newest)) : Json();
  json["newest_from"] = group.newest_source ? Json(*group.newest_source) : Json();
  return json;
}

Json to_json(const std::string& topic, const DeadLetterSummary& summary) {
  Json json;
  json["topic"] = topic;
  json["kind"] = is_late_topic(topic) ? "late" : "dead letters";
  json.update(group_json(summary.all()));
  json["reasons"] = Json::array();
  for (const auto& [reason, group] : summary.reasons()) {
    Json item;
    item["reason"] = reason_text(topic, reason);
    item.update(group_json(group));
    json["reasons"].push_back(std::move(item));
  }
  json["other_reasons"] = summary.others().records;
  return json;
}

int list(serve::Client& client, const DlqOptions& options) {
  const auto topics = client.topics();
  if (!topics.ok()) return report(topics.status());
  Summaries summaries;
  for (const serve::TopicStatus& topic : *topics) {
    const std::string& name = topic.info.name;
    if (!is_dead_letter_topic(name) && !is_late_topic(name)) continue;
    auto summary = summarize_dead_letters(client, name, options.product);
    if (!summary.ok()) return report(summary.status());
    if (summary->all().records > 0) summaries.emplace_back(name, *std::move(summary));
  }
  if (options.output == OutputFormat::kJson) {
    Json json = Json::array();
    for (const auto& [topic, summary] : summaries) json.push_back(to_json(topic, summary));
    print(json_text(json));
  } else if (summaries.empty()) {
    note("kappa: there are no dead letters and no late rows\n");
  } else {
    print_summaries(summaries);
  }
  return kExitOk;
}

// ---- show

// Text as it is, other bytes in base64.
std::optional<std::string> cell(const std::optional<std::string>& bytes) {
  if (!bytes || schemas::is_valid_utf8(*bytes)) return bytes;
  return "base64:" + absl::Base64Escape(*bytes);
}

std::optional<std::string> none_if_empty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

// A late topic is its view's.
std::string view_of(const std::string& topic, const runtime::DeadLetter& letter) {
  if (!letter.view.empty() || !is_late_topic(topic)) return letter.view;
  return topic.substr(0, topic.size() - runtime::kLateSuffix.size());
}

void add_row(const std::string& topic, const serve::ReceivedRecord& record,
             const runtime::DeadLetter& letter, Table* table) {
  std::vector<std::string> headers;
  headers.reserve(letter.original.size());
  for (const auto& [name, value] : letter.original) {
    headers.push_back(absl::StrCat(name, "=", *cell(value)));
  }
  table->rows.push_back({absl::StrCat(record.partition, "@", record.offset.value),
                         time_text(record.timestamp), reason_text(topic, letter.reason),
                         source_text(letter), none_if_empty(view_of(topic, letter)),
                         none_if_empty(letter.sql_position), cell(record.key), cell(record.value),
                         none_if_empty(absl::StrJoin(headers, ", "))});
}

Json or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

Json to_json(const std::string& topic, const serve::ReceivedRecord& record,
             const runtime::DeadLetter& letter) {
  Json json;
  json["topic"] = topic;
  json["partition"] = record.partition;
  json["offset"] = record.offset.value;
  json["time"] = time_text(record.timestamp);
  json["reason"] = reason_text(topic, letter.reason);
  json["product"] = or_null(letter.product);
  json["source"] = nullptr;
  if (letter.source) {
    json["source"] = {{"topic", letter.source->topic},
                      {"partition", letter.source->partition},
                      {"offset", letter.source_offset.value}};
  }
  json["view"] = or_null(view_of(topic, letter));
  json["sql_position"] = or_null(letter.sql_position);
  add_bytes("key", record.key, &json);
  add_bytes("value", record.value, &json);
  json["headers"] = Json::array();
  for (const auto& [name, value] : letter.original) {
    Json header;
    header["name"] = name;
    add_bytes("value", value, &header);
    json["headers"].push_back(std::move(header));
  }
  return json;
}

int show(serve::Client& client, const DlqOptions& options) {
  const std::string& topic = options.topic;
  Table table;
  table.columns = {{"at", true}, {"time"}, {"reason"}, {"source"}, {"view"},
                   {"sql"},      {"key"},  {"value"},  {"headers"}};
  int64_t shown = 0;
  const absl::Status read = client.read_topic(topic, {}, [&](const serve::ReceivedRecord& record) {
    const runtime::DeadLetter letter = runtime::read_dead_letter(record.headers);
    if (!options.product.empty() && letter.product != options.product) return true;
    const std::string reason = reason_text(topic, letter.reason);
    if (reason.find(options.reason) == std::string::npos) return true;
    if (options.output == OutputFormat::kJson) {
      print(json_text(to_json(topic, record, letter), /*one_line=*/true));
    } else {
      add_row(topic, record, letter, &table);
    }
    return ++shown != options.limit;
  });
  if (!read.ok()) return report(read);
  if (options.output == OutputFormat::kTable) print_table(table);
  return kExitOk;
}

absl::Status check(const DlqOptions& options) {
  if (options.what == "list") {
    if (options.topic.empty() && options.limit == 0 && options.reason.empty()) {
      return absl::OkStatus();
    }
    return absl::InvalidArgumentError(
        "dlq list takes no topic, --limit or --reason; see a topic's records with: kappa dlq show "
        "TOPIC");
  }
  if (options.topic.empty()) {
    return absl::InvalidArgumentError(
        "dlq show: name a topic; see which there are with: kappa dlq list");
  }
  if (is_dead_letter_topic(options.topic) || is_late_topic(options.topic)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "dlq show ", options.topic, ": expected a topic that ends in ",
      std::string(runtime::kDeadLetterSuffix), " or ", std::string(runtime::kLateSuffix),
      "; see which there are with: kappa dlq list"));
}

}  // namespace

int run_dlq(const DlqOptions& options) {
  if (const absl::Status good = check(options); !good.ok()) {
    report(good);
    return kExitUsage;
  }
  ConnectOptions connect = options.connect;
  connect.command = "kappa dlq";
  const auto connection = Connection::open(std::move(connect));
  if (!connection.ok()) return report(connection.status());
  serve::Client& client = (*connection)->client();
  return options.what == "list" ? list(client, options) : show(client, options);
}

}  // namespace kappa::cli
