#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "operators/plan.h"

namespace kappa::cli {

// A product as its files say it, planned.
struct CompiledProduct {
  std::string name;
  operators::Plan plan;
};

// NotFound, InvalidArgument: a directory holds no product, or a faulty one; everything that is
// wrong with it is in the message.
absl::StatusOr<std::vector<CompiledProduct>> compile_products(
    const std::vector<std::string>& directories);
// The products that a data directory's catalogue has, as their live generations have them. Whoever
// holds the directory may go on meanwhile.
absl::StatusOr<std::vector<CompiledProduct>> compile_catalogue(const std::string& data);

}  // namespace kappa::cli
