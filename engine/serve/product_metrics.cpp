#include "engine/serve/product_metrics.h"

#include <algorithm>
#include <utility>

#include <prometheus/metric_family.h>

#include "absl/strings/str_cat.h"

namespace kappa::serve {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<std::pair<std::string, std::string>>;

// Collects samples into families, which come out in the order in which they were first named.
class Families {
 public:
  void counter(const std::string& name, const std::string& help, Labels labels, uint64_t value) {
    ClientMetric metric;
    metric.counter.value = static_cast<double>(value);
    add(name, help, MetricType::Counter, std::move(labels), std::move(metric));
  }
  void gauge(const std::string& name, const std::string& help, Labels labels, double value) {
    ClientMetric metric;
    metric.gauge.value = value;
    add(name, help, MetricType::Gauge, std::move(labels), std::move(metric));
  }
  void summary(const std::string& name, const std::string& help, Labels labels, uint64_t count,
               uint64_t sum) {
    ClientMetric metric;
    metric.summary.sample_count = count;
    metric.summary.sample_sum = static_cast<double>(sum);
    add(name, help, MetricType::Summary, std::move(labels), std::move(metric));
  }
  void histogram(const std::string& name, const std::string& help, Labels labels,
                 const SampledHistogram& samples) {
    ClientMetric metric;
    metric.histogram.sample_count = samples.count();
    metric.histogram.sample_sum = samples.sum();
    uint64_t below = 0;
    for (size_t i = 0; i < samples.buckets().size(); ++i) {
      below += samples.buckets()[i];
      metric.histogram.bucket.push_back({below, SampledHistogram::bounds()[i]});
    }
    add(name, help, MetricType::Histogram, std::move(labels), std::move(metric));
  }
  std::vector<MetricFamily> take() { return std::move(families_); }

 private:
  void add(const std::string& name, const std::string& help, MetricType type, Labels labels,
           ClientMetric metric) {
    for (auto& [key, value] : labels) metric.label.push_back({key, value});
    for (MetricFamily& family : families_) {
      if (family.name == name) return family.metric.push_back(std::move(metric));
    }
    families_.push_back({name, help, type, {std::move(metric)}});
  }
  std::vector<MetricFamily> families_;
};

// How far behind the clock a watermark is. Before the first record and after an end mark there is
// no such thing.
void add_watermark_lag(Families& families, Labels labels, EventTime watermark, LogTime now) {
  if (watermark == kNoEventTime || watermark == kEndOfTime) return;
  const double lag_us = static_cast<double>(now.ms * kMicrosPerMilli - watermark.us);
  families.gauge("kappa_watermark_lag_seconds",
                 "How far the watermark of a view is behind the clock", std::move(labels),
                 lag_us / static_cast<double>(kMicrosPerSecond));
}

void add_lag(Families& families, const Labels& labels, const runtime::SourceStats& source) {
  const auto lag = [&](Labels of, int64_t records) {
    families.gauge("kappa_consumer_lag_records", "Records in the log that are not applied yet",
                   std::move(of), static_cast<double>(records));
  };
  if (source.partitions.empty()) return lag(labels, source.lag_records);
  for (const auto& partition : source.partitions) {
    Labels of = labels;
    of.emplace_back("partition", absl::StrCat(partition.partition));
    lag(of, partition.lag_records);
    families.gauge("kappa_retention_headroom_records",
                   "Applied records that the log still has: at 0, retention removes unread ones",
                   std::move(of), static_cast<double>(partition.headroom_records));
  }
}

void add_source(Families& families, const std::string& product,
                const runtime::SourceStats& source) {
  const Labels labels = {{"product", product}, {"topic", source.topic}};
  families.counter("kappa_records_consumed_total", "Records taken from the log", labels,
                   source.records);
  add_lag(families, labels, source);
  families.counter("kappa_dead_letters_total", "Records and rows that went to the dead letters",
                   {{"product", product}, {"topic", source.topic}, {"reason", "malformed"}},
                   source.dead_letters);
}

void add_view(Families& families, const std::string& product, const runtime::ViewStats& view,
              LogTime now) {
  const Labels labels = {{"product", product}, {"view", view.name}};
  families.gauge("kappa_state_rows", "Rows a view holds", labels, static_cast<double>(view.rows));
  families.counter("kappa_late_records_total", "Records that came too late for a view", labels,
                   view.late_records);
  const auto dead = [&](const char* reason, uint64_t count) {
    families.counter("kappa_dead_letters_total", "Records and rows that went to the dead letters",
                     {{"product", product}, {"view", view.name}, {"reason", reason}}, count);
  };
  dead("expression_error", view.errors);
  dead("duplicate_key", view.duplicates);
  add_watermark_lag(families, labels, view.watermark, now);
}

void add_pipeline(Families& families, const std::string& product,
                  const runtime::PipelineStats& stats) {
  const Labels labels = {{"product", product}};
  families.counter("kappa_epochs_total", "Epochs applied", labels, stats.epochs);
  families.summary("kappa_epoch_records", "Records an epoch takes", labels, stats.epochs,
                   stats.records);
  families.counter("kappa_checkpoints_total", "Checkpoints taken", labels, stats.checkpoints);
  families.gauge("kappa_checkpoint_duration_seconds", "How long the last checkpoint took", labels,
                 stats.checkpoint_seconds);
  families.gauge("kappa_last_checkpoint_timestamp_seconds",
                 "When the last checkpoint was taken, since the Unix epoch", labels,
                 static_cast<double>(stats.last_checkpoint_ms) / 1000);
  families.gauge("kappa_pipeline_held_seconds",
                 "How long the log has not given what the pipeline waits for; 0: it gives all",
                 labels, stats.held.ok() ? 0 : stats.held_seconds);
  families.gauge("kappa_outbox_pending_records", "Rows for output topics not published yet", labels,
                 static_cast<double>(stats.outbox_pending));
  families.counter("kappa_transaction_aborts_total",
                   "Transactions of the outbox that were not, or not known to be, committed",
                   labels, stats.transaction_aborts);
}

// Series of their own: a replay is far behind by its nature, which is no alarm.
void add_replay(Families& families, const std::string& product, const GenerationStatus& status) {
  const Labels labels = {{"product", product}, {"generation", absl::StrCat(status.id)}};
  const auto state = [&](const char* name, bool is) {
    Labels of = labels;
    of.emplace_back("state", name);
    families.gauge("kappa_replay_state", "1: the state that a replay is in", std::move(of),
                   is ? 1 : 0);
  };
  const bool failed = !status.failure.ok();
  const bool ready = status.state == state::GenerationState::kReady;
  state("failed", failed);
  state("paused", !failed && status.paused);
  state("replaying", !failed && !status.paused && !ready);
  state("ready", !failed && !status.paused && ready);
  families.counter("kappa_replay_records_processed_total", "Records that a replay has applied",
                   labels, status.records);
  families.gauge("kappa_replay_remaining_records", "Records that a replay has before it", labels,
                 static_cast<double>(status.records_remaining));
  if (const std::optional<double> eta = status.eta_seconds()) {
    families.gauge("kappa_replay_eta_seconds",
                   "When a replay will have caught up; absent: it does not gain on what arrives",
                   labels, *eta);
  }
}

void add_generations(Families& families, const std::string& product, GenerationControl& control) {
  for (const GenerationStatus& status : control.generations()) {
    families.gauge("kappa_generation_live", "1: the generation that is served; 0: another one",
                   {{"product", product}, {"generation", absl::StrCat(status.id)}},
                   status.state == state::GenerationState::kLive ? 1 : 0);
    const bool replays = status.state == state::GenerationState::kReplaying ||
                         status.state == state::GenerationState::kReady;
    if (replays) add_replay(families, product, status);
  }
}

}  // namespace

