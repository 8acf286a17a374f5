#include "engine/cli/compiled_product.h"

#include <utility>

#include "engine/sql/catalog.h"
#include "engine/types/status_macros.h"

namespace kappa::cli {
namespace {

absl::StatusOr<CompiledProduct> compile(const ProductFiles& files) {
  KAPPA_ASSIGN_OR_RETURN(operators::Plan plan, compile_plan(files));
  return CompiledProduct{files.name, std::move(plan)};
}

}  // namespace

absl::StatusOr<operators::Plan> compile_plan(const ProductFiles& files) {
  sql::CompiledPlan compiled = sql::compile_product(files.sql(), files.files);
  if (!compiled.ok()) return sql::to_status(compiled.diagnostics);
  return std::move(compiled.plan);
}

ProductFiles live_files(const state::ProductInfo& product) {
  ProductFiles files;
  files.name = product.name;
  for (const state::GenerationInfo& generation : product.generations) {
    if (generation.id == product.live_generation) files.files = generation.files;
  }
  return files;
}

absl::StatusOr<std::vector<CompiledProduct>> compile_products(
    const std::vector<std::string>& directories) {
  std::vector<CompiledProduct> products;
  for (const std::string& directory : directories) {
    KAPPA_ASSIGN_OR_RETURN(const ProductFiles files, read_product(directory));
    KAPPA_ASSIGN_OR_RETURN(products.emplace_back(), compile(files));
  }
  return products;
}

absl::StatusOr<std::vector<CompiledProduct>> compile_catalogue(const std::string& data) {
  KAPPA_ASSIGN_OR_RETURN(const state::Catalogue catalogue, state::Catalogue::open(data));
  std::vector<CompiledProduct> products;
  for (const state::ProductInfo& info : catalogue.products()) {
    KAPPA_ASSIGN_OR_RETURN(products.emplace_back(), compile(live_files(info)));
  }
  return products;
}

}  // namespace kappa::cli
