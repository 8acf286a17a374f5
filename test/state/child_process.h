#pragma once

#include <map>
#include <string>

#include <sys/types.h>

namespace kappa::state {

// This test program once more, running one hidden test case in a process of its own, so that it can
// be killed. It speaks to its parent by lines on its standard output.
class ChildProcess {
 public:
  // `environment` is added to ours.
  ChildProcess(const std::string& test_case, const std::map<std::string, std::string>& environment);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // The next line that begins with `prefix`, without it; empty at the end of the output.
  std::string read_line(const std::string& prefix);
  void kill();
  // Waits for it to end by itself and returns its exit code.
  int wait();
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  int output_ = -1;
  std::string unread_;
};

}  // namespace kappa::state
