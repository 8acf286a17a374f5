#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "absl/status/statusor.h"
#include "engine/serve/generations.h"

namespace kappa::cli {

// For people: a line a view (= equal, ~ differs, ! not comparable), and of those that differ in
// what; samples as lines with +, - and ~, coloured on a terminal.
std::string comparison_text(const serve::Comparison& comparison);
nlohmann::ordered_json to_json(const serve::Comparison& comparison);

// Views that must be equal, as the command line gives them: "all" is every one, as the API's "*".
std::vector<std::string> required_views(const std::vector<std::string>& given);
// Which of the required views are not equal. NotFound: there is no such view.
absl::StatusOr<std::vector<std::string>> unequal_views(const serve::Comparison& comparison,
                                                       const std::vector<std::string>& required);

}  // namespace kappa::cli
