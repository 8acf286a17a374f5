#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include <nlohmann/json.hpp>
#include <xgboost/c_api.h>

#include "absl/strings/str_cat.h"
#include "engine/types/invariant.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"
#include "operators/model_file.h"
#include "operators/xgboost_trees.h"

// Of OpenMP, for the calling thread.
extern "C" void omp_set_num_threads(int threads);

namespace kappa::operators {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 3> kObjectives = {"binary:logistic", "reg:squarederror",
                                                         "reg:logistic"};
constexpr size_t kFeaturesMax = 10'000;
// All trees; a NaN is a missing value.
constexpr char kPrediction[] =
    R"({"type": 0, "training": false, "iteration_begin": 0, "iteration_end": 0,
        "strict_shape": false, "missing": NaN, "cache_id": 0})";

// The first line of what the library says: below stands a trace of its stack.
absl::Status last_error() {
  const std::string_view message = XGBGetLastError();
  return absl::InvalidArgumentError(
      absl::StrCat("XGBoost: ", to_absl(message.substr(0, message.find('\n')))));
}

struct FreeBooster {
  void operator()(void* handle) const { XGBoosterFree(handle); }
};
using Booster = std::unique_ptr<void, FreeBooster>;

// The library knows JSON by a quote right behind the first brace.
std::string as_saved(const std::string& text) {
  return absl::StrCat("{", to_absl(std::string_view(text).substr(text.find('"'))));
}

absl::StatusOr<Booster> load(const std::string& text) {
  XGBSetGlobalConfig(R"({"verbosity": 0})");
  omp_set_num_threads(1);  // else trees are read by a thread a core, each of which stays
  BoosterHandle handle = nullptr;
  if (XGBoosterCreate(nullptr, 0, &handle) != 0) return last_error();
  Booster booster(handle);
  const std::string saved = as_saved(text);
  if (XGBoosterLoadModelFromBuffer(handle, saved.data(), saved.size()) != 0 ||
      XGBoosterSetParam(handle, "nthread", "1") != 0) {
    return last_error();
  }
  return booster;
}

// A booster of its own, so that workers share nothing: the library sets one up in its first
// prediction, and does not say whether two threads may do that at once.
class XgboostScorer final : public Scorer {
 public:
  explicit XgboostScorer(Booster booster) : booster_(std::move(booster)) {}

  absl::Status predict(std::span<const double> features, std::span<double> scores) override {
    rows_.resize(features.size());
    std::transform(features.begin(), features.end(), rows_.begin(),
                   [](double feature) { return static_cast<float>(feature); });
    const std::string matrix = absl::StrCat(
        R"({"version": 3, "typestr": "<f4", "data": [)", reinterpret_cast<uintptr_t>(rows_.data()),
        R"(, true], "shape": [)", scores.size(), ", ", features.size() / scores.size(), "]}");
    const bst_ulong* shape = nullptr;
    bst_ulong dimensions = 0;
    const float* result = nullptr;
    if (XGBoosterPredictFromDense(booster_.get(), matrix.c_str(), kPrediction, nullptr, &shape,
                                  &dimensions, &result) != 0) {
      return last_error();
    }
    if (dimensions != 1 || shape[0] != scores.size()) {
      return absl::InvalidArgumentError("it does not give one score a row");
    }
    std::copy_n(result, scores.size(), scores.begin());
    return absl::OkStatus();
  }

 private:
  const Booster booster_;
  std::vector<float> rows_;
};

class XgboostModel final : public Model {
 public:
  XgboostModel(ModelFacts facts, std::string text)
      : Model(std::move(facts)), text_(std::move(text)) {}

  std::unique_ptr<Scorer> make_scorer() const override {
    absl::StatusOr<Booster> booster = load(text_);
    KAPPA_INVARIANT(booster.ok(), "a model that was read can be read again");
    return std::make_unique<XgboostScorer>(*std::move(booster));
  }

 private:
  const std::string text_;
};

