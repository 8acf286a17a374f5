#include "engine/runtime/pacer.h"

#include <algorithm>

namespace kappa::runtime {

using std::chrono::duration;
using std::chrono::duration_cast;
using std::chrono::microseconds;

microseconds Pacer::wait(Time now, microseconds longest) const {
  if (pace_.paused) return longest;
  return std::clamp(duration_cast<microseconds>(next_ - now), microseconds(0), longest);
}

size_t Pacer::turn_records_max(size_t otherwise) const {
  constexpr double kTurnsPerSecond = 20;
  if (pace_.records_per_second_max <= 0) return otherwise;
  const double records = std::max(1.0, pace_.records_per_second_max / kTurnsPerSecond);
  return records < static_cast<double>(otherwise) ? static_cast<size_t>(records) : otherwise;
}

void Pacer::note_turn(size_t records, Time begun, Time ended, size_t workers) {
  double seconds = 0;
  if (pace_.records_per_second_max > 0) {
    seconds = static_cast<double>(records) / pace_.records_per_second_max;
  }
  if (pace_.cpu_cores_max > 0) {
    const double busy = duration<double>(ended - begun).count() * static_cast<double>(workers);
    seconds = std::max(seconds, busy / pace_.cpu_cores_max);
  }
  // What a turn has taken too long is not made up for: a replay does not come in bursts.
  next_ = begun + duration_cast<Time::duration>(duration<double>(seconds));
}

}  // namespace kappa::runtime
