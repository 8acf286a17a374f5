#include "test/cli/scratch.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <stdlib.h>

namespace kappa::cli {

Scratch::Scratch() {
  std::string name = (std::filesystem::temp_directory_path() / "kappa-test-XXXXXX").string();
  directory_ = mkdtemp(name.data());
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::string Scratch::file(const std::string& name, const std::string& text) const {
  const std::filesystem::path whole = path(name);
  std::filesystem::create_directories(whole.parent_path());
  std::ofstream(whole, std::ios::binary) << text;
  return whole.string();
}

std::string text_of_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace kappa::cli