absl::Status refuse(const std::string& message) {
  return absl::InvalidArgumentError(message);
}

// The member at the path, or null.
const json& member(const json& file, std::initializer_list<const char*> path) {
  static const json& nothing = *new json();
  const json* at = &file;
  for (const char* name : path) {
    const auto found = at->find(name);
    if (!at->is_object() || found == at->end()) return nothing;
    at = &*found;
  }
  return *at;
}

// The library writes its numbers as texts.
std::optional<size_t> count_of(const json& number) {
  if (!number.is_string()) return std::nullopt;
  const auto& text = number.get_ref<const std::string&>();
  size_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return count;
}

// A later major version may mean something else by what it writes.
absl::Status check_version(const json& file) {
  const json& version = member(file, {"version"});
  if (version.is_array() && !version.empty() && version[0] == 1) return absl::OkStatus();
  return refuse(absl::StrCat("XGBoost's version ", version.dump(),
                             " is not supported; there is 1, up to 1.7"));
}

absl::Status check_objective(const json& learner) {
  const json& name = member(learner, {"objective", "name"});
  if (!name.is_string()) return refuse("\"learner\" names no objective");
  if (std::find(kObjectives.begin(), kObjectives.end(), name.get_ref<const std::string&>()) !=
      kObjectives.end()) {
    return absl::OkStatus();
  }
  return refuse(absl::StrCat("objective ", name.dump(),
                             " is not supported; there are binary:logistic, reg:squarederror and "
                             "reg:logistic"));
}

absl::Status check_booster(const json& learner) {
  const json& name = member(learner, {"gradient_booster", "name"});
  if (name == "gbtree") return absl::OkStatus();
  return refuse(absl::StrCat("booster ", name.dump(), " is not supported; there is gbtree"));
}

absl::Status read_names(const json& learner, ModelFacts* facts) {
  const json& names = member(learner, {"feature_names"});
  if (!names.is_null()) {
    KAPPA_ASSIGN_OR_RETURN(facts->features, texts_of(names, "\"feature_names\""));
  }
  if (facts->features.empty() || facts->features.size() == facts->feature_count) {
    return absl::OkStatus();
  }
  return refuse(absl::StrCat("\"feature_names\" has ", facts->features.size(),
                             " names, and the model ", facts->feature_count, " features"));
}

absl::Status read_facts(const json& file, ModelFacts* facts) {
  KAPPA_RETURN_IF_ERROR(check_version(file));
  const json& learner = member(file, {"learner"});
  KAPPA_RETURN_IF_ERROR(check_objective(learner));
  KAPPA_RETURN_IF_ERROR(check_booster(learner));
  const auto features = count_of(member(learner, {"learner_model_param", "num_feature"}));
  if (!features || *features == 0 || *features > kFeaturesMax) {
    return refuse(absl::StrCat("\"num_feature\" is no number from 1 to ", kFeaturesMax));
  }
  facts->feature_count = *features;
  facts->takes_nulls = true;
  KAPPA_RETURN_IF_ERROR(read_names(learner, facts));
  const json& version = member(learner, {"attributes", "version"});
  if (version.is_string()) facts->version = version.get<std::string>();
  return check_trees(member(learner, {"gradient_booster", "model"}), facts->feature_count);
}

}  // namespace

absl::StatusOr<ModelRef> read_xgboost_model(ModelFacts facts, const json& file,
                                            const std::string& text) {
  KAPPA_RETURN_IF_ERROR(read_facts(file, &facts));
  KAPPA_ASSIGN_OR_RETURN(Booster booster, load(text));
  // Some of a file's faults show only when it is used.
  const std::vector<double> missing(facts.feature_count, std::numeric_limits<double>::quiet_NaN());
  double score = 0;
  KAPPA_RETURN_IF_ERROR(
      XgboostScorer(std::move(booster)).predict(missing, std::span<double>(&score, 1)));
  return std::make_shared<XgboostModel>(std::move(facts), text);
}

}  // namespace kappa::operators
