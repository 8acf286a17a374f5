#pragma once

#include <string>

namespace kappa::cli {

// A directory of a test's own, removed with it.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  // Writes a file below it, making the folders on the way. Returns its path.
  std::string file(const std::string& name, const std::string& text) const;
  const std::string& directory() const { return directory_; }

 private:
  std::string directory_;
};

std::string text_of_file(const std::string& path);

}  // namespace kappa::cli
