#pragma once

#include <cstdint>

namespace kappa::cli {

// SIGINT and SIGTERM as a request to stop. Made before any other thread, so that all of them leave
// the signals to wait(). Once one has come, a second one ends the process at once. One a process.
class StopSignal {
 public:
  StopSignal();
  // Waits for a signal, `ms` milliseconds at most; whether one has come.
  bool wait(int64_t ms);
};

}  // namespace kappa::cli
