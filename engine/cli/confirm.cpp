#include "engine/cli/confirm.h"

#include <iostream>

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "engine/cli/terminal.h"

namespace kappa::cli {

bool can_ask() {
  return isatty(STDIN_FILENO) == 1 && note_is_terminal();
}

bool confirmed(const std::string& question) {
  note(absl::StrCat("kappa: ", question, " [y/N] "));
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "yes";
}

}  // namespace kappa::cli
