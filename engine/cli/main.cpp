#include "engine/cli/command_line.h"

int main(int argc, char** argv) {
  return kappa::cli::run_command_line(argc, argv);
}
