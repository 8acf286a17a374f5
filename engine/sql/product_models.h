#pragma once

#include "operators/model.h"
#include "schemas/decoder.h"

namespace kappa::sql {

// The models among a product's files: models/NAME.json. What is wrong with one names its file; it
// is a fault of the product only if a statement calls it.
operators::Models read_models(const schemas::ProductFiles& files);

}  // namespace kappa::sql
