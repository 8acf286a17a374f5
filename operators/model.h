#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace kappa::operators {

// Scores rows with one model. One thread; what it scores with is its own.
class Scorer {
 public:
  virtual ~Scorer() = default;
  // `features` holds the rows one after the other, each with its features in the model's order,
  // NaN where one is missing. Writes a score for each row.
  virtual absl::Status predict(std::span<const double> features, std::span<double> scores) = 0;
};

struct ModelFacts {
  std::string name;     // of its file, without .json
  std::string version;  // what the file says, else the first 12 digits of `digest`
  std::string digest;   // SHA-256 of the file's bytes in hex: equal digest, equal scores
  size_t feature_count = 0;
  std::vector<std::string> features;  // their names in order; empty: the file does not name them
  bool takes_nulls = false;           // else a row with a NULL among its features has no score
};

// A trained model of a product. Immutable, shared between plans and threads.
class Model {
 public:
  explicit Model(ModelFacts facts) : facts_(std::move(facts)) {}
  virtual ~Model() = default;
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const ModelFacts& facts() const { return facts_; }
  // May be called by any thread. It costs what reading the file costs.
  virtual std::unique_ptr<Scorer> make_scorer() const = 0;

 private:
  ModelFacts facts_;
};
using ModelRef = std::shared_ptr<const Model>;

// A product's models by name, and what is wrong with those that cannot be read.
using Models = std::map<std::string, absl::StatusOr<ModelRef>, std::less<>>;

// The model that a file's text is: XGBoost's JSON, or {"kind": "logistic", …}. InvalidArgument:
// what is wrong with it and what would be right.
absl::StatusOr<ModelRef> read_model(std::string_view name, const std::string& text);

}  // namespace kappa::operators
