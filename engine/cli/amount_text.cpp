#include "engine/cli/amount_text.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace kappa::cli {

std::string bytes_text(uint64_t bytes) {
  constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return absl::StrCat(bytes, " B");
  double size = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  for (; size >= 1024 && unit < std::size(kUnits) - 1; ++unit) size /= 1024;
  return absl::StrFormat("%.1f %s", size, kUnits[unit]);
}

std::string count_text(uint64_t count) {
  std::string text = absl::StrCat(count);
  for (size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

std::string duration_text(double seconds) {
  constexpr struct {
    double seconds;
    const char* name;
  } kUnits[] = {{86'400, "days"}, {3'600, "h"}, {60, "min"}};
  for (const auto& unit : kUnits) {
    if (seconds >= 2 * unit.seconds) {
      return absl::StrFormat("%.0f %s", seconds / unit.seconds, unit.name);
    }
  }
  return absl::StrFormat("%.0f s", std::max(1.0, seconds));
}

double roughly(double amount) {
  if (amount <= 0) return 0;
  const double unit = std::pow(10, std::floor(std::log10(amount)) - 1);
  return std::round(amount / unit) * unit;
}

}  // namespace kappa::cli
