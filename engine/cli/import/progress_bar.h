#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace kappa::cli {

// A line on standard error that shows how far something is; nothing if that is no terminal.
class ProgressBar {
 public:
  ProgressBar();
  ~ProgressBar() { clear(); }
  // Cheap; redraws a few times a second. `done` of `all`: a measure of the way, say bytes.
  void show(int64_t records, int64_t done, std::optional<int64_t> all);
  // The same with a text of the caller's.
  void show(const std::string& text);
  // Takes the line away, for other text.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  const bool on_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point next_ = start_;
  bool shown_ = false;
};

// "[#####     ]  50 %  1200 records  400/s  0:03 left".
std::string progress_text(int64_t records, double seconds, int64_t done,
                          std::optional<int64_t> all);
// "[#####     ]  50 %" for 0.5.
std::string bar_text(double part);
// "0:03", "2:05:10".
std::string time_left_text(double seconds);

}  // namespace kappa::cli
