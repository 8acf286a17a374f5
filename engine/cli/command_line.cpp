#include "engine/cli/command_line.h"

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "engine/cli/commands/declare.h"
#include "engine/cli/settings.h"
#include "engine/cli/terminal.h"
#include "engine/sql/suggest.h"
#include "engine/types/text.h"

namespace kappa::cli {
namespace {

int usage_error(const std::string& message, const std::string& help) {
  report(absl::StrCat(message, "\n  see: ", help));
  return kExitUsage;
}

// A first word that is no command: told here, because the parser would only call it unexpected.
bool names_no_command(const CLI::App& app, int argc, char** argv, std::string* message) {
  if (argc < 2 || argv[1][0] == '-') return false;
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) {
    if (command->get_name() == argv[1]) return false;
    names.push_back(command->get_name());
  }
  *message = absl::StrCat("there is no command \"", argv[1], "\"; ",
                          sql::suggestion(argv[1], names, "commands are"));
  return true;
}

std::string help_of(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  if (chosen.empty()) return "kappa --help";
  return absl::StrCat("kappa ", chosen[0]->get_name(), " --help");
}

}  // namespace

int run_command_line(int argc, char** argv) {
  CLI::App app("A streaming engine: SQL views over a log, kept up to date and ready to be read.",
               "kappa");
  Chosen chosen;
  const auto options = declare_commands(app, &chosen);
  std::string message;
  if (names_no_command(app, argc, argv, &message)) return usage_error(message, "kappa --help");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const auto subcommands = app.get_subcommands();
    print(subcommands.empty() ? app.help() : subcommands[0]->help("kappa"));
    return kExitOk;
  } catch (const CLI::ParseError& error) {
    return usage_error(error.what(), help_of(app));
  }
  if (app.get_subcommands().empty()) {
    note(app.help());
    return kExitUsage;
  }
  CLI::App* command = app.get_subcommands()[0];
  if (const absl::Status settings = apply_settings(*command); !settings.ok()) {
    return usage_error(std::string(settings.message()), help_of(app));
  }
  return chosen.run();
}

}  // namespace kappa::cli
