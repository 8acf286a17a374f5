#include "engine/cli/settings.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <vector>

#include <CLI/CLI.hpp>
#include <yaml-cpp/yaml.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "engine/sql/suggest.h"
#include "engine/types/status_macros.h"
#include "state/durable_file.h"

namespace kappa::cli {
namespace {

// A value from outside of the command line, and where it stands.
struct Setting {
  std::vector<std::string> values;
  std::string origin;  // "KAPPA_HTTP", "kappa.yaml:3"
};
using Settings = std::map<std::string, Setting>;  // by the option's name without dashes

bool is_setting(const CLI::Option& option) {
  return option.get_configurable() && !option.get_lnames().empty();
}

// Whether a setting may still fill it in: neither it nor what it excludes has been given.
bool is_open(const CLI::Option& option) {
  if (!is_setting(option) || option.count() > 0) return false;
  const auto excluded = option.get_excludes();
  return std::none_of(excluded.begin(), excluded.end(),
                      [](const CLI::Option* other) { return other->count() > 0; });
}

std::vector<std::string> setting_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    if (is_setting(*option)) names.push_back(option->get_lnames()[0]);
  }
  return names;
}

std::string place(const std::string& file, const YAML::Node& node) {
  return absl::StrCat(file, ":", node.Mark().line + 1);
}

absl::StatusOr<Setting> read_value(const std::string& origin, const YAML::Node& node) {
  Setting setting{{}, origin};
  if (node.IsScalar()) {
    setting.values.push_back(node.Scalar());
  } else if (node.IsSequence()) {
    for (const YAML::Node& item : node) {
      if (!item.IsScalar()) {
        return absl::InvalidArgumentError(
            absl::StrCat(origin, ": expected a value or a list of values"));
      }
      setting.values.push_back(item.Scalar());
    }
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat(origin, ": expected a value or a list of values"));
  }
  return setting;
}

// A file's settings for one command. Every key must be a setting of some command, so that a
// misspelled one is not passed over.
class ConfigFile {
 public:
  ConfigFile(const std::string& file, const CLI::App& command)
      : file_(file), command_(command), section_(command.get_name()) {
    const CLI::App* all = command.get_parent();
    for (; all->get_parent() != nullptr; all = all->get_parent()) section_ = all->get_name();
    for (const CLI::App* any : all->get_subcommands({})) {
      commands_.push_back(any->get_name());
      add_known(*any);
    }
  }

  absl::StatusOr<Settings> read() {
    KAPPA_ASSIGN_OR_RETURN(const std::string text, state::read_file(file_));
    YAML::Node root;
    try {
      root = YAML::Load(text);
    } catch (const YAML::Exception& error) {
      return absl::InvalidArgumentError(
          absl::StrCat(file_, ":", error.mark.line + 1, ": ", error.msg));
    }
    if (!root.IsNull() && !root.IsMap()) {
      return absl::InvalidArgumentError(
          absl::StrCat(file_, ":1: expected settings as \"name: value\""));
    }
    YAML::Node section;
    for (const auto& entry : root) {
      const std::string name = entry.first.Scalar();
      if (is_command(name)) {
        if (name == section_) section = entry.second;
        if (!entry.second.IsMap()) {
          return absl::InvalidArgumentError(absl::StrCat(place(file_, entry.first), ": under \"",
                                                         name, "\" expected its settings"));
        }
      } else {
        KAPPA_RETURN_IF_ERROR(add(entry.first, entry.second, /*own=*/false));
      }
    }
    if (section.IsMap()) {
      for (const auto& entry : section) {
        KAPPA_RETURN_IF_ERROR(add(entry.first, entry.second, /*own=*/true));
      }
    }
    return settings_;
  }

 private:
  void add_known(const CLI::App& command) {
    for (const std::string& name : setting_names(command)) known_.push_back(name);
    for (const CLI::App* below : command.get_subcommands({})) add_known(*below);
  }

  bool is_command(const std::string& name) const {
    return std::find(commands_.begin(), commands_.end(), name) != commands_.end();
  }

  absl::Status add(const YAML::Node& key, const YAML::Node& value, bool own) {
    const std::string& name = key.Scalar();
    const std::vector<std::string> known = own ? setting_names(command_) : known_;
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return absl::InvalidArgumentError(absl::StrCat(place(file_, key), ": there is no setting \"",
                                                     name, "\"; ",
                                                     sql::suggestion(name, known, "settings are")));
    }
    KAPPA_ASSIGN_OR_RETURN(settings_[name], read_value(place(file_, key), value));
    return absl::OkStatus();
  }

  std::string file_;
  const CLI::App& command_;
  std::string section_;  // the first of the command's words: "replay"
  std::vector<std::string> commands_;
  std::vector<std::string> known_;
  Settings settings_;
};

std::optional<Setting> from_environment(const std::string& name) {
  const std::string variable = variable_of(name);
  const char* value = std::getenv(variable.c_str());
  if (!value || *value == '\0') return std::nullopt;
  return Setting{{value}, variable};
}

absl::Status set(CLI::Option& option, const Setting& setting) {
  try {
    for (const std::string& value : setting.values) option.add_result(value);
    option.run_callback();
  } catch (const CLI::Error& error) {
    return absl::InvalidArgumentError(absl::StrCat(setting.origin, ": ", error.what()));
  }
  return absl::OkStatus();
}

}  // namespace

std::string variable_of(const std::string& option) {
  return "KAPPA_" + absl::AsciiStrToUpper(absl::StrReplaceAll(option, {{"--", ""}, {"-", "_"}}));
}

absl::Status apply_settings(CLI::App& command) {
  Settings settings;
  if (CLI::Option* config = command.get_option_no_throw("--config")) {
    if (config->count() == 0) {
      if (const auto variable = from_environment("config")) {
        KAPPA_RETURN_IF_ERROR(set(*config, *variable));
      }
    }
    if (config->count() > 0) {
      KAPPA_ASSIGN_OR_RETURN(settings, ConfigFile(config->as<std::string>(), command).read());
    }
  }
  for (CLI::Option* option : command.get_options()) {
    if (!is_open(*option)) continue;
    const auto variable = from_environment(option->get_lnames()[0]);
    if (variable) KAPPA_RETURN_IF_ERROR(set(*option, *variable));
  }
  for (CLI::Option* option : command.get_options()) {
    if (!is_open(*option)) continue;
    const auto setting = settings.find(option->get_lnames()[0]);
    if (setting != settings.end()) KAPPA_RETURN_IF_ERROR(set(*option, setting->second));
  }
  return absl::OkStatus();
}

}  // namespace kappa::cli
