#include "operators/kept_answers.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/types/time.h"
#include "operators/deviation.h"
#include "operators/frame_result.h"
#include "operators/sums.h"

namespace kappa::operators {
namespace {

using state::Table;

int128 whole_at(const std::byte* row, const state::RowField& field) {
  switch (field.type.physical()) {
    case PhysicalType::kInt32:
      return Table::get<int32_t>(row, field);
    case PhysicalType::kInt128:
      return Table::get<int128>(row, field);
    default:
      return Table::get<int64_t>(row, field);
  }
}

double number_at(const std::byte* row, const state::RowField& field) {
  if (field.type.id == TypeId::kDouble) return Table::get<double>(row, field);
  const auto whole = static_cast<double>(whole_at(row, field));
  return field.type.scale == 0 ? whole : whole / std::pow(10.0, field.type.scale);
}

void append_null(Column& column) {
  column.resize(column.rows() + 1);
  column.set_null(column.rows() - 1);
}

}  // namespace

KeptAnswers::KeptAnswers(const SlidingNode& op, std::vector<CallFields> fields,
                         const state::Table& table)
    : op_(op), fields_(std::move(fields)), table_(table), summary_(op.calls, fields_, table) {
  for (size_t call = 0; call < op_.calls.size(); ++call) {
    const Frame& frame = op_.calls[call].frame;
    const auto found = std::find(frames_.begin(), frames_.end(), frame);
    frame_of_call_.push_back(static_cast<size_t>(found - frames_.begin()));
    if (found == frames_.end()) frames_.push_back(frame);
    summed_up_.resize(frames_.size());
    if (summary_.answers(call)) summed_up_[frame_of_call_.back()] = true;
  }
  stretches_.resize(frames_.size());
  sums_.resize(frames_.size() * summary_.words());
}

KeptAnswers::Stretch KeptAnswers::stretch_of(const Frame& frame, const Rows& rows,
                                             const TimedItem& at, int64_t watermark_us) const {
  if (frame.unit == Frame::Unit::kRange) {
    const int64_t oldest = std::max(saturating_add(at.time_us, -frame.start),
                                    saturating_add(watermark_us, -op_.horizon_us));
    const int64_t behind = saturating_add(saturating_add(at.time_us, -frame.end), 1);
    const size_t begin = rows.before(oldest);
    return {begin, std::max(begin, rows.before(behind))};
  }
  const auto own = static_cast<int64_t>(rows.before(at.position()));
  const int64_t end = own - frame.end + 1;
  if (end <= 0) return {};
  return {static_cast<size_t>(std::max<int64_t>(0, own - frame.start)), static_cast<size_t>(end)};
}

void KeptAnswers::append(Rows& rows, const TimedItem& at, int64_t watermark_us,
                         std::vector<Column>& results, Arena& arena) {
  for (size_t f = 0; f < frames_.size(); ++f) {
    stretches_[f] = stretch_of(frames_[f], rows, at, watermark_us);
    if (!summed_up_[f]) continue;
    int64_t* const sums = sums_.data() + f * summary_.words();
    summary_.clear(sums);
    rows.fold(stretches_[f].begin, std::min(stretches_[f].end, rows.size()), summary_, sums);
  }
  for (size_t call = 0; call < op_.calls.size(); ++call) {
    const size_t f = frame_of_call_[call];
    if (summary_.answers(call)) {
      summary_.append_result(op_.calls[call], call, sums_.data() + f * summary_.words(),
                             results[call], arena);
    } else if (op_.calls[call].function == FrameFunction::kLag) {
      append_lag(call, rows, at, stretches_[f], results[call], arena);
    } else {
      append_result(call, rows, stretches_[f], results[call], arena);
    }
  }
}

void KeptAnswers::append_lag(size_t call, const Rows& rows, const TimedItem& at, Stretch frame,
                             Column& result, Arena& arena) const {
  const size_t own = rows.before(at.position());
  const auto distance = static_cast<size_t>(op_.calls[call].distance);
  const bool there = own >= distance && own - distance >= frame.begin && own - distance < frame.end;
  if (!there) return append_null(result);
  const auto row = static_cast<state::RowId>(rows.at(own - distance).item);
  Table::append_to(table_.row(row), *fields_[call].argument, result, arena);
}

void KeptAnswers::append_result(size_t call, const Rows& rows, Stretch frame, Column& result,
                                Arena& arena) {
  const FrameFunction function = op_.calls[call].function;
  const size_t end = std::min(frame.end, rows.size());
  if (function == FrameFunction::kFirstValue || function == FrameFunction::kLastValue) {
    if (frame.begin >= end) return append_null(result);
    const size_t picked = function == FrameFunction::kFirstValue ? frame.begin : end - 1;
    const auto row = static_cast<state::RowId>(rows.at(picked).item);
    return Table::append_to(table_.row(row), *fields_[call].argument, result, arena);
  }
  seen_.clear();
  rows.for_each(frame.begin, end, [&](const TimedItem& kept) {
    const std::byte* row = table_.row(static_cast<state::RowId>(kept.item));
    if (fields_[call].sees(row)) seen_.push_back(row);
  });
  const state::RowField& argument = *fields_[call].argument;
  switch (function) {
    case FrameFunction::kCountDistinct:
      return append_number(result, count_distinct(call));
    case FrameFunction::kStddev:
    case FrameFunction::kStddevPop:
      return append_deviation(call, result);
    default:
      return argument.type.id == TypeId::kDouble ? append_double_sum(call, result)
                                                 : append_whole_sum(call, result);
  }
}

// Of integers and decimals of up to 64 bits exact, as running values and groups have it.
void KeptAnswers::append_deviation(size_t call, Column& result) const {
  const state::RowField& argument = *fields_[call].argument;
  const bool sample = op_.calls[call].function == FrameFunction::kStddev;
  const PhysicalType physical = argument.type.physical();
  if (physical == PhysicalType::kInt32 || physical == PhysicalType::kInt64) {
    int128 sum = 0;
    SumOfSquares squares{};
    for (const std::byte* row : seen_) {
      const int128 value = whole_at(row, argument);
      sum += value;
      const SumOfSquares more = square(static_cast<int64_t>(value));
      squares.low += more.low;
      squares.high += more.high;
    }
    const auto count = static_cast<int64_t>(seen_.size());
    return append_double(result, deviation(count, sum, squares, sample, argument.type.scale));
  }
  std::vector<double> values;
  values.reserve(seen_.size());
  for (const std::byte* row : seen_) values.push_back(number_at(row, argument));
  append_double(result, standard_deviation(values, sample));
}

void KeptAnswers::append_double_sum(size_t call, Column& result) const {
  double sum = 0;
  for (const std::byte* row : seen_) sum += Table::get<double>(row, *fields_[call].argument);
  if (op_.calls[call].function == FrameFunction::kAvg) sum /= static_cast<double>(seen_.size());
  append_double(result, seen_.empty() ? std::nullopt : std::optional(sum));
}

void KeptAnswers::append_whole_sum(size_t call, Column& result) const {
  const state::RowField& argument = *fields_[call].argument;
  const auto count = static_cast<int64_t>(seen_.size());
  int128 sum = 0;
  for (const std::byte* row : seen_) add_to_sum(sum, whole_at(row, argument));
  if (op_.calls[call].function == FrameFunction::kAvg) {
    return append_average(result, sum, count, argument.type.scale);
  }
  append_sum(result, sum, count);
}

int64_t KeptAnswers::count_distinct(size_t call) {
  const state::RowField& argument = *fields_[call].argument;
  if (argument.type.id == TypeId::kDouble) {
    absl::flat_hash_set<uint64_t> values;
    for (const std::byte* row : seen_) {
      double value = Table::get<double>(row, argument);
      if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
      values.insert(std::bit_cast<uint64_t>(value == 0.0 ? 0.0 : value));
    }
    return static_cast<int64_t>(values.size());
  }
  distinct_.clear();
  const bool text = argument.type.physical() == PhysicalType::kString;
  for (const std::byte* row : seen_) {
    distinct_.insert(text ? Table::get_string(row, argument)
                          : std::string_view(reinterpret_cast<const char*>(row) + argument.offset,
                                             width_of(argument.type.physical())));
  }
  return static_cast<int64_t>(distinct_.size());
}

}  // namespace kappa::operators
