#include "engine/cli/commands/query.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "engine/cli/answer_notes.h"
#include "engine/cli/place_text.h"
#include "engine/cli/table.h"
#include "engine/cli/value_json.h"
#include "engine/types/datetime.h"

namespace kappa::cli {
namespace {

using Json = nlohmann::ordered_json;

void print_rows(const serve::QueryAnswer& answer) {
  Table table;
  for (const operators::Field& field : answer.schema) {
    table.columns.push_back({field.name, field.type.is_number()});
  }
  for (const Row& row : answer.rows) {
    std::vector<std::optional<std::string>> cells;
    for (const Value& value : row) {
      cells.push_back(value.is_null() ? std::nullopt : std::optional(to_text(value)));
    }
    table.rows.push_back(std::move(cells));
  }
  print_table(table);
  if (out_is_terminal()) {
    note(absl::StrCat("(", table.rows.size(), table.rows.size() == 1 ? " row" : " rows", ")\n"));
  }
}

void print_json(const serve::QueryAnswer& answer) {
  Json json;
  json["columns"] = Json::array();
  for (const operators::Field& field : answer.schema) {
    json["columns"].push_back({{"name", field.name}, {"type", to_string(field.type)}});
  }
  json["rows"] = Json::array();
  for (const Row& row : answer.rows) {
    Json object = Json::object();
    for (size_t c = 0; c < row.size(); ++c) object[answer.schema[c].name] = to_json(row[c]);
    json["rows"].push_back(std::move(object));
  }
  json["generation"] = answer.stamp.generation;
  json["place"] = place_json(answer.stamp);
  json["watermark"] = watermark_json(answer.stamp.watermark);
  json["waiting"] = Json::array();
  for (const runtime::WaitingRows& waiting : answer.waiting) {
    json["waiting"].push_back({{"view", waiting.view},
                               {"rows", waiting.waiting.rows},
                               {"until", watermark_json(waiting.waiting.until)}});
  }
  print(json_text(json));
}

}  // namespace

int run_query(const QueryOptions& options) {
  ConnectOptions connect = options.connect;
  connect.command = "kappa query";
  connect.with_products = true;
  const auto connection = Connection::open(std::move(connect));
  if (!connection.ok()) return report(connection.status());
  if ((*connection)->own()) {
    const auto product = (*connection)->own()->find(options.product);
    if (!product.ok()) return report(product.status());
  }
  const auto answer = (*connection)->client().query(options.product, options.sql);
  if (!answer.ok()) return report(answer.status());
  if (options.output == OutputFormat::kJson) {
    print_json(*answer);
  } else {
    print_rows(*answer);
  }
  for (const runtime::WaitingRows& waiting : answer->waiting) {
    tell_waiting(waiting, answer->stamp.watermark);
  }
  tell_lag(**connection);
  return kExitOk;
}

}  // namespace kappa::cli
