#include "engine/cli/compiled_product.h"

#include <utility>

#include "engine/cli/product_files.h"
#include "engine/sql/catalog.h"
#include "engine/types/status_macros.h"

namespace kappa::cli {

absl::StatusOr<std::vector<CompiledProduct>> compile_products(
    const std::vector<std::string>& directories) {
  std::vector<CompiledProduct> products;
  for (const std::string& directory : directories) {
    KAPPA_ASSIGN_OR_RETURN(const ProductFiles files, read_product(directory));
    sql::CompiledPlan compiled = sql::compile_product(files.sql(), files.protos());
    if (!compiled.ok()) return sql::to_status(compiled.diagnostics);
    products.push_back({files.name, std::move(compiled.plan)});
  }
  return products;
}

}  // namespace kappa::cli
