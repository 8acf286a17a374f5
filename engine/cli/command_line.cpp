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

// The command that words name, as far as they do, with the words before it: "kappa replay".
struct Named {
  CLI::App* command;
  std::string before;
  std::string words() const {
    return absl::StrCat(before, before.empty() ? "" : " ", command->get_name());
  }
};

// A word in the place of a command that is none: told here, because the parser would only call it
// unexpected. Empty: there is no such word. `named`: up to there.
std::string misnamed(CLI::App& app, int argc, char** argv, Named* named) {
  *named = {&app, ""};
  for (int i = 1; i < argc && argv[i][0] != '-'; ++i) {
    std::vector<std::string> names;
    CLI::App* next = nullptr;
    for (CLI::App* command : named->command->get_subcommands({})) {
      if (command->get_name() == argv[i]) next = command;
      names.push_back(command->get_name());
    }
    if (names.empty()) return "";
    if (next == nullptr) {
      return absl::StrCat("there is no command \"", argv[i], "\"; ",
                          sql::suggestion(argv[i], names, "commands are"));
    }
    *named = {next, named->words()};
  }
  return "";
}

// The command that the parser has found.
Named found_by(CLI::App& app) {
  Named named{&app, ""};
  for (auto chosen = app.get_subcommands(); !chosen.empty();
       chosen = named.command->get_subcommands()) {
    named = {chosen[0], named.words()};
  }
  return named;
}

}  // namespace

int run_command_line(int argc, char** argv) {
  CLI::App app("A streaming engine: SQL views over a log, kept up to date and ready to be read.",
               "kappa");
  Chosen chosen;
  const auto options = declare_commands(app, &chosen);
  Named named{};
  if (const std::string wrong = misnamed(app, argc, argv, &named); !wrong.empty()) {
    return usage_error(wrong, named.words() + " --help");
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    named = found_by(app);
    print(named.command->help(named.before));
    return kExitOk;
  } catch (const CLI::ParseError& error) {
    named = found_by(app);
    const bool lacks_command = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr &&
                               !named.command->get_subcommands({}).empty();
    if (!lacks_command) return usage_error(error.what(), named.words() + " --help");
    note(named.command->help(named.before));
    return kExitUsage;
  }
  named = found_by(app);
  if (named.command == &app) {
    note(app.help());
    return kExitUsage;
  }
  if (const absl::Status settings = apply_settings(*named.command); !settings.ok()) {
    return usage_error(std::string(settings.message()), named.words() + " --help");
  }
  return chosen.run();
}

}  // namespace kappa::cli
