#include <cstdlib>

#include "engine/cli/command_line.h"

int main(int argc, char** argv) {
  // gRPC's own log is for its developers: what a user should know comes as a status.
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  return kappa::cli::run_command_line(argc, argv);
}
