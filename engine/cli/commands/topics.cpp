#include "engine/cli/commands/topics.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "engine/cli/commands/topics_create.h"
#include "engine/cli/table.h"
#include "engine/cli/value_json.h"
#include "engine/types/datetime.h"

namespace kappa::cli {
namespace {

using Json = nlohmann::ordered_json;

int64_t records_of(const serve::TopicStatus& topic) {
  int64_t records = 0;
  for (const log::PartitionRange& range : topic.partitions) {
    records += range.end.value - range.start.value;
  }
  return records;
}

void print_topics(const std::vector<serve::TopicStatus>& topics) {
  Table table;
  table.columns = {
      {"topic"}, {"partitions", true}, {"records", true}, {"retention"}, {"retention bytes", true}};
  for (const serve::TopicStatus& topic : topics) {
    const log::TopicConfig& config = topic.info.config;
    table.rows.push_back(
        {topic.info.name, absl::StrCat(config.partitions), absl::StrCat(records_of(topic)),
         config.retention_ms ? interval_to_text(*config.retention_ms * kMicrosPerMilli)
         : config.compacted.value_or(false) ? "the last of each key"
                                            : "for ever",
         config.retention_bytes ? absl::StrCat(*config.retention_bytes) : "unlimited"});
  }
  print_table(table);
}

Json to_json(const serve::TopicStatus& topic) {
  Json json;
  json["topic"] = topic.info.name;
  json["records"] = records_of(topic);
  json["retention_ms"] = nullptr;
  json["retention_bytes"] = nullptr;
  if (topic.info.config.retention_ms) json["retention_ms"] = *topic.info.config.retention_ms;
  if (topic.info.config.retention_bytes) {
    json["retention_bytes"] = *topic.info.config.retention_bytes;
  }
  json["compacted"] = topic.info.config.compacted ? Json(*topic.info.config.compacted) : Json();
  json["partitions"] = Json::array();
  for (const log::PartitionRange& range : topic.partitions) {
    json["partitions"].push_back({{"start", range.start.value},
                                  {"end", range.end.value},
                                  {"durable_end", range.durable_end.value}});
  }
  return json;
}

absl::StatusOr<log::TopicConfig> config_of(const TopicsOptions& options) {
  log::TopicConfig config;
  if (options.partitions > 0) config.partitions = options.partitions;
  if (options.replication > 0) config.replication = options.replication;
  if (options.retention_bytes > 0) config.retention_bytes = options.retention_bytes;
  if (options.retention.empty()) return config;
  const auto us = parse_interval(options.retention);
  if (!us || *us < kMicrosPerMilli) {
    return absl::InvalidArgumentError(
        absl::StrCat("--retention ", options.retention, ": expected a time such as \"7 days\""));
  }
  config.retention_ms = *us / kMicrosPerMilli;
  return config;
}

}  // namespace

int run_topics(const TopicsOptions& options) {
  if (options.what == "create") return create_topics(options);
  if (!options.products.empty() || options.yes) {
    report("topics: --product and --yes go with create: kappa topics create --product DIR");
    return kExitUsage;
  }
  const auto config = config_of(options);
  if (!config.ok()) {
    report(config.status());
    return kExitUsage;
  }
  const absl::Status log = check_log_choice(options.connect.log);
  if (!log.ok()) {
    report(log);
    return kExitUsage;
  }
  ConnectOptions connect = options.connect;
  connect.command = "kappa topics";
  connect.makes_directory = !options.create.empty();
  const auto connection = Connection::open(std::move(connect));
  if (!connection.ok()) return report(connection.status());
  serve::Client& client = (*connection)->client();
  if (!options.create.empty()) {
    const absl::Status made = client.create_topic(options.create, *config);
    if (!made.ok()) return report(made);
    note(absl::StrCat("kappa: topic ", options.create, " is there, with ", config->partitions,
                      config->partitions == 1 ? " partition\n" : " partitions\n"));
    return kExitOk;
  }
  const auto topics = client.topics();
  if (!topics.ok()) return report(topics.status());
  if (options.output == OutputFormat::kJson) {
    Json json = Json::array();
    for (const serve::TopicStatus& topic : *topics) json.push_back(to_json(topic));
    print(json_text(json));
  } else {
    print_topics(*topics);
  }
  return kExitOk;
}

}  // namespace kappa::cli
