#include "engine/cli/scenario/test_files.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "engine/cli/scenario/run.h"
#include "engine/cli/scenario/scenario.h"
#include "state/durable_file.h"

namespace kappa::cli::scenario {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> files_below(const std::string& directory) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(directory, error)) {
    if (entry.is_regular_file(error) && entry.path().extension() == ".slt") {
      files.push_back(entry.path().lexically_normal().string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> scenario_files(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
      const std::vector<std::string> below = files_below(path);
      if (below.empty()) {
        return absl::NotFoundError(absl::StrCat("there is no .slt file below ", path));
      }
      files.insert(files.end(), below.begin(), below.end());
    } else if (fs::exists(path, error)) {
      files.push_back(path);
    } else {
      return absl::NotFoundError(absl::StrCat("no such file or directory: ", path));
    }
  }
  return files;
}

FileResult test_file(const std::string& file, bool rewrite) {
  FileResult result;
  result.file = file;
  const absl::StatusOr<std::string> text = state::read_file(file);
  if (!text.ok()) {
    result.failures.push_back({0, std::string(text.status().message())});
    return result;
  }
  const absl::StatusOr<Scenario> scenario = parse_scenario(file, *text, rewrite);
  if (!scenario.ok()) {
    result.failures.push_back({0, std::string(scenario.status().message())});
    return result;
  }
  result.steps = scenario->steps.size();
  const ScenarioResult ran = run_scenario(*scenario, rewrite);
  result.failures = ran.failures;
  if (!rewrite || !ran.failures.empty()) return result;
  const std::string filled_in = rewritten(*scenario, ran);
  if (filled_in == *text) return result;
  if (const absl::Status written = state::replace_file(file, filled_in); !written.ok()) {
    result.failures.push_back({0, std::string(written.message())});
  }
  result.rewritten = result.failures.empty();
  return result;
}

std::string to_text(const FileResult& result) {
  std::string text;
  for (const Failure& failure : result.failures) {
    if (failure.line == 0) {  // the message names its places itself
      absl::StrAppend(&text, failure.message, "\n");
    } else {
      absl::StrAppend(&text, result.file, ":", failure.line, ": ",
                      absl::StrReplaceAll(failure.message, {{"\n", "\n  "}}), "\n");
    }
  }
  return text;
}

}  // namespace kappa::cli::scenario
