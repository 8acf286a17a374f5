#pragma once

#include <cstddef>

#include <nlohmann/json_fwd.hpp>

#include "absl/status/status.h"

namespace kappa::operators {

// Whether the trees of a gbtree, the "model" of its JSON, are trees over so many features, of
// numbers only: the library follows their links unchecked.
absl::Status check_trees(const nlohmann::json& model, size_t features);

}  // namespace kappa::operators
