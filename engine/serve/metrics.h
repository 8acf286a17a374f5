#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "engine/log/log.h"
#include "engine/serve/product.h"
#include "engine/types/clock.h"

namespace kappa::serve {

// The methods of the API, for labels: the only values that label ever takes.
enum class Method : uint8_t {
  kGet,
  kMultiGet,
  kScan,
  kSql,
  kExport,
  kDescribeViews,
  kSubscribe,
  kAppend,
  kListTopics,
  kCreateTopic,
  kReadTopic,
  kInspect,
  kComplete,
  kListGenerations,
  kStartReplay,
  kPauseReplay,
  kResumeReplay,
  kCancelReplay,
  kCompareGenerations,
  kSwapGeneration,
  kRollBack,
  kDropRetiredGenerations,
  kGetScore,
  kScore,
  kStreamAlerts,
  kGetSales,
  kGetTopProducts,
};
inline constexpr size_t kMethods = 27;
std::string_view method_name(Method method);  // "kappa.v1.Query/Get"

// What /metrics shows: counters of the API, and figures that each scrape asks of the products.
// Thread-safe. Names and labels: README.md.
class Metrics {
 public:
  // Borrowed things outlive it.
  Metrics(const Products* products, const log::Log* log, const Clock* clock,
          const std::string& version);
  ~Metrics();

  void handled(Method method, absl::StatusCode code, double seconds);
  // In Prometheus's text format 0.0.4.
  std::string text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kappa::serve
