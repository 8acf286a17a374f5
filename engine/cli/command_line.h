#pragma once

namespace kappa::cli {

// Reads the command line, finds the settings it leaves open, runs the command. Returns the exit
// code of the process (see terminal.h).
int run_command_line(int argc, char** argv);

}  // namespace kappa::cli
