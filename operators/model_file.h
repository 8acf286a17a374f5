#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "absl/status/statusor.h"
#include "operators/model.h"

// Reading model files. Internal to operators/model*.cpp. What these refuse is InvalidArgument.
namespace kappa::operators {

// The model of a parsed file. `facts` has the name, the digest and the version that stands for a
// file without one.
absl::StatusOr<ModelRef> read_logistic_model(ModelFacts facts, const nlohmann::json& json);
absl::StatusOr<ModelRef> read_xgboost_model(ModelFacts facts, const nlohmann::json& json,
                                            const std::string& text);

// An array of numbers or texts; `what` names it in faults.
absl::StatusOr<std::vector<double>> numbers_of(const nlohmann::json& json, std::string_view what);
absl::StatusOr<std::vector<std::string>> texts_of(const nlohmann::json& json,
                                                  std::string_view what);

}  // namespace kappa::operators
