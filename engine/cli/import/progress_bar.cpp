#include "engine/cli/import/progress_bar.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/cli/terminal.h"

namespace kappa::cli {

std::string progress_text(int64_t records, double seconds, int64_t done,
                          std::optional<int64_t> all) {
  constexpr int kWidth = 30;
  std::string text;
  const double part =
      all && *all > 0 ? std::clamp(static_cast<double>(done) / static_cast<double>(*all), 0.0, 1.0)
                      : 0;
  if (all) {
    const int filled = static_cast<int>(part * kWidth);
    absl::StrAppend(&text, "[", std::string(static_cast<size_t>(filled), '#'),
                    std::string(static_cast<size_t>(kWidth - filled), ' '),
                    absl::StrFormat("] %3d %%  ", static_cast<int>(part * 100)));
  }
  const double rate = seconds > 0 ? static_cast<double>(records) / seconds : 0;
  absl::StrAppend(&text, records, " records  ", absl::StrFormat("%.0f/s", rate));
  if (part > 0.005) {
    const int64_t left = std::llround(seconds / part * (1 - part));
    absl::StrAppend(&text, absl::StrFormat("  %d:%02d left", left / 60, left % 60));
  }
  return text;
}

ProgressBar::ProgressBar() : on_(note_is_terminal()) {}

void ProgressBar::show(int64_t records, int64_t done, std::optional<int64_t> all) {
  const auto now = Clock::now();
  if (!on_ || now < next_) return;
  next_ = now + std::chrono::milliseconds(200);
  const double seconds = std::chrono::duration<double>(now - start_).count();
  note(absl::StrCat("\r", progress_text(records, seconds, done, all), "\x1b[K"));
  shown_ = true;
}

void ProgressBar::clear() {
  if (shown_) note("\r\x1b[K");
  shown_ = false;
}

}  // namespace kappa::cli
