#include "engine/serve/inspect.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/serve/api_error.h"
#include "engine/serve/wire.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"
#include "kappa/v1/admin.pb.h"

namespace kappa::serve {
namespace {

v1::ProductState to_wire(ProductState state) {
  switch (state) {
    case ProductState::kRestoring:
      return v1::PRODUCT_STATE_RESTORING;
    case ProductState::kRunning:
      return v1::PRODUCT_STATE_RUNNING;
    case ProductState::kFailed:
      return v1::PRODUCT_STATE_FAILED;
  }
  return v1::PRODUCT_STATE_UNSPECIFIED;
}

void write_view(const runtime::ViewStats& view, v1::ViewStatus* out) {
  out->set_name(view.name);
  out->set_rows(static_cast<int64_t>(view.rows));
  out->set_late_records(static_cast<int64_t>(view.late_records));
  out->set_errors(static_cast<int64_t>(view.errors));
  out->set_duplicates(static_cast<int64_t>(view.duplicates));
  if (view.watermark != kNoEventTime) out->set_watermark_us(view.watermark.us);
}

void write_declaration(const schemas::Source& source, v1::SourceStatus* out) {
  out->set_format(source.format == schemas::Format::kJson ? v1::SOURCE_FORMAT_JSON
                                                          : v1::SOURCE_FORMAT_PROTOBUF);
  for (const schemas::SourceColumn& column : source.columns) {
    serve::to_wire(operators::Field{column.field, column.type}, out->add_fields());
  }
}

void write_source(const runtime::SourceStats& source, const operators::Plan& plan,
                  v1::SourceStatus* out) {
  out->set_topic(source.topic);
  for (const schemas::Source& declared : plan.sources) {
    if (declared.topic != source.topic) continue;
    write_declaration(declared, out);
    break;
  }
  out->set_records(static_cast<int64_t>(source.records));
  out->set_dead_letters(static_cast<int64_t>(source.dead_letters));
  out->set_lag_records(source.lag_records);
  if (source.watermark != kNoEventTime) out->set_watermark_us(source.watermark.us);
}

void write_stats(const runtime::PipelineStats& stats, const operators::Plan& plan,
                 v1::Product* out) {
  out->set_state_bytes(static_cast<int64_t>(stats.state_bytes));
  out->set_epochs(static_cast<int64_t>(stats.epochs));
  out->set_records(static_cast<int64_t>(stats.records));
  out->set_last_checkpoint_ms(stats.last_checkpoint_ms);
  out->set_last_checkpoint_seconds(stats.checkpoint_seconds);
  out->set_outbox_pending(static_cast<int64_t>(stats.outbox_pending));
  out->set_busy_records(static_cast<int64_t>(stats.busy_records));
  out->set_busy_seconds(stats.busy_seconds);
  for (const runtime::ViewStats& view : stats.views) write_view(view, out->add_views());
  for (const runtime::SourceStats& source : stats.sources) {
    write_source(source, plan, out->add_sources());
  }
}

absl::Status write_checksum(const ServedProduct& product, v1::Product* out) {
  if (!product.checksum) {
    return with_reason(absl::FailedPreconditionError(absl::StrCat(
                           "this server cannot compute the checksum of product ", product.name)),
                       "NO_CHECKSUM", {{"product", product.name}});
  }
  KAPPA_ASSIGN_OR_RETURN(std::string checksum, product.checksum());
  out->set_checksum(std::move(checksum));
  return absl::OkStatus();
}

absl::Status write_product(const ServedProduct& product, bool checksum, runtime::Deadline deadline,
                           v1::Product* out) {
  out->set_name(product.name);
  const ProductCondition condition = condition_of(product);
  out->set_state(to_wire(condition.state));
  out->set_failure(valid_utf8(to_std(condition.failure.message())));
  if (product.reader == nullptr) return absl::OkStatus();
  const operators::Plan& plan = product.reader->plan();
  out->set_plan_fingerprint(absl::StrFormat("%016x", operators::fingerprint(plan)));
  if (product.stats) write_stats(product.stats(), plan, out);
  out->mutable_stamp()->set_generation(product.generation);
  // A pipeline that has stopped has no place to tell; what it last counted is still worth knowing.
  const auto snapshot = product.reader->pin(plan.views(), deadline);
  if (snapshot.ok()) {
    out->mutable_stamp()->Clear();
    serve::to_wire((*snapshot)->stamp(), out->mutable_stamp());
  } else if (condition.state == ProductState::kRunning) {
    return snapshot.status();
  }
  return checksum ? write_checksum(product, out) : absl::OkStatus();
}

}  // namespace

absl::Status inspect(const Backend& backend, const v1::InspectRequest& request,
                     runtime::Deadline deadline, const std::function<absl::Status()>& still_wanted,
                     v1::InspectResponse* response) {
  std::vector<Products::Ref> products = backend.products.all();
  if (!request.product().empty()) {
    KAPPA_ASSIGN_OR_RETURN(Products::Ref product, backend.products.find(request.product()));
    products = {std::move(product)};
  }
  response->set_version(backend.version);
  for (const Products::Ref& product : products) {
    KAPPA_RETURN_IF_ERROR(still_wanted());
    KAPPA_RETURN_IF_ERROR(
        write_product(*product, request.checksum(), deadline, response->add_products()));
  }
  return absl::OkStatus();
}

}  // namespace kappa::serve
