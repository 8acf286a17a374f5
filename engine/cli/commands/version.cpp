#include "engine/cli/commands/version.h"

#include "absl/strings/str_cat.h"

namespace kappa::cli {

const char* version() {
  return KAPPA_VERSION;
}

int run_version(const VersionOptions& options) {
  if (options.output == OutputFormat::kJson) {
    print(absl::StrCat("{\"version\": \"", version(), "\"}\n"));
  } else {
    print(absl::StrCat("kappa ", version(), "\n"));
  }
  return kExitOk;
}

}  // namespace kappa::cli
