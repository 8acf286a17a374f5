#pragma once

#include <string>
#include <vector>

namespace kappa::cli {

struct CommandWords {
  std::string name;
  std::vector<std::string> options;   // with their dashes
  std::vector<std::string> commands;  // below it
};
// `kappa completion bash`: prints a script for bash that completes commands, options and files.
int print_bash_completion(const std::vector<CommandWords>& commands);

}  // namespace kappa::cli
