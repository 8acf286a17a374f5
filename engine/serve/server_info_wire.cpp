#include "engine/serve/server_info_wire.h"

#include <utility>

#include "engine/serve/wire.h"
#include "kappa/v1/admin.pb.h"

namespace kappa::serve {
namespace {

operators::Schema schema_of(const v1::SourceStatus& source) {
  operators::Schema schema;
  for (const v1::Column& column : source.fields()) schema.push_back(from_wire(column));
  return schema;
}

std::string state_name(v1::ProductState state) {
  switch (state) {
    case v1::PRODUCT_STATE_RESTORING:
      return "restoring";
    case v1::PRODUCT_STATE_RUNNING:
      return "running";
    case v1::PRODUCT_STATE_FAILED:
      return "failed";
    default:
      return "unknown";
  }
}

std::vector<DeclaredSource> declared_sources(const v1::Product& wire) {
  std::vector<DeclaredSource> sources;
  for (const v1::SourceStatus& source : wire.sources()) {
    const bool protobuf = source.format() == v1::SOURCE_FORMAT_PROTOBUF;
    sources.push_back({source.topic(),
                       protobuf ? schemas::Format::kProtobuf : schemas::Format::kJson,
                       schema_of(source)});
  }
  return sources;
}

runtime::PipelineStats stats_of(const v1::Product& wire) {
  runtime::PipelineStats stats;
  stats.epochs = static_cast<uint64_t>(wire.epochs());
  stats.records = static_cast<uint64_t>(wire.records());
  stats.last_checkpoint_ms = wire.last_checkpoint_ms();
  stats.checkpoint_seconds = wire.last_checkpoint_seconds();
  stats.outbox_pending = static_cast<uint64_t>(wire.outbox_pending());
  stats.busy_records = static_cast<uint64_t>(wire.busy_records());
  stats.busy_seconds = wire.busy_seconds();
  stats.state_bytes = static_cast<uint64_t>(wire.state_bytes());
  for (const v1::ViewStatus& from : wire.views()) {
    runtime::ViewStats view;
    view.name = from.name();
    view.rows = static_cast<uint64_t>(from.rows());
    view.late_records = static_cast<uint64_t>(from.late_records());
    view.errors = static_cast<uint64_t>(from.errors());
    view.duplicates = static_cast<uint64_t>(from.duplicates());
    if (from.has_watermark_us()) view.watermark = EventTime{from.watermark_us()};
    stats.views.push_back(std::move(view));
  }
  for (const v1::SourceStatus& from : wire.sources()) {
    runtime::SourceStats source;
    source.topic = from.topic();
    source.records = static_cast<uint64_t>(from.records());
    source.dead_letters = static_cast<uint64_t>(from.dead_letters());
    source.lag_records = from.lag_records();
    if (from.has_watermark_us()) source.watermark = EventTime{from.watermark_us()};
    stats.sources.push_back(std::move(source));
  }
  return stats;
}

}  // namespace

ServerInfo from_wire(const v1::InspectResponse& wire) {
  ServerInfo info{wire.version(), {}};
  for (const v1::Product& product : wire.products()) {
    info.products.push_back({product.name(), state_name(product.state()), product.failure(),
                             from_wire(product.stamp()), product.plan_fingerprint(),
                             stats_of(product), product.checksum(), declared_sources(product)});
  }
  return info;
}

}  // namespace kappa::serve
