#include "engine/cli/import/progress_bar.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/cli/terminal.h"

namespace kappa::cli {

std::string bar_text(double part) {
  constexpr int kWidth = 30;
  const double shown = std::clamp(part, 0.0, 1.0);
  const int filled = static_cast<int>(shown * kWidth);
  return absl::StrCat("[", std::string(static_cast<size_t>(filled), '#'),
                      std::string(static_cast<size_t>(kWidth - filled), ' '),
                      absl::StrFormat("] %3d %%", static_cast<int>(shown * 100)));
}

std::string time_left_text(double seconds) {
  constexpr double kMost = 1e9;  // some thirty years
  const int64_t left = std::llround(std::clamp(seconds, 0.0, kMost));
  if (left < 3600) return absl::StrFormat("%d:%02d", left / 60, left % 60);
  return absl::StrFormat("%d:%02d:%02d", left / 3600, left % 3600 / 60, left % 60);
}

std::string progress_text(int64_t records, double seconds, int64_t done,
                          std::optional<int64_t> all) {
  std::string text;
  const double part =
      all && *all > 0 ? std::clamp(static_cast<double>(done) / static_cast<double>(*all), 0.0, 1.0)
                      : 0;
  if (all) absl::StrAppend(&text, bar_text(part), "  ");
  const double rate = seconds > 0 ? static_cast<double>(records) / seconds : 0;
  absl::StrAppend(&text, records, " records  ", absl::StrFormat("%.0f/s", rate));
  if (part > 0.005) {
    absl::StrAppend(&text, "  ", time_left_text(seconds / part * (1 - part)), " left");
  }
  return text;
}

ProgressBar::ProgressBar() : on_(note_is_terminal()) {}

void ProgressBar::show(int64_t records, int64_t done, std::optional<int64_t> all) {
  if (!on_ || Clock::now() < next_) return;
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  show(progress_text(records, seconds, done, all));
}

void ProgressBar::show(const std::string& text) {
  const auto now = Clock::now();
  if (!on_ || now < next_) return;
  next_ = now + std::chrono::milliseconds(200);
  // Without wrapping: what does not fit is cut.
  note(absl::StrCat("\r\x1b[?7l", text, "\x1b[K\x1b[?7h"));
  shown_ = true;
}

void ProgressBar::clear() {
  if (shown_) note("\r\x1b[K");
  shown_ = false;
}

}  // namespace kappa::cli
