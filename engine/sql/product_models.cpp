#include "engine/sql/product_models.h"

#include <string_view>

#include "absl/strings/str_cat.h"

namespace kappa::sql {
namespace {

constexpr std::string_view kFolder = "models/";
constexpr std::string_view kEnding = ".json";

// The name of the model that a file holds; empty if it holds none.
std::string_view model_name(std::string_view path) {
  if (!path.starts_with(kFolder) || !path.ends_with(kEnding)) return {};
  if (path.size() <= kFolder.size() + kEnding.size()) return {};
  path.remove_prefix(kFolder.size());
  path.remove_suffix(kEnding.size());
  return path.find('/') == std::string_view::npos ? path : std::string_view();
}

}  // namespace

operators::Models read_models(const schemas::ProductFiles& files) {
  operators::Models models;
  for (const auto& [path, text] : files) {
    const std::string_view name = model_name(path);
    if (name.empty()) continue;
    absl::StatusOr<operators::ModelRef> model = operators::read_model(name, text);
    if (!model.ok()) {
      model = absl::InvalidArgumentError(absl::StrCat(path, ": ", model.status().message()));
    }
    models.emplace(name, std::move(model));
  }
  return models;
}

}  // namespace kappa::sql
