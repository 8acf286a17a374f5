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

// NotFound, InvalidArgument: a directory holds no product, or a faulty one; everything that is wrong
// with it is in the message.
absl::StatusOr<std::vector<CompiledProduct>> compile_products(
    const std::vector<std::string>& directories);

}  // namespace kappa::cli
