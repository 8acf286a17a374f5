#pragma once

#include <string>

namespace kappa::cli {

// Whether there is somebody to ask: standard input and standard error are a terminal.
bool can_ask();
// "kappa: QUESTION [y/N] " on standard error; true: the answer was y or yes.
bool confirmed(const std::string& question);

}  // namespace kappa::cli
