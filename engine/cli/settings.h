#pragma once

#include <string>

#include "absl/status/status.h"

namespace CLI {
class App;
}

namespace kappa::cli {

// Fills in what the command line left open, for each option of `command` that has a setting: from
// the environment (--http is KAPPA_HTTP), else from the configuration file (--config or
// KAPPA_CONFIG), else the option's default stays. The file is YAML; what stands under the command's
// name goes before what stands at the top:
//
//   data: /var/lib/kappa
//   workers: 2
//   serve:
//     listen: 127.0.0.1:7070
//     product: [schemas/shop, schemas/fraud]
//
// What excludes an option that has been given is left alone: --data on the command line makes
// KAPPA_SERVER count for nothing.
//
// InvalidArgument names the variable or FILE:LINE, what was found and what would be right.
absl::Status apply_settings(CLI::App& command);

// The environment variable of an option: "--checkpoint-interval" is KAPPA_CHECKPOINT_INTERVAL.
std::string variable_of(const std::string& option);

}  // namespace kappa::cli
