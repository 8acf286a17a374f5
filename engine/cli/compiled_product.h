#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/cli/product_files.h"
#include "operators/plan.h"
#include "state/data_directory.h"

namespace kappa::cli {

// A product as its files say it, planned.
struct CompiledProduct {
  std::string name;
  operators::Plan plan;
};

// The plan of a product's files. InvalidArgument: everything that is wrong with them.
absl::StatusOr<operators::Plan> compile_plan(const ProductFiles& files);
// The files of the generation that the catalogue has as live.
ProductFiles live_files(const state::ProductInfo& product);

// NotFound, InvalidArgument: a directory holds no product, or a faulty one; everything that is
// wrong with it is in the message.
absl::StatusOr<std::vector<CompiledProduct>> compile_products(
    const std::vector<std::string>& directories);
// The products that a data directory's catalogue has, as their live generations have them. Whoever
// holds the directory may go on meanwhile.
absl::StatusOr<std::vector<CompiledProduct>> compile_catalogue(const std::string& data);

}  // namespace kappa::cli
