#include "operators/model.h"

#include <array>

#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/types/invariant.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"
#include "operators/model_file.h"

namespace kappa::operators {
namespace {

using nlohmann::json;

constexpr size_t kVersionDigits = 12;

std::string sha256(const std::string& text) {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  const int made =
      EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), &size,
                 EVP_sha256(), nullptr);
  KAPPA_INVARIANT(made == 1, "SHA-256 is there");
  digest.resize(size);
  return absl::BytesToHexString(digest);
}

// The library's message begins with its own name for the error, in brackets.
absl::StatusOr<json> parse(const std::string& text) {
  try {
    return json::parse(text);
  } catch (const json::exception& error) {
    const std::string_view message = error.what();
    const size_t name_end = message.find("] ");
    return absl::InvalidArgumentError(
        absl::StrCat("is not JSON: ", name_end == std::string_view::npos
                                          ? std::string(message)
                                          : std::string(message.substr(name_end + 2))));
  }
}

}  // namespace

absl::StatusOr<std::vector<double>> numbers_of(const json& json, std::string_view what) {
  if (!json.is_array())
    return absl::InvalidArgumentError(absl::StrCat(to_absl(what), " is no array"));
  std::vector<double> numbers;
  for (const auto& item : json) {
    if (!item.is_number()) {
      return absl::InvalidArgumentError(absl::StrCat(to_absl(what), " holds what is no number"));
    }
    numbers.push_back(item.get<double>());
  }
  return numbers;
}

absl::StatusOr<std::vector<std::string>> texts_of(const json& json, std::string_view what) {
  if (!json.is_array())
    return absl::InvalidArgumentError(absl::StrCat(to_absl(what), " is no array"));
  std::vector<std::string> texts;
  for (const auto& item : json) {
    if (!item.is_string()) {
      return absl::InvalidArgumentError(absl::StrCat(to_absl(what), " holds what is no text"));
    }
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

absl::StatusOr<ModelRef> read_model(std::string_view name, const std::string& text) {
  KAPPA_ASSIGN_OR_RETURN(const json file, parse(text));
  ModelFacts facts;
  facts.name = std::string(name);
  facts.digest = sha256(text);
  facts.version = facts.digest.substr(0, kVersionDigits);
  if (file.is_object() && file.contains("learner")) {
    return read_xgboost_model(std::move(facts), file, text);
  }
  if (file.is_object() && file.contains("kind")) return read_logistic_model(std::move(facts), file);
  return absl::InvalidArgumentError(
      "is no model: neither what XGBoost's save_model writes as JSON nor {\"kind\": \"logistic\", "
      "…}");
}

}  // namespace kappa::operators
