#include "engine/runtime/source_step.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "engine/runtime/record_columns.h"
#include "engine/types/datetime.h"
#include "engine/types/status_macros.h"

namespace kappa::runtime {

using operators::SideRow;

SourceStep::SourceStep(const operators::Plan& plan, operators::NodeId node)
    : node_(node),
      op_(std::get<operators::SourceNode>(plan.node(node).op)),
      source_(plan.sources[static_cast<size_t>(op_.source)]),
      columns_(op_.wanted.size()) {}

absl::StatusOr<std::unique_ptr<SourceStep>> SourceStep::create(const operators::Plan& plan,
                                                               operators::NodeId node,
                                                               const schemas::ProductFiles& files) {
  auto step = std::unique_ptr<SourceStep>(new SourceStep(plan, node));
  std::vector<int> wanted = step->op_.wanted;
  if (step->source_.event_time) {
    // The watermark needs the event time even where no view does.
    const int event_time = *step->source_.event_time;
    const auto found = std::find(wanted.begin(), wanted.end(), event_time);
    if (found == wanted.end()) {
      step->event_time_ = static_cast<int>(
          std::lower_bound(wanted.begin(), wanted.end(), event_time) - wanted.begin());
      wanted.insert(wanted.begin() + step->event_time_, event_time);
    } else {
      step->event_time_ = static_cast<int>(found - wanted.begin());
    }
  }
  std::vector<int> of_payload;
  const auto readable = schemas::readable_columns(step->source_);
  for (const int column : wanted) {
    const auto& of_record = readable[static_cast<size_t>(column)].of_record;
    if (of_record) {
      step->of_record_.push_back(*of_record);
    } else {
      of_payload.push_back(column);
    }
  }
  KAPPA_ASSIGN_OR_RETURN(step->decoder_,
                         schemas::make_decoder(step->source_, std::move(of_payload), files));
  return step;
}

void SourceStep::take(std::span<const RecordSpan> spans) {
  records_.clear();
  record_places_.clear();
  for (const RecordSpan& span : spans) {
    for (uint32_t i = 0; i < span.count; ++i) {
      records_.push_back(span.first + i);
      record_places_.push_back(span.place + i);
    }
  }
}

Batch SourceStep::decode(std::span<const RecordSpan> records, const Epoch& epoch,
                         const OrderReader& reader, Arena& arena, std::vector<SideRow>* side) {
  take(records);
  decoder_->decode(records_, arena, &decoded_);
  for (const schemas::Malformed& malformed : decoded_.malformed) {
    refuse(RowPlace::of_record(record_places_[malformed.record]), malformed.reason, side);
  }
  Batch batch;
  batch.rows = decoded_.records.size();
  batch.signs = decoded_.signs;
  row_places_.resize(batch.rows);
  batch.places.resize(batch.rows);
  for (size_t i = 0; i < batch.rows; ++i) {
    row_places_[i] = record_places_[decoded_.records[i]];
    batch.places[i] = RowPlace::of_record(row_places_[i]);
  }
  std::vector<Column>& columns = decoded_.columns;  // the next decode() uses what stays of them
  for (const schemas::RecordColumn column : of_record_) {
    columns.push_back(record_column(column, row_places_, epoch, reader, arena));
  }
  event_times_us_.clear();
  has_no_time_.clear();
  if (event_time_ >= 0) {
    const Column& times = columns[static_cast<size_t>(event_time_)];
    const auto values = times.values<int64_t>();
    event_times_us_.assign(values.begin(), values.end());
    has_no_time_.assign(times.nulls().begin(), times.nulls().end());
  }
  const bool extra_time = columns.size() > columns_;
  for (size_t c = 0; c < columns.size(); ++c) {
    if (extra_time && static_cast<int>(c) == event_time_) continue;
    batch.columns.push_back(std::make_shared<const Column>(std::move(columns[c])));
  }
  refuse_times(epoch, side, &batch);
  return batch;
}

void SourceStep::refuse(RowPlace place, std::string reason, std::vector<SideRow>* side) const {
  side->push_back({place, node_, SideRow::Kind::kError, {}, std::move(reason), {}});
}

std::string SourceStep::reason_against(size_t row, int64_t known_at_us) const {
  if (!has_no_time_.empty() && has_no_time_[row] != 0) {
    return "the event time kafka_timestamp is NULL: the record has no timestamp, or none in the "
           "years 0001 to 9999";
  }
  return absl::StrCat("event time ", timestamp_to_text(event_times_us_[row]), " lies more than ",
                      interval_to_text(source_.max_future_us),
                      " (max_future) after the record's log time ", timestamp_to_text(known_at_us));
}

// Of most batches one look at the latest event time tells.
bool SourceStep::all_in_time(const Epoch& epoch, const Batch& batch) const {
  if (!batch.signs.empty() || !has_no_time_.empty()) return false;
  int64_t latest_us = std::numeric_limits<int64_t>::min();
  for (const int64_t time_us : event_times_us_) latest_us = std::max(latest_us, time_us);
  const int64_t known_at_us = epoch.known_at_min_ms() * kMicrosPerMilli;
  return latest_us <= saturating_add(known_at_us, source_.max_future_us);
}

void SourceStep::refuse_times(const Epoch& epoch, std::vector<SideRow>* side, Batch* batch) {
  if (event_time_ < 0 || all_in_time(epoch, *batch)) return;
  std::vector<uint32_t> kept;
  std::vector<uint32_t> shown;  // a deletion has no time to show
  bool all = true;              // so far; then neither is filled
  const auto differ_from = [&](uint32_t row) {
    if (!all) return;
    all = false;
    kept.resize(row);
    std::iota(kept.begin(), kept.end(), 0);
    shown = kept;
  };
  for (uint32_t i = 0; i < batch->rows; ++i) {
    const bool deletion = !batch->signs.empty() && batch->signs[i] < 0;
    const int64_t known_at_us = epoch.known_at_ms()[row_places_[i]] * kMicrosPerMilli;
    const bool future = event_times_us_[i] > saturating_add(known_at_us, source_.max_future_us);
    const bool none = !has_no_time_.empty() && has_no_time_[i] != 0;
    const bool refused = !deletion && (future || none);
    if (deletion || refused) differ_from(i);
    if (refused) {
      refuse(batch->places[i], reason_against(i, known_at_us), side);
    } else if (!all) {
      kept.push_back(i);
      if (!deletion) shown.push_back(i);
    }
  }
  if (all) return;
  if (kept.size() < batch->rows) *batch = gather(*batch, kept);
  std::vector<int64_t> times;
  std::vector<uint32_t> places;
  for (uint32_t i : shown) {
    times.push_back(event_times_us_[i]);
    places.push_back(row_places_[i]);
  }
  event_times_us_ = std::move(times);
  row_places_ = std::move(places);
}

}  // namespace kappa::runtime
