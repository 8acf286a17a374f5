#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "engine/serve/product.h"
#include "engine/types/clock.h"

namespace prometheus {
struct MetricFamily;
}

namespace kappa::serve {

// A histogram that grows from samples: a pipeline counts all of its epochs but remembers the
// durations of recent ones only, so each remembered duration stands for as many epochs as were
// counted since the last look.
class SampledHistogram {
 public:
  static const std::vector<double>& bounds();  // upper bounds in seconds, ascending

  // `total` counts everything so far, `recent` holds samples, the newest last. A total that has
  // fallen is that of a new pipeline: counting goes on from there.
  void observe(uint64_t total, const std::vector<double>& recent);

  uint64_t count() const { return count_; }
  double sum() const { return sum_; }
  const std::vector<uint64_t>& buckets() const { return buckets_; }  // not cumulative

 private:
  uint64_t seen_ = 0;
  uint64_t count_ = 0;
  double sum_ = 0;
  std::vector<uint64_t> buckets_ = std::vector<uint64_t>(bounds().size(), 0);
};

// The figures of all products as metric families. Thread-safe.
class ProductMetrics {
 public:
  ProductMetrics(const Products* products, const Clock* clock);
  std::vector<prometheus::MetricFamily> collect();
  // What a log tells of itself.
  static std::vector<prometheus::MetricFamily> of_log(const log::Log& log);

 private:
  const Products* const products_;
  const Clock* const clock_;
  std::mutex mutex_;
  std::map<std::string, SampledHistogram> epoch_seconds_;  // by product
};

}  // namespace kappa::serve
