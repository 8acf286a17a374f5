#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"
#include "operators/model_file.h"

namespace kappa::operators {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 7> kMembers = {"kind",  "version",      "features", "mean",
                                                      "scale", "coefficients", "intercept"};

// Of features that are scaled as (x - mean) / scale.
struct Weights {
  std::vector<double> mean;
  std::vector<double> scale;
  std::vector<double> coefficients;
  double intercept = 0;
};

class LogisticScorer final : public Scorer {
 public:
  explicit LogisticScorer(Weights weights) : weights_(std::move(weights)) {}

  absl::Status predict(std::span<const double> features, std::span<double> scores) override {
    const size_t count = weights_.coefficients.size();
    for (size_t row = 0; row < scores.size(); ++row) {
      scores[row] = score(features.subspan(row * count, count));
    }
    return absl::OkStatus();
  }

 private:
  double score(std::span<const double> features) const {
    double sum = weights_.intercept;
    for (size_t i = 0; i < features.size(); ++i) {
      sum += weights_.coefficients[i] * ((features[i] - weights_.mean[i]) / weights_.scale[i]);
    }
    return 1 / (1 + std::exp(-sum));
  }

  const Weights weights_;
};

class LogisticModel final : public Model {
 public:
  LogisticModel(ModelFacts facts, Weights weights)
      : Model(std::move(facts)), weights_(std::move(weights)) {}

  std::unique_ptr<Scorer> make_scorer() const override {
    return std::make_unique<LogisticScorer>(weights_);
  }

 private:
  const Weights weights_;
};

absl::Status refuse(const std::string& message) {
  return absl::InvalidArgumentError(message);
}

absl::Status check_members(const json& file) {
  for (const auto& [name, value] : file.items()) {
    if (std::find(kMembers.begin(), kMembers.end(), name) != kMembers.end()) continue;
    std::string known;
    for (const std::string_view member : kMembers) {
      absl::StrAppend(&known, known.empty() ? "" : ", ", to_absl(member));
    }
    return refuse(absl::StrCat("a logistic model has no member \"", name, "\"; it has ", known));
  }
  for (const char* name : {"features", "coefficients", "intercept"}) {
    if (!file.contains(name)) return refuse(absl::StrCat("\"", name, "\" is missing"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> read_features(const json& file) {
  KAPPA_ASSIGN_OR_RETURN(std::vector<std::string> features,
                         texts_of(file["features"], "\"features\""));
  if (features.empty()) return refuse("\"features\" is empty");
  std::set<std::string_view> seen;
  for (const std::string& feature : features) {
    if (feature.empty()) return refuse("\"features\" holds an empty name");
    if (!seen.insert(feature).second) {
      return refuse(absl::StrCat("\"features\" has \"", feature, "\" twice"));
    }
  }
  return features;
}

// One number for each of `count` features; `otherwise` for each if the member is not there.
absl::StatusOr<std::vector<double>> read_numbers(const json& file, const std::string& name,
                                                 size_t count, double otherwise) {
  if (!file.contains(name)) return std::vector<double>(count, otherwise);
  const std::string what = absl::StrCat("\"", name, "\"");
  KAPPA_ASSIGN_OR_RETURN(std::vector<double> numbers, numbers_of(file[name], what));
  if (numbers.size() == count) return numbers;
  return refuse(absl::StrCat(what, " has ", numbers.size(), " numbers, and there are ", count,
                             " features: it takes one for each"));
}

absl::StatusOr<Weights> read_weights(const json& file, const std::vector<std::string>& features) {
  Weights weights;
  const size_t count = features.size();
  KAPPA_ASSIGN_OR_RETURN(weights.coefficients, read_numbers(file, "coefficients", count, 0));
  KAPPA_ASSIGN_OR_RETURN(weights.mean, read_numbers(file, "mean", count, 0));
  KAPPA_ASSIGN_OR_RETURN(weights.scale, read_numbers(file, "scale", count, 1));
  for (size_t i = 0; i < count; ++i) {
    if (weights.scale[i] > 0) continue;
    return refuse(absl::StrCat("\"scale\" of \"", features[i], "\" is not above zero"));
  }
  if (!file["intercept"].is_number()) return refuse("\"intercept\" is no number");
  weights.intercept = file["intercept"].get<double>();
  return weights;
}

}  // namespace

absl::StatusOr<ModelRef> read_logistic_model(ModelFacts facts, const json& file) {
  if (file["kind"] != "logistic") {
    return refuse(absl::StrCat("kind ", file["kind"].dump(), " is not supported; there is ",
                               "\"logistic\", and what XGBoost's save_model writes"));
  }
  KAPPA_RETURN_IF_ERROR(check_members(file));
  KAPPA_ASSIGN_OR_RETURN(facts.features, read_features(file));
  facts.feature_count = facts.features.size();
  KAPPA_ASSIGN_OR_RETURN(Weights weights, read_weights(file, facts.features));
  if (file.contains("version")) {
    if (!file["version"].is_string()) return refuse("\"version\" is no text");
    facts.version = file["version"].get<std::string>();
  }
  return std::make_shared<LogisticModel>(std::move(facts), std::move(weights));
}

}  // namespace kappa::operators