const std::vector<double>& SampledHistogram::bounds() {
  static const std::vector<double> kBounds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                              0.025,  0.05,    0.1,    0.25,  0.5,    1,     5};
  return kBounds;
}

void SampledHistogram::observe(uint64_t total, const std::vector<double>& recent) {
  if (total < seen_) seen_ = 0;
  const uint64_t fresh = total - seen_;
  const uint64_t samples = std::min<uint64_t>(fresh, recent.size());
  if (samples == 0) return;
  seen_ = total;
  count_ += fresh;
  for (uint64_t i = 0; i < samples; ++i) {
    const double value = recent[recent.size() - samples + i];
    const uint64_t weight = fresh / samples + (i < fresh % samples ? 1 : 0);
    sum_ += value * static_cast<double>(weight);
    const auto bound = std::lower_bound(bounds().begin(), bounds().end(), value);
    if (bound != bounds().end()) {
      buckets_[static_cast<size_t>(bound - bounds().begin())] += weight;
    }
  }
}

ProductMetrics::ProductMetrics(const Products* products, const Clock* clock)
    : products_(products), clock_(clock) {}

std::vector<MetricFamily> ProductMetrics::collect() {
  const LogTime now = clock_->now();
  Families families;
  std::lock_guard lock(mutex_);
  for (const Products::Ref& product : products_->all()) {
    const std::string& name = product->name;
    const ProductCondition condition = condition_of(*product);
    families.gauge("kappa_product_ready", "1: the product is running; 0: restoring or failed",
                   {{"product", name}}, condition.state == ProductState::kRunning ? 1 : 0);
    if (product->generations) add_generations(families, name, *product->generations);
    if (product->reader == nullptr || !product->stats) continue;
    const runtime::PipelineStats stats = product->stats();
    add_pipeline(families, name, stats);
    SampledHistogram& epochs = epoch_seconds_[name];
    epochs.observe(stats.epochs, stats.epoch_seconds);
    families.histogram("kappa_epoch_duration_seconds", "How long epochs take", {{"product", name}},
                       epochs);
    families.gauge("kappa_state_bytes", "Bytes of state of a generation",
                   {{"product", name}, {"generation", absl::StrCat(product->generation)}},
                   static_cast<double>(stats.state_bytes));
    for (const auto& source : stats.sources) add_source(families, name, source);
    for (const auto& view : stats.views) add_view(families, name, view, now);
  }
  return families.take();
}

std::vector<MetricFamily> ProductMetrics::of_log(const log::Log& log) {
  Families families;
  for (const log::LogFigure& figure : log.figures()) {
    if (figure.counter) {
      families.counter(figure.name, figure.help, figure.labels,
                       static_cast<uint64_t>(std::max(0.0, figure.value)));
    } else {
      families.gauge(figure.name, figure.help, figure.labels, figure.value);
    }
  }
  return families.take();
}

}  // namespace kappa::serve
