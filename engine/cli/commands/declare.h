#pragma once

#include <functional>
#include <memory>

namespace CLI {
class App;
}

namespace kappa::cli {

// The command that the command line names.
struct Chosen {
  std::function<int()> run;
};

// Declares every command with its options. `chosen` outlives the parsing; what is returned holds
// the options' values and outlives the run.
std::shared_ptr<void> declare_commands(CLI::App& app, Chosen* chosen);

}  // namespace kappa::cli
