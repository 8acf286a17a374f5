#include "engine/cli/commands/validate.h"

#include <set>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "engine/cli/product_files.h"
#include "engine/sql/catalog.h"

namespace kappa::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Counts {
  size_t sources = 0;
  size_t views = 0;
  size_t outputs = 0;
};
Counts count(const operators::Plan& plan) {
  Counts counts;
  counts.views = plan.views().size();
  std::set<int> sources;  // one may be read by several nodes
  for (const operators::PlanNode& node : plan.nodes) {
    if (const auto* source = std::get_if<operators::SourceNode>(&node.op)) {
      sources.insert(source->source);
    }
    if (std::holds_alternative<operators::OutputNode>(node.op)) ++counts.outputs;
  }
  counts.sources = sources.size();
  return counts;
}

std::string some(size_t number, const std::string& what) {
  return absl::StrCat(number, " ", what, number == 1 ? "" : "s");
}

void print_plan(const std::string& path, const sql::CompiledPlan& compiled) {
  for (const sql::Diagnostic& diagnostic : compiled.diagnostics) {
    print(sql::to_text(diagnostic) + "\n");
  }
  for (const std::string& warning : compiled.plan.warnings) {
    print(absl::StrCat(path, ": ", styled(Style::kYellow, "warning:"), " ", warning, "\n"));
  }
  if (!compiled.ok()) {
    print(absl::StrCat(styled(Style::kRed, "FAIL"), "  ", path, "  (",
                       some(compiled.diagnostics.size(), "faulty statement"), ")\n"));
    return;
  }
  const Counts counts = count(compiled.plan);
  print(absl::StrCat(styled(Style::kGreen, "ok"), "    ", path, "  (",
                     some(counts.sources, "source"), ", ", some(counts.views, "view"), ", ",
                     some(counts.outputs, "output"), ")\n"));
}

Json to_json(const std::string& path, const sql::CompiledPlan& compiled) {
  Json json;
  json["path"] = path;
  json["ok"] = compiled.ok();
  json["diagnostics"] = Json::array();
  for (const sql::Diagnostic& diagnostic : compiled.diagnostics) {
    Json item;
    item["file"] = diagnostic.file;
    item["line"] = diagnostic.line;
    item["column"] = diagnostic.column;
    item["message"] = diagnostic.message;
    item["hint"] = diagnostic.hint;
    json["diagnostics"].push_back(std::move(item));
  }
  json["warnings"] = compiled.plan.warnings;
  return json;
}

}  // namespace

int run_validate(const ValidateOptions& options) {
  Json json = Json::array();
  bool good = true;
  for (const std::string& path : options.paths) {
    const absl::StatusOr<ProductFiles> files = read_product_or_sql(path);
    if (!files.ok()) {
      report(files.status());
      return kExitUsage;
    }
    const sql::CompiledPlan compiled = sql::compile_product(files->sql(), files->files);
    good = good && compiled.ok();
    if (options.output == OutputFormat::kJson) {
      json.push_back(to_json(path, compiled));
    } else {
      print_plan(path, compiled);
    }
  }
  if (options.output == OutputFormat::kJson) {
    print(json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  }
  return good ? kExitOk : kExitError;
}

}  // namespace kappa::cli
