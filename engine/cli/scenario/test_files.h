#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/cli/scenario/script.h"

namespace kappa::cli::scenario {

// The .slt files that `paths` name: files as they are, directories with all below them, by name.
// NotFound: a path that is not there, or a directory without any.
absl::StatusOr<std::vector<std::string>> scenario_files(const std::vector<std::string>& paths);

struct FileResult {
  std::string file;
  size_t steps = 0;
  bool rewritten = false;
  std::vector<Failure> failures;
};

// Reads, runs and, with `rewrite`, writes back one scenario file. What goes wrong is a failure of
// the file.
FileResult test_file(const std::string& file, bool rewrite);

// The failures as a compiler writes its errors: "FILE:LINE: message".
std::string to_text(const FileResult& result);

}  // namespace kappa::cli::scenario
