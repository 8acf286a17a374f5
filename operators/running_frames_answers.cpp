#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/types/time.h"
#include "operators/double_rank.h"
#include "operators/running_frames.h"
#include "operators/sums.h"

// Answers of running values, at the largest time and at earlier ones.
namespace kappa::operators {

using state::RowId;
using state::Table;

void RunningFrames::add_indexed(DisorderIndex::Events& events, const Stretch& stretch, int64_t sign,
                                const Running& running, Difference* difference) const {
  const RunningValues::Slot& slot = values_.slots()[running.slot];
  const size_t begin = events.before(stretch.low_us);
  const size_t end = events.before(stretch.high_us);
  if (running.distinct) {
    events.for_each(begin, end, [&](const TimedItem& each) {
      if ((event(each.item).seen >> running.slot & 1) == 0) return;
      difference->pairs[value_at<RowId>(event(each.item), slot.pair_offset)] += sign;
    });
    return;
  }
  const EventSums& sums = index_.sums();
  int64_t found[EventSums::kWordsMax];
  sums.clear(found);
  events.fold(begin, end, sums, found);
  difference->count += sign * sums.count(found, running.slot);
  if (slot.sums) add_wrapping(difference->sum, sums.sum(found, running.slot) * sign);
  if (!slot.squares) return;
  const SumOfSquares squares = sums.squares(found, running.slot);
  add_wrapping(difference->squares.low, squares.low * sign);
  add_wrapping(difference->squares.high, squares.high * sign);
}

void RunningFrames::add_between(const Stretch& stretch, int64_t sign, const Running& running,
                                Difference* difference) {
  DisorderIndex::Events* const indexed = index_.find(stretch.partition, stretch.oldest_us);
  if (indexed) return add_indexed(*indexed, stretch, sign, running, difference);
  const RunningValues::Slot& slot = values_.slots()[running.slot];
  uint64_t steps = 0;
  for (uint64_t from = stretch.from;
       from > log_.begin() && event(from - 1).time_max_us >= stretch.low_us; ++steps) {
    const EventHeader& each = event(from - 1);
    from = each.previous;
    if (each.time_us < stretch.low_us || each.time_us >= stretch.high_us) continue;
    if ((each.seen >> running.slot & 1) == 0) continue;
    if (running.distinct) {
      difference->pairs[value_at<RowId>(each, slot.pair_offset)] += sign;
      continue;
    }
    difference->count += sign;
    if (!slot.sums) continue;
    const auto value = value_at<int64_t>(each, slot.value_offset);
    add_wrapping(difference->sum, static_cast<int128>(value) * sign);
    if (!slot.squares) continue;
    const SumOfSquares squares = square(value);
    add_wrapping(difference->squares.low, squares.low * sign);
    add_wrapping(difference->squares.high, squares.high * sign);
  }
  if (steps <= DisorderIndex::kShortWalk) return;
  const std::byte* const partition = values_.partitions().row(stretch.partition);
  index_.note_walk(stretch.partition, steps, static_cast<uint64_t>(number(partition, values_.last)),
                   stretch.oldest_us);
}

// False: the frame is behind the horizon, and holds nothing.
bool RunningFrames::find_difference(const Running& running, RowId id, int64_t time_us,
                                    int64_t watermark_us, Difference* difference) {
  const Frame& frame = running.frame;
  const std::byte* const partition = values_.partitions().row(id);
  const int64_t oldest_us = saturating_add(watermark_us, -op_.horizon_us);
  const int64_t low_us = std::max(saturating_add(time_us, -frame.start), oldest_us);
  const int64_t end_us = saturating_add(saturating_add(time_us, -frame.end), 1);
  if (low_us >= end_us) return false;
  const auto passed = [&](size_t threshold) {
    return static_cast<uint64_t>(number(partition, values_.thresholds()[threshold].passed));
  };
  const uint64_t entered = running.enters ? passed(*running.enters)
                                          : static_cast<uint64_t>(number(partition, values_.last));
  const int64_t entered_before_us = saturating_add(saturating_add(time_max_us_, -frame.end), 1);
  const int64_t left_before_us = saturating_add(time_max_us_, -frame.start);
  add_between({id, entered, end_us, entered_before_us, oldest_us}, -1, running, difference);
  add_between({id, passed(running.leaves), low_us, left_before_us, oldest_us}, 1, running,
              difference);
  const RunningValues::Slot& slot = values_.slots()[running.slot];
  for (const auto& [pair, change] : difference->pairs) {
    const int64_t before = number(std::as_const(*slot.pairs).row(pair), running.in_pairs);
    difference->count += (before + change > 0) - (before > 0);
  }
  return true;
}

std::optional<int64_t> RunningFrames::extreme(const Running& running, RowId id, int64_t time_us,
                                              int64_t watermark_us) {
  const int64_t oldest_us = saturating_add(watermark_us, -op_.horizon_us);
  const int64_t low_us = std::max(saturating_add(time_us, -running.frame.start), oldest_us);
  const int64_t high_us = saturating_add(time_us, -running.frame.end);
  if (low_us > high_us) return std::nullopt;
  const ExtremeValues& values = extremes_[*running.extreme];
  // To late rows some are lost.
  ExtremeValues::Found found{{}, low_us};
  if (time_us >= watermark_us) found = values.best(id, low_us, high_us);
  if (found.open_from_us > high_us) return found.best;

  const RunningValues::Slot& slot = values_.slots()[running.slot];
  const auto offer = [&](int64_t value) {
    if (!found.best || values.outdoes(value, *found.best)) found.best = value;
  };
  if (DisorderIndex::Events* const indexed = index_.find(id, oldest_us)) {
    const EventSums& sums = index_.sums();
    int64_t stretch[EventSums::kWordsMax];
    sums.clear(stretch);
    indexed->fold(indexed->before(found.open_from_us), indexed->before(saturating_add(high_us, 1)),
                  sums, stretch);
    if (sums.count(stretch, running.slot) == 0) return found.best;
    offer(values_.extremes()[*running.extreme] ? sums.least(stretch, running.slot)
                                               : sums.greatest(stretch, running.slot));
    return found.best;
  }
  const auto last = static_cast<uint64_t>(number(values_.partitions().row(id), values_.last));
  uint64_t steps = 0;
  for (uint64_t from = last;
       from > log_.begin() && event(from - 1).time_max_us >= found.open_from_us; ++steps) {
    const EventHeader& each = event(from - 1);
    from = each.previous;
    if (each.time_us < found.open_from_us || each.time_us > high_us) continue;
    if ((each.seen >> running.slot & 1) != 0) offer(value_at<int64_t>(each, slot.value_offset));
  }
  if (steps > DisorderIndex::kShortWalk) index_.note_walk(id, steps, last, oldest_us);
  return found.best;
}

void RunningFrames::answer(RowId id, size_t row, int64_t time_us, int64_t watermark_us) {
  answers_.late[row] = static_cast<int8_t>(time_us < watermark_us);
  for (size_t r = 0; r < values_.running().size(); ++r) {
    const Running& running = values_.running()[r];
    if (!running.counts) {
      const auto value = running.pick
                             ? pick(running, choice_of(running, id, row, time_us, watermark_us))
                             : extreme(running, id, time_us, watermark_us);
      answers_.counts[r][row] = value ? 1 : 0;
      answers_.extremes[r][row] = value.value_or(0);
    } else if (time_us == time_max_us_) {
      answer_running(id, r, row);
    } else {
      answer_earlier(id, r, row, time_us, watermark_us);
    }
  }
}

// At the largest time: what is running.
void RunningFrames::answer_running(RowId id, size_t r, size_t row) {
  const Running& running = values_.running()[r];
  const std::byte* const partition = values_.partitions().row(id);
  answers_.counts[r][row] = number(partition, running.count);
  if (running.sums) answers_.sums[r][row] = Table::get<int128>(partition, running.sum);
  if (running.squares) {
    answers_.squares[r][row] = {Table::get<int128>(partition, running.squares_low),
                                Table::get<int128>(partition, running.squares_high)};
  }
}

void RunningFrames::answer_earlier(RowId id, size_t r, size_t row, int64_t time_us,
                                   int64_t watermark_us) {
  const Running& running = values_.running()[r];
  answers_.counts[r][row] = 0;
  if (running.sums) answers_.sums[r][row] = 0;
  if (running.squares) answers_.squares[r][row] = {};
  Difference found;
  // Of a frame behind the horizon, nothing.
  if (!find_difference(running, id, time_us, watermark_us, &found)) return;
  answer_running(id, r, row);
  answers_.counts[r][row] += found.count;
  if (running.sums) add_wrapping(answers_.sums[r][row], found.sum);
  if (!running.squares) return;
  add_wrapping(answers_.squares[r][row].low, found.squares.low);
  add_wrapping(answers_.squares[r][row].high, found.squares.high);
}

Column RunningFrames::extremes(const FrameCall& call, size_t running) const {
  const std::vector<int64_t>& counts = answers_.counts[running];
  const std::vector<int64_t>& extremes = answers_.extremes[running];
  Column column(call.result, counts.size());
  const auto fill = [&]<typename T>(std::span<T> values) {
    for (size_t i = 0; i < values.size(); ++i) {
      if (counts[i] == 0) {
        column.set_null(i);
      } else if constexpr (std::is_same_v<T, double>) {
        values[i] = value_of_rank(extremes[i]);
      } else {
        values[i] = static_cast<T>(extremes[i]);
      }
    }
  };
  switch (call.result.physical()) {
    case PhysicalType::kInt32:
      fill(column.values<int32_t>());
      break;
    case PhysicalType::kDouble:
      fill(column.values<double>());
      break;
    default:
      fill(column.values<int64_t>());
  }
  return column;
}

Column RunningFrames::deviations(const FrameCall& call, size_t running) const {
  const int scale = input_schema_[static_cast<size_t>(call.argument)].type.scale;
  const bool sample = call.function == FrameFunction::kStddev;
  const std::vector<int64_t>& counts = answers_.counts[running];
  Column column(call.result);
  column.reserve(counts.size());
  for (size_t i = 0; i < counts.size(); ++i) {
    append_double(column, deviation(counts[i], answers_.sums[running][i],
                                    answers_.squares[running][i], sample, scale));
  }
  return column;
}

Column RunningFrames::result(size_t index) const {
  const FrameCall& call = op_.calls[index];
  const size_t running = values_.running_of_call(index);
  if (running == RunningValues::kNothingRuns) {
    Column late(call.result, answers_.late.size());
    std::copy(answers_.late.begin(), answers_.late.end(), late.values<int8_t>().begin());
    return late;
  }
  const std::vector<int64_t>& counts = answers_.counts[running];
  const std::vector<int128>& sums = answers_.sums[running];
  if (call.function == FrameFunction::kSum) return sums_column(call.result, sums, counts);
  if (values_.running()[running].extreme) return extremes(call, running);
  if (values_.running()[running].pick) return picks(call, running);
  if (call.function == FrameFunction::kStddev || call.function == FrameFunction::kStddevPop) {
    return deviations(call, running);
  }
  if (call.function == FrameFunction::kAvg) {
    const int scale = input_schema_[static_cast<size_t>(call.argument)].type.scale;
    return averages_column(call.result, sums, counts, scale);
  }
  Column column(call.result, counts.size());
  std::copy(counts.begin(), counts.end(), column.values<int64_t>().begin());
  return column;
}

}  // namespace kappa::operators
