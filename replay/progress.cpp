#include "replay/progress.h"

namespace kappa::replay {

void Progress::note(Time now, uint64_t records) {
  constexpr std::chrono::seconds kWindow{5};
  if (!seen_.empty() && records < seen_.back().second) seen_.clear();
  while (seen_.size() > 2 && now - seen_.front().first > kWindow) seen_.pop_front();
  seen_.emplace_back(now, records);
}

double Progress::records_per_second() const {
  if (seen_.size() < 2) return 0;
  const std::chrono::duration<double> took = seen_.back().first - seen_.front().first;
  if (took.count() <= 0) return 0;
  return static_cast<double>(seen_.back().second - seen_.front().second) / took.count();
}

}  // namespace kappa::replay
