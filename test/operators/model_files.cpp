#include "test/operators/model_files.h"

#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>

namespace kappa::operators {

std::string model_text(const std::string& name) {
  std::ifstream file(std::string(KAPPA_TEST_MODELS) + "/" + name + ".json");
  INFO(name);
  REQUIRE(file.good());
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

ModelRef model_of(const std::string& name) {
  auto model = read_model(name, model_text(name));
  INFO(model.status());
  REQUIRE(model.ok());
  return *std::move(model);
}

}  // namespace kappa::operators
