#include "engine/cli/commands/inspect.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "engine/cli/place_text.h"
#include "engine/cli/table.h"
#include "engine/cli/value_json.h"
#include "engine/types/datetime.h"

namespace kappa::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string last_checkpoint(const runtime::PipelineStats& stats) {
  return stats.last_checkpoint_ms == 0
             ? "none since it started"
             : timestamp_to_text(stats.last_checkpoint_ms * kMicrosPerMilli);
}

Json view_json(const runtime::ViewStats& view) {
  return {{"view", view.name},
          {"rows", view.rows},
          {"late", view.late_records},
          {"errors", view.errors},
          {"duplicates", view.duplicates},
          {"watermark", watermark_json(view.watermark)}};
}

Json source_json(const runtime::SourceStats& source) {
  return {{"topic", source.topic},
          {"records", source.records},
          {"dead_letters", source.dead_letters},
          {"lag", source.lag_records},
          {"watermark", watermark_json(source.watermark)}};
}

Json to_json(const serve::ProductInfo& product) {
  Json json;
  json["product"] = product.name;
  json["state"] = product.state;
  if (!product.failure.empty()) json["failure"] = product.failure;
  json["generation"] = product.stamp.generation;
  json["plan"] = product.plan_fingerprint;
  json["place"] = place_json(product.stamp);
  json["state_bytes"] = product.stats.state_bytes;
  json["epochs"] = product.stats.epochs;
  json["records"] = product.stats.records;
  json["outbox_pending"] = product.stats.outbox_pending;
  json["last_checkpoint"] = last_checkpoint(product.stats);
  json["views"] = Json::array();
  for (const auto& view : product.stats.views) json["views"].push_back(view_json(view));
  json["sources"] = Json::array();
  for (const auto& source : product.stats.sources) json["sources"].push_back(source_json(source));
  if (!product.checksum.empty()) json["checksum"] = product.checksum;
  return json;
}

void print_product(const serve::ProductInfo& product) {
  std::string text =
      absl::StrCat("product      ", product.name, "\nstate        ", product.state,
                   product.failure.empty() ? "" : ": " + product.failure, "\ngeneration   ",
                   product.stamp.generation, ", plan ", product.plan_fingerprint, "\nplace        ",
                   place_json(product.stamp).dump(), "\nstate size   ", product.stats.state_bytes,
                   " bytes\nrecords      ", product.stats.records, " since it started, in ",
                   product.stats.epochs, " epochs\ncheckpoint   ", last_checkpoint(product.stats),
                   "\noutbox       ", product.stats.outbox_pending, " rows to be published\n");
  if (!product.checksum.empty()) absl::StrAppend(&text, "checksum     ", product.checksum, "\n");
  print(text + "\n");
  Table views;
  views.columns = {{"view"},         {"rows", true},       {"late", true},
                   {"errors", true}, {"duplicates", true}, {"watermark"}};
  for (const auto& view : product.stats.views) {
    views.rows.push_back({view.name, absl::StrCat(view.rows), absl::StrCat(view.late_records),
                          absl::StrCat(view.errors), absl::StrCat(view.duplicates),
                          watermark_text(view.watermark)});
  }
  print_table(views);
  print("\n");
  Table sources;
  sources.columns = {
      {"source"}, {"records", true}, {"dead letters", true}, {"lag", true}, {"watermark"}};
  for (const auto& source : product.stats.sources) {
    sources.rows.push_back({source.topic, absl::StrCat(source.records),
                            absl::StrCat(source.dead_letters), absl::StrCat(source.lag_records),
                            watermark_text(source.watermark)});
  }
  print_table(sources);
}

}  // namespace

int run_inspect(const InspectOptions& options) {
  ConnectOptions connect = options.connect;
  connect.command = "kappa inspect";
  connect.with_products = true;
  const auto connection = Connection::open(std::move(connect));
  if (!connection.ok()) return report(connection.status());
  const auto info = (*connection)->client().inspect(options.product, options.checksum);
  if (!info.ok()) return report(info.status());
  if (options.output == OutputFormat::kJson) {
    Json json;
    json["version"] = info->version;
    json["products"] = Json::array();
    for (const auto& product : info->products) json["products"].push_back(to_json(product));
    print(json_text(json));
    return kExitOk;
  }
  for (size_t i = 0; i < info->products.size(); ++i) {
    if (i > 0) print("\n");
    print_product(info->products[i]);
  }
  return kExitOk;
}

}  // namespace kappa::cli
