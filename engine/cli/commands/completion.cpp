#include "engine/cli/commands/completion.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/cli/terminal.h"

namespace kappa::cli {

int print_bash_completion(const std::vector<CommandWords>& commands) {
  std::vector<std::string> names;
  std::string cases;
  std::string below;
  for (const CommandWords& command : commands) {
    names.push_back(command.name);
    absl::StrAppend(&cases, "    ", command.name, ") words=\"", absl::StrJoin(command.options, " "),
                    "\" ;;\n");
    if (command.commands.empty()) continue;
    absl::StrAppend(&below, "      ", command.name, ") words=\"",
                    absl::StrJoin(command.commands, " "), "\" ;;\n");
  }
  print(
      absl::StrCat("_kappa() {\n"
                   "  local word=${COMP_WORDS[COMP_CWORD]} words\n"
                   "  case ${COMP_WORDS[1]} in\n",
                   cases,
                   "    *) words=\"\" ;;\n"
                   "  esac\n"
                   "  if [[ $COMP_CWORD -eq 1 ]]; then\n"
                   "    words=\"",
                   absl::StrJoin(names, " "),
                   "\"\n"
                   "  elif [[ ${COMP_WORDS[COMP_CWORD-1]} == --output ]]; then\n"
                   "    words=\"table json\"\n"
                   "  elif [[ $COMP_CWORD -eq 2 && $word != -* ]]; then\n"
                   "    case ${COMP_WORDS[1]} in\n",
                   below,
                   "      *) words=\"\" ;;\n"
                   "    esac\n"
                   "  elif [[ $word != -* ]]; then\n"
                   "    words=\"\"\n"
                   "  fi\n"
                   "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
                   "}\n"
                   "complete -o default -F _kappa kappa\n"));
  return kExitOk;
}

}  // namespace kappa::cli
