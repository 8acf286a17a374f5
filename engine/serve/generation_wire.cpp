#include "engine/serve/generation_wire.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "engine/serve/api_error.h"
#include "engine/serve/wire.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"
#include "kappa/v1/replay.pb.h"

namespace kappa::serve {
namespace {

using state::GenerationState;

std::string hex(uint64_t number) {
  return absl::StrFormat("%016x", number);
}

uint64_t from_hex(const std::string& text) {
  uint64_t number = 0;
  return absl::SimpleHexAtoi(text, &number) ? number : 0;
}

v1::GenerationState wire_state(GenerationState state) {
  switch (state) {
    case GenerationState::kReplaying:
      return v1::GENERATION_STATE_REPLAYING;
    case GenerationState::kReady:
      return v1::GENERATION_STATE_READY;
    case GenerationState::kLive:
      return v1::GENERATION_STATE_LIVE;
    case GenerationState::kRetired:
      return v1::GENERATION_STATE_RETIRED;
  }
  return v1::GENERATION_STATE_UNSPECIFIED;
}

GenerationState state_of(v1::GenerationState state) {
  switch (state) {
    case v1::GENERATION_STATE_READY:
      return GenerationState::kReady;
    case v1::GENERATION_STATE_LIVE:
      return GenerationState::kLive;
    case v1::GENERATION_STATE_RETIRED:
      return GenerationState::kRetired;
    default:
      return GenerationState::kReplaying;
  }
}

std::string failure_text(const absl::Status& failure) {
  if (failure.ok()) return "";
  if (failure.message().empty()) return absl::StatusCodeToString(failure.code());
  return valid_utf8(to_std(failure.message()));
}

using SampleSide = std::optional<Row> ViewDifference::Sample::*;

// The columns of one side of the samples: values know their types.
void write_columns(const ViewDifference& view, SampleSide side,
                   google::protobuf::RepeatedPtrField<v1::Column>* wire) {
  for (size_t i = 0; i < view.sample_columns.size(); ++i) {
    operators::Field field{view.sample_columns[i], {TypeId::kNull, 0, 0}};
    for (const ViewDifference::Sample& sample : view.samples) {
      const std::optional<Row>& row = sample.*side;
      if (!row || i >= row->size()) continue;
      field.type = (*row)[i].type;
      if (field.type.id != TypeId::kNull) break;
    }
    to_wire(field, wire->Add());
  }
}

void write_samples(const ViewDifference& view, v1::RowSamples* wire) {
  write_columns(view, &ViewDifference::Sample::before, wire->mutable_before_columns());
  write_columns(view, &ViewDifference::Sample::after, wire->mutable_after_columns());
  for (const ViewDifference::Sample& sample : view.samples) {
    v1::RowSample* row = wire->add_rows();
    if (sample.before) to_wire(*sample.before, row->mutable_before());
    if (sample.after) to_wire(*sample.after, row->mutable_after());
  }
}

void write_view(const ViewDifference& view, v1::ViewDifference* wire) {
  wire->set_view(view.view);
  wire->set_equal(view.equal());
  wire->set_incomparable(valid_utf8(view.incomparable));
  wire->set_rows_before(static_cast<int64_t>(view.rows_before));
  wire->set_rows_after(static_cast<int64_t>(view.rows_after));
  wire->set_checksum_before(hex(view.checksum_before));
  wire->set_checksum_after(hex(view.checksum_after));
  wire->set_changed(static_cast<int64_t>(view.changed));
  wire->set_added(static_cast<int64_t>(view.added));
  wire->set_removed(static_cast<int64_t>(view.removed));
  for (const auto& [column, rows] : view.columns) {
    v1::ColumnDifference* difference = wire->add_columns();
    difference->set_column(valid_utf8(column));
    difference->set_rows(static_cast<int64_t>(rows));
  }
  for (const std::string& column : view.columns_before) {
    wire->add_columns_before(valid_utf8(column));
  }
  for (const std::string& column : view.columns_after) wire->add_columns_after(valid_utf8(column));
  if (!view.samples.empty()) write_samples(view, wire->mutable_samples());
}

absl::StatusOr<Row> row_of(const v1::Row& wire,
                           const google::protobuf::RepeatedPtrField<v1::Column>& columns) {
  if (wire.values_size() != columns.size()) {
    return absl::InvalidArgumentError(
        "the server sent a row with another number of values than columns");
  }
  Row row;
  for (int i = 0; i < columns.size(); ++i) {
    KAPPA_ASSIGN_OR_RETURN(Value value, from_wire(wire.values(i), from_wire(columns[i]).type));
    row.push_back(std::move(value));
  }
  return row;
}

absl::Status read_samples(const v1::RowSamples& wire, ViewDifference* view) {
  for (const v1::Column& column : wire.before_columns()) {
    view->sample_columns.push_back(column.name());
  }
  for (const v1::RowSample& row : wire.rows()) {
    ViewDifference::Sample& sample = view->samples.emplace_back();
    if (row.has_before()) {
      KAPPA_ASSIGN_OR_RETURN(sample.before, row_of(row.before(), wire.before_columns()));
    }
    if (row.has_after()) {
      KAPPA_ASSIGN_OR_RETURN(sample.after, row_of(row.after(), wire.after_columns()));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<ViewDifference> view_of(const v1::ViewDifference& wire) {
  ViewDifference view;
  view.view = wire.view();
  view.incomparable = wire.incomparable();
  view.rows_before = static_cast<uint64_t>(wire.rows_before());
  view.rows_after = static_cast<uint64_t>(wire.rows_after());
  view.checksum_before = from_hex(wire.checksum_before());
  view.checksum_after = from_hex(wire.checksum_after());
  view.changed = static_cast<uint64_t>(wire.changed());
  view.added = static_cast<uint64_t>(wire.added());
  view.removed = static_cast<uint64_t>(wire.removed());
  for (const v1::ColumnDifference& column : wire.columns()) {
    view.columns.emplace_back(column.column(), static_cast<uint64_t>(column.rows()));
  }
  view.columns_before.assign(wire.columns_before().begin(), wire.columns_before().end());
  view.columns_after.assign(wire.columns_after().begin(), wire.columns_after().end());
  KAPPA_RETURN_IF_ERROR(read_samples(wire.samples(), &view));
  return view;
}

}  // namespace

void to_wire(const ReplayBudget& budget, v1::ReplayBudget* wire) {
  wire->set_cpu_cores_max(budget.cpu_cores_max);
  wire->set_records_per_second_max(budget.records_per_second_max);
  wire->set_memory_bytes_max(static_cast<int64_t>(budget.memory_bytes_max));
}

void to_wire(const state::ReplayStart& start, v1::ReplayStart* wire) {
  const bool log_time = start.order == state::ReplayStart::Order::kLogTime;
  wire->set_order(log_time ? v1::REPLAY_ORDER_LOG_TIME : v1::REPLAY_ORDER_JOURNAL);
  if (start.from_ms) wire->set_from_timestamp_ms(*start.from_ms);
}

void to_wire(const GenerationStatus& status, v1::Generation* wire) {
  wire->set_id(status.id);
  wire->set_state(wire_state(status.state));
  wire->set_runs(status.runs);
  wire->set_paused(status.paused);
  wire->set_paused_because(status.paused_because);
  wire->set_failure(failure_text(status.failure));
  wire->set_created(status.created);
  wire->set_plan_fingerprint(hex(status.plan_fingerprint));
  to_wire(status.budget, wire->mutable_budget());
  wire->set_records(static_cast<int64_t>(status.records));
  wire->set_records_remaining(status.records_remaining);
  wire->set_records_per_second(status.records_per_second);
  wire->set_arriving_per_second(status.arriving_per_second);
  if (const auto eta = status.eta_seconds()) wire->set_eta_seconds(*eta);
  if (status.watermark != kNoEventTime) wire->set_watermark_us(status.watermark.us);
  wire->set_state_bytes(static_cast<int64_t>(status.state_bytes));
  to_wire(status.start, wire->mutable_start());
  for (const std::string& view : status.kept_views) wire->add_kept_views(view);
}

void to_wire(const Comparison& comparison, v1::CompareGenerationsResponse* wire) {
  wire->set_before(comparison.before);
  wire->set_after(comparison.after);
  for (const auto& [partition, offset] : comparison.place) {
    v1::PartitionOffset* added = wire->add_offsets();
    added->set_topic(partition.topic);
    added->set_partition(partition.partition);
    added->set_next_offset(offset.value);
  }
  for (const ViewDifference& view : comparison.views) write_view(view, wire->add_views());
  wire->set_equal(comparison.equal());
}

void to_wire(const SwapReport& report, v1::SwapReport* wire) {
  wire->set_from_generation(report.from);
  wire->set_to_generation(report.to);
  wire->set_seconds(report.seconds);
  wire->set_held_seconds(report.held_seconds);
}

ReplayBudget from_wire(const v1::ReplayBudget& wire) {
  return {wire.cpu_cores_max(), wire.records_per_second_max(),
          static_cast<uint64_t>(wire.memory_bytes_max())};
}

state::ReplayStart from_wire(const v1::ReplayStart& wire) {
  state::ReplayStart start;
  if (wire.order() == v1::REPLAY_ORDER_LOG_TIME) start.order = state::ReplayStart::Order::kLogTime;
  if (wire.has_from_timestamp_ms()) start.from_ms = wire.from_timestamp_ms();
  return start;
}

GenerationStatus from_wire(const v1::Generation& wire) {
  GenerationStatus status;
  status.id = wire.id();
  status.state = state_of(wire.state());
  status.runs = wire.runs();
  status.paused = wire.paused();
  status.paused_because = wire.paused_because();
  if (!wire.failure().empty()) status.failure = absl::UnknownError(wire.failure());
  status.created = wire.created();
  status.plan_fingerprint = from_hex(wire.plan_fingerprint());
  status.budget = from_wire(wire.budget());
  status.records = static_cast<uint64_t>(wire.records());
  status.records_remaining = wire.records_remaining();
  status.records_per_second = wire.records_per_second();
  status.arriving_per_second = wire.arriving_per_second();
  if (wire.has_watermark_us()) status.watermark = EventTime{wire.watermark_us()};
  status.state_bytes = static_cast<uint64_t>(wire.state_bytes());
  status.start = from_wire(wire.start());
  status.kept_views = {wire.kept_views().begin(), wire.kept_views().end()};
  return status;
}

absl::StatusOr<Comparison> from_wire(const v1::CompareGenerationsResponse& wire) {
  Comparison comparison;
  comparison.before = wire.before();
  comparison.after = wire.after();
  for (const v1::PartitionOffset& offset : wire.offsets()) {
    comparison.place.push_back(
        {{offset.topic(), offset.partition()}, Offset{offset.next_offset()}});
  }
  for (const v1::ViewDifference& view : wire.views()) {
    KAPPA_ASSIGN_OR_RETURN(ViewDifference read, view_of(view));
    comparison.views.push_back(std::move(read));
  }
  return comparison;
}

SwapReport from_wire(const v1::SwapReport& wire) {
  return {wire.from_generation(), wire.to_generation(), wire.seconds(), wire.held_seconds()};
}

}  // namespace kappa::serve
