#include "engine/cli/compiled_product.h"

#include <utility>

#include "engine/cli/product_files.h"
#include "engine/sql/catalog.h"
#include "engine/types/status_macros.h"
#include "state/data_directory.h"

namespace kappa::cli {
namespace {

absl::StatusOr<CompiledProduct> compile(const ProductFiles& files) {
  sql::CompiledPlan compiled = sql::compile_product(files.sql(), files.protos());
  if (!compiled.ok()) return sql::to_status(compiled.diagnostics);
  return CompiledProduct{files.name, std::move(compiled.plan)};
}

}  // namespace

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
    ProductFiles files;
    files.name = info.name;
    for (const state::GenerationInfo& generation : info.generations) {
      if (generation.id == info.live_generation) files.files = generation.files;
    }
    KAPPA_ASSIGN_OR_RETURN(products.emplace_back(), compile(files));
  }
  return products;
}

}  // namespace kappa::cli
