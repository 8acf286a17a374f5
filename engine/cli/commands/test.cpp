#include "engine/cli/commands/test.h"

#include <chrono>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "engine/cli/scenario/test_files.h"
#include "engine/types/text.h"

namespace kappa::cli {
namespace {

using scenario::FileResult;

void print_result(const FileResult& result, int64_t ms) {
  if (!result.failures.empty()) {
    print(absl::StrCat(styled(Style::kRed, "FAIL"), "  ", result.file, "\n", to_text(result)));
    return;
  }
  print(absl::StrCat(styled(Style::kGreen, "ok"), "    ", result.file, "  (", result.steps,
                     " steps, 4 ways, ", ms, " ms", result.rewritten ? ", rewritten" : "", ")\n"));
}

nlohmann::ordered_json to_json(const FileResult& result) {
  nlohmann::ordered_json json;
  json["file"] = result.file;
  json["ok"] = result.failures.empty();
  json["steps"] = result.steps;
  json["rewritten"] = result.rewritten;
  json["failures"] = nlohmann::ordered_json::array();
  for (const scenario::Failure& failure : result.failures) {
    json["failures"].push_back({{"line", failure.line}, {"message", failure.message}});
  }
  return json;
}

}  // namespace

int run_test(const TestOptions& options) {
  const auto files = scenario::scenario_files(options.paths);
  if (!files.ok()) {
    report(files.status());
    return kExitUsage;
  }
  size_t failed = 0;
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const std::string& file : *files) {
    const auto start = std::chrono::steady_clock::now();
    const FileResult result = scenario::test_file(file, options.rewrite);
    const auto took = std::chrono::steady_clock::now() - start;
    if (!result.failures.empty()) ++failed;
    if (options.output == OutputFormat::kJson) {
      json.push_back(to_json(result));
    } else {
      print_result(result, std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
    }
  }
  const size_t passed = files->size() - failed;
  if (options.output == OutputFormat::kJson) {
    const nlohmann::ordered_json whole = {{"passed", passed}, {"failed", failed}, {"files", json}};
    print(whole.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
  } else {
    print(absl::StrCat(passed, " passed, ", failed, " failed\n"));
  }
  return failed == 0 ? kExitOk : kExitError;
}

}  // namespace kappa::cli
