#include "engine/cli/stop_signal.h"

#include <csignal>
#include <ctime>

namespace kappa::cli {
namespace {

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

StopSignal::StopSignal() {
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // a reader of our output that goes away does not end the service
}

bool StopSignal::wait(int64_t ms) {
  const sigset_t signals = stop_signals();
  timespec timeout{};
  timeout.tv_sec = ms / 1000;
  timeout.tv_nsec = ms % 1000 * 1'000'000;
  if (sigtimedwait(&signals, nullptr, &timeout) < 0) return false;
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  return true;
}

}  // namespace kappa::cli
