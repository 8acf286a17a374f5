#include "bench/bench.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <sys/resource.h>

namespace kappa::bench {
namespace {

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

std::vector<Bench>& benches() {
  static std::vector<Bench> all;
  return all;
}

bool add(Bench bench) {
  benches().push_back(std::move(bench));
  return true;
}

double percentile(const std::vector<double>& ascending, double part) {
  const auto rank = static_cast<size_t>(std::ceil(part * static_cast<double>(ascending.size())));
  return ascending[std::max<size_t>(rank, 1) - 1];
}

Stopwatch::Stopwatch() : wall_(wall_seconds()), cpu_(cpu_seconds()) {}

void Stopwatch::stop(Result* result) const {
  result->wall_seconds = wall_seconds() - wall_;
  result->cpu_seconds = cpu_seconds() - cpu_;
}

int64_t peak_rss_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * 1024;
}

}  // namespace kappa::bench
