#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "engine/cli/commands/completion.h"
#include "engine/cli/connection.h"
#include "engine/cli/replay/course_options.h"
#include "engine/cli/service.h"
#include "engine/cli/terminal.h"

namespace CLI {
class App;
class Option;
class Validator;
}  // namespace CLI

// What several commands have in common, declared once. Values outlive the parsing.
namespace kappa::cli {

inline constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

// A command below `parent`, with examples at the end of its help.
CLI::App& declare_command(CLI::App& parent, const std::string& name, const std::string& what,
                          const std::string& examples);

CLI::Validator whole_number(int64_t least, int64_t most = kNoLimit);
CLI::Validator more_than_zero();
// Lets a numeric option take whole numbers of a range only, and shows its default.
CLI::Option* within(CLI::Option* option, int64_t least, int64_t most);

// An option whose value is one of a few words; `choose` gets the number of the word.
CLI::Option* declare_words(CLI::App& command, const std::string& name,
                           const std::vector<std::string>& words,
                           const std::function<void(size_t)>& choose, const std::string& what);
template <typename T>
CLI::Option* declare_choice(CLI::App& command, const std::string& name, T& value,
                            const std::vector<std::pair<std::string, T>>& choices,
                            const std::string& what) {
  std::vector<std::string> words;
  words.reserve(choices.size());
  for (const auto& [word, meant] : choices) words.push_back(word);
  return declare_words(
      command, name, words, [&value, choices](size_t i) { value = choices[i].second; }, what);
}

// --output, and --config with it.
void declare_output(CLI::App& command, OutputFormat& value, std::string& config);
// Where a command finds what it works on.
void declare_connect(CLI::App& command, ConnectOptions& value);
// Which log a data directory's products read.
void declare_log_choice(CLI::App& command, LogChoice& value);
// How a service runs: `serve` and `playground`.
void declare_service(CLI::App& command, ServiceOptions& value);
// --product NAME.
void declare_product_name(CLI::App& command, std::string& value);

// What a replay computes: --from, --order, --recompute-all. What to do now, so no settings.
void declare_course(CLI::App& command, CourseOptions& value);

// The commands below `app` with what may follow them, for completion.
std::vector<CommandWords> command_words(const CLI::App& app);

}  // namespace kappa::cli
