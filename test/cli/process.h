#pragma once

#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

namespace kappa::cli {

struct Ended {
  int code = -1;  // the exit code; -1: killed by a signal
  std::string out;
  std::string err;
};

// A run of the binary `kappa`, its output in files below `scratch` (a directory). The environment
// holds no KAPPA_ variable but those given.
class Process {
 public:
  Process(const std::string& scratch, const std::vector<std::string>& arguments,
          const std::string& input = "",
          const std::map<std::string, std::string>& environment = {});
  ~Process();  // kills it if it still runs

  // Waits until standard output holds `text`; false: it ended without, or a minute passed.
  bool wait_for_output(const std::string& text);
  bool wait_for_err(const std::string& text);  // the same of standard error
  void signal(int number);
  Ended wait();
  std::string out() const;  // what it has printed by now
  std::string err() const;
  pid_t pid() const { return pid_; }

 private:
  bool running();
  bool wait_for(const std::string& path, const std::string& text);
  std::string out_path_;
  std::string err_path_;
  pid_t pid_ = -1;
  bool ended_ = false;
  int status_ = 0;
};

// Runs `kappa ARGUMENTS…` to its end.
Ended kappa(const std::vector<std::string>& arguments, const std::string& input = "",
            const std::map<std::string, std::string>& environment = {});

}  // namespace kappa::cli
