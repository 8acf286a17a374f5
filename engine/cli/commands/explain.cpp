#include "engine/cli/commands/explain.h"

#include <optional>
#include <vector>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "engine/cli/product_files.h"
#include "engine/runtime/explain.h"
#include "engine/sql/catalog.h"
#include "engine/sql/suggest.h"

namespace kappa::cli {
namespace {

using Json = nlohmann::ordered_json;

// What a node is asked for by: a view's name, or an output's topic. Others have none.
std::optional<std::string> name_of(const operators::Plan& plan, const operators::PlanNode& node) {
  if (const auto* view = std::get_if<operators::ViewNode>(&node.op)) return view->name;
  if (const auto* output = std::get_if<operators::OutputNode>(&node.op)) {
    return plan.sources[static_cast<size_t>(output->sink)].topic;
  }
  return std::nullopt;
}

Json to_json(const runtime::ExplainedNode& node) {
  Json json;
  json["operation"] = node.operation;
  json["edge"] = node.changelog ? "changelog" : "append-only";
  json["exchange"] = nullptr;
  if (node.exchange) json["exchange"] = *node.exchange;
  if (node.right_exchange) json["right_exchange"] = *node.right_exchange;
  json["state"] = node.state;
  json["late"] = node.late;
  json["inputs"] = Json::array();
  for (const runtime::ExplainedNode& input : node.inputs) json["inputs"].push_back(to_json(input));
  return json;
}

int refuse_plan(const sql::CompiledPlan& compiled) {
  for (const sql::Diagnostic& diagnostic : compiled.diagnostics) {
    note(sql::to_text(diagnostic) + "\n");
  }
  return kExitError;
}

}  // namespace

int run_explain(const ExplainOptions& options) {
  const absl::StatusOr<ProductFiles> files = read_product_or_sql(options.path);
  if (!files.ok()) {
    report(files.status());
    return kExitUsage;
  }
  const sql::CompiledPlan compiled = sql::compile_product(files->sql(), files->files);
  if (!compiled.ok()) return refuse_plan(compiled);

  std::vector<std::string> names;
  std::vector<runtime::ExplainedNode> explained;
  for (const operators::PlanNode& node : compiled.plan.nodes) {
    const std::optional<std::string> name = name_of(compiled.plan, node);
    if (!name) continue;
    names.push_back(*name);
    if (!options.view.empty() && options.view != *name) continue;
    explained.push_back(runtime::explain(compiled.plan, node.id));
  }
  if (explained.empty() && !options.view.empty()) {
    report(absl::StrCat("there is no view or output \"", options.view, "\"; ",
                        sql::suggestion(options.view, names, "there are")));
    return kExitUsage;
  }
  if (options.output == OutputFormat::kJson) {
    Json json = Json::array();
    for (const runtime::ExplainedNode& node : explained) json.push_back(to_json(node));
    print(json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    return kExitOk;
  }
  std::string text;
  for (const runtime::ExplainedNode& node : explained) {
    absl::StrAppend(&text, text.empty() ? "" : "\n", runtime::to_text(node));
  }
  print(text);
  return kExitOk;
}

}  // namespace kappa::cli
