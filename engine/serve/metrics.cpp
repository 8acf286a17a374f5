#include "engine/serve/metrics.h"

#include <array>
#include <atomic>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "engine/serve/product_metrics.h"

namespace kappa::serve {
namespace {

constexpr size_t kCodes = 17;

const prometheus::Histogram::BucketBoundaries& handling_bounds() {
  static const prometheus::Histogram::BucketBoundaries kBounds = {
      0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30};
  return kBounds;
}

}  // namespace

std::string_view method_name(Method method) {
  static constexpr std::array<std::string_view, kMethods> kNames = {
      "kappa.v1.Query/Get",
      "kappa.v1.Query/MultiGet",
      "kappa.v1.Query/Scan",
      "kappa.v1.Query/Sql",
      "kappa.v1.Query/Export",
      "kappa.v1.Query/DescribeViews",
      "kappa.v1.Query/Subscribe",
      "kappa.v1.Ingest/Append",
      "kappa.v1.Admin/ListTopics",
      "kappa.v1.Admin/CreateTopic",
      "kappa.v1.Admin/ReadTopic",
      "kappa.v1.Admin/Inspect",
      "kappa.v1.Admin/Complete",
      "kappa.v1.Replay/ListGenerations",
      "kappa.v1.Replay/StartReplay",
      "kappa.v1.Replay/PauseReplay",
      "kappa.v1.Replay/ResumeReplay",
      "kappa.v1.Replay/CancelReplay",
      "kappa.v1.Replay/CompareGenerations",
      "kappa.v1.Replay/SwapGeneration",
      "kappa.v1.Replay/RollBack",
      "kappa.v1.Replay/DropRetiredGenerations",
      "kappa.v1.FraudService/GetScore",
      "kappa.v1.FraudService/Score",
      "kappa.v1.FraudService/StreamAlerts",
      "kappa.v1.SalesService/GetSales",
      "kappa.v1.SalesService/GetTopProducts",
  };
  return kNames[static_cast<size_t>(method)];
}

struct Metrics::Impl {
  Impl(const Products* served, const log::Log* its_log, const Clock* clock,
       const std::string& version)
      : products(served, clock), log(its_log) {
    prometheus::BuildGauge()
        .Name("kappa_build_info")
        .Help("1; the labels say what is running")
        .Register(registry)
        .Add({{"version", version}})
        .Set(1);
    for (size_t i = 0; i < kMethods; ++i) {
      const std::string name(method_name(static_cast<Method>(i)));
      seconds[i] = &handling.Add({{"method", name}}, handling_bounds());
    }
  }

  // The counter of a method and code. It is made when first needed, so that a scrape shows no
  // series that never counted; making one twice yields the same one.
  prometheus::Counter& counter(Method method, absl::StatusCode code) {
    std::atomic<prometheus::Counter*>& slot =
        counters[static_cast<size_t>(method)][static_cast<size_t>(code)];
    prometheus::Counter* present = slot.load(std::memory_order_acquire);
    if (present == nullptr) {
      present = &handled.Add(
          {{"method", std::string(method_name(method))}, {"code", absl::StatusCodeToString(code)}});
      slot.store(present, std::memory_order_release);
    }
    return *present;
  }

  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& handled = prometheus::BuildCounter()
                                                         .Name("kappa_grpc_server_handled_total")
                                                         .Help("Calls answered, by method and code")
                                                         .Register(registry);
  prometheus::Family<prometheus::Histogram>& handling =
      prometheus::BuildHistogram()
          .Name("kappa_grpc_server_handling_seconds")
          .Help("From the start of a call to its end")
          .Register(registry);
  std::array<std::array<std::atomic<prometheus::Counter*>, kCodes>, kMethods> counters{};
  std::array<prometheus::Histogram*, kMethods> seconds{};
  ProductMetrics products;
  const log::Log* log;
};

Metrics::Metrics(const Products* products, const log::Log* log, const Clock* clock,
                 const std::string& version)
    : impl_(std::make_unique<Impl>(products, log, clock, version)) {}

Metrics::~Metrics() = default;

void Metrics::handled(Method method, absl::StatusCode code, double seconds) {
  const bool known = static_cast<size_t>(code) < kCodes;
  impl_->counter(method, known ? code : absl::StatusCode::kUnknown).Increment();
  impl_->seconds[static_cast<size_t>(method)]->Observe(seconds);
}

std::string Metrics::text() const {
  std::vector<prometheus::MetricFamily> families = impl_->registry.Collect();
  for (prometheus::MetricFamily& family : impl_->products.collect()) {
    families.push_back(std::move(family));
  }
  for (prometheus::MetricFamily& family : ProductMetrics::of_log(*impl_->log)) {
    families.push_back(std::move(family));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace kappa::serve
