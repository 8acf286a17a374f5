#include "engine/cli/commands/subscribe.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/cli/place_text.h"
#include "engine/cli/table.h"
#include "engine/cli/value_json.h"
#include "engine/types/datetime.h"

namespace kappa::cli {
namespace {

using Json = nlohmann::ordered_json;
using serve::OutputEvent;

operators::Schema key_schema(const OutputEvent& event) {
  operators::Schema schema;
  for (const std::string& name : event.key_columns) {
    for (const operators::Field& field : event.columns) {
      if (field.name == name) schema.push_back(field);
    }
  }
  return schema;
}

Json row_json(const operators::Schema& schema, const Row& row) {
  Json json = Json::object();
  for (size_t c = 0; c < row.size(); ++c) json[schema[c].name] = to_json(row[c]);
  return json;
}

void add_place(const TopicPartition& partition, Json* json) {
  (*json)["topic"] = partition.topic;
  (*json)["partition"] = partition.partition;
}

// An event as a JSON object, by its kind.
struct EventJson {
  const OutputEvent& event;
  Json json = Json::object();

  void operator()(const std::monostate&) {
    json["event"] = "header";
    json["columns"] = Json::array();
    for (const operators::Field& field : event.columns) {
      json["columns"].push_back({{"name", field.name}, {"type", to_string(field.type)}});
    }
    json["key"] = event.key_columns;
  }
  void operator()(const OutputEvent::Change& change) {
    json["event"] = change.row ? "change" : "deletion";
    json["row"] = change.row ? row_json(event.columns, *change.row) : Json(nullptr);
    if (!change.key.empty()) json["key"] = row_json(key_schema(event), change.key);
    json["timestamp"] = timestamp_to_text(change.timestamp.ms * kMicrosPerMilli);
    add_place(change.partition, &json);
    json["offset"] = change.offset.value;
  }
  void operator()(const OutputEvent::Heartbeat& heartbeat) {
    json["event"] = "heartbeat";
    json["watermark"] = nullptr;
    if (!heartbeat.stamp) return;
    json["watermark"] = watermark_json(heartbeat.stamp->watermark);
    json["generation"] = heartbeat.stamp->generation;
    json["place"] = place_json(*heartbeat.stamp);
  }
  void operator()(const OutputEvent::Lagged& lagged) {
    json["event"] = "lagged";
    add_place(lagged.partition, &json);
    json["from"] = lagged.from.value;
    json["to"] = lagged.to.value;
  }
  void operator()(const OutputEvent::GenerationChanged& changed) {
    json["event"] = "generation_changed";
    json["from"] = changed.from;
    json["to"] = changed.to;
  }
  void operator()(const OutputEvent::Unreadable& unreadable) {
    json["event"] = "unreadable";
    add_place(unreadable.partition, &json);
    json["offset"] = unreadable.offset.value;
    json["reason"] = unreadable.reason;
  }
};

void print_json(const OutputEvent& event) {
  EventJson writer{event};
  std::visit(writer, event.what);
  writer.json["resume_token"] = event.resume_token;
  print(json_text(writer.json, /*one_line=*/true));
}

std::string cells(const Row& row) {
  return absl::StrJoin(row, "\t", [](std::string* out, const Value& value) {
    absl::StrAppend(out, value.is_null() ? "\\N" : on_one_line(to_text(value)));
  });
}

std::string place_of(const TopicPartition& partition) {
  return absl::StrCat(partition.topic, " partition ", partition.partition);
}

// Rows to standard output, what is said about them to standard error.
struct EventText {
  const OutputEvent& event;

  void operator()(const std::monostate&) const {
    print(absl::StrCat(
        absl::StrJoin(event.columns, "\t",
                      [](std::string* out, const auto& field) { out->append(field.name); }),
        "\n"));
  }
  void operator()(const OutputEvent::Change& change) const {
    print(change.row ? cells(*change.row) + "\n"
                     : absl::StrCat("NULL (deletes ", cells(change.key), ")\n"));
  }
  void operator()(const OutputEvent::Heartbeat&) const {}
  void operator()(const OutputEvent::Lagged& lagged) const {
    note(absl::StrCat("kappa: ", place_of(lagged.partition), ": the records from offset ",
                      lagged.from.value, " to ", lagged.to.value,
                      " were removed before they could be sent\n"));
  }
  void operator()(const OutputEvent::GenerationChanged& changed) const {
    note(
        absl::StrCat("kappa: generation ", changed.to, " is live, no longer ", changed.from, "\n"));
  }
  void operator()(const OutputEvent::Unreadable& unreadable) const {
    note(absl::StrCat("kappa: ", place_of(unreadable.partition), " offset ",
                      unreadable.offset.value, ": ", unreadable.reason, "\n"));
  }
};

}  // namespace

int run_subscribe(const SubscribeCommandOptions& options) {
  ConnectOptions connect = options.connect;
  connect.command = "kappa subscribe";
  connect.with_products = true;
  const auto connection = Connection::open(std::move(connect));
  if (!connection.ok()) return report(connection.status());
  serve::SubscribeOptions subscribe;
  subscribe.resume_token = options.resume;
  subscribe.from_beginning = options.from_beginning;
  subscribe.heartbeat_ms = options.heartbeat_ms;
  int64_t changes = 0;
  const absl::Status status =
      (*connection)
          ->client()
          .subscribe(options.product, options.output_name, subscribe,
                     [&](const OutputEvent& event) {
                       if (options.output == OutputFormat::kJson) {
                         print_json(event);
                       } else {
                         std::visit(EventText{event}, event.what);
                       }
                       changes += std::holds_alternative<OutputEvent::Change>(event.what) ? 1 : 0;
                       return options.limit == 0 || changes < options.limit;
                     });
  return status.ok() ? kExitOk : report(status);
}

}  // namespace kappa::cli
