#pragma once

#include <string>

#include "operators/model.h"

// The models of test/operators/models. fraud, delay and share were trained by the command
// `xgboost`, which also made the scores that tests expect of them; fraud has been given names of
// features and a version.
namespace kappa::operators {

std::string model_text(const std::string& name);
ModelRef model_of(const std::string& name);

}  // namespace kappa::operators
