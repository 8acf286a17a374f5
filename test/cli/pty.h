#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace kappa::cli {

// A run of the binary whose input and output are a terminal. Killed if it still runs at the end.
class Terminal {
 public:
  explicit Terminal(std::vector<std::string> words);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // Reads until it has shown `text`; false: it ended without, or nothing came for a minute.
  bool wait_for(const std::string& text);
  void type(const std::string& text);
  // Its exit code, once it has ended.
  int wait();
  const std::string& shown() const { return shown_; }

 private:
  bool read_some();

  int terminal_ = -1;
  pid_t pid_ = -1;
  std::string shown_;
};

}  // namespace kappa::cli
