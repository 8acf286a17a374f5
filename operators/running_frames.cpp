#include "operators/running_frames.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <new>

#include "engine/types/hash.h"
#include "engine/types/time.h"
#include "operators/double_rank.h"
#include "operators/late_row.h"
#include "operators/sums.h"

namespace kappa::operators {
namespace {

using state::RowId;
using state::Table;

constexpr int64_t kNever = std::numeric_limits<int64_t>::min();

// What a slot has of a column of up to 64 bits: integers and decimals, of doubles their ranks or,
// where they are `picked`, their bits.
std::vector<int64_t> integers_of(const Column& column, bool picked) {
  if (column.type().physical() == PhysicalType::kDouble) {
    std::vector<int64_t> integers(column.rows());
    std::ranges::transform(column.values<double>(), integers.begin(), [&](double value) {
      return picked ? std::bit_cast<int64_t>(value) : rank_of(value);
    });
    return integers;
  }
  if (column.type().physical() == PhysicalType::kInt8) {
    const auto values = column.values<int8_t>();
    return {values.begin(), values.end()};
  }
  if (column.type().physical() == PhysicalType::kInt32) {
    const auto values = column.values<int32_t>();
    return {values.begin(), values.end()};
  }
  const auto values = column.values<int64_t>();
  return {values.begin(), values.end()};
}

}  // namespace

RunningFrames::RunningFrames(const Plan& plan, NodeId node)
    : node_(plan.node(node)),
      op_(std::get<SlidingNode>(node_.op)),
      input_schema_(plan.node(node_.inputs[0]).schema),
      values_(plan, node_, operator_id(plan, node)),
      log_(state::TableId{operator_id(plan, node), 0}, values_.record_bytes()),
      index_(values_, log_),
      chain_(values_.span_offset(), log_),
      keys_have_strings_(keys_have_strings()),
      watermark_us_(kNever),
      time_max_us_(kNever),
      in_order_time_us_(kNever),
      next_(values_.thresholds().size(), 0),
      passed_(values_.thresholds().size(), kNever) {
  answers_.counts.resize(values_.running().size());
  answers_.sums.resize(values_.running().size());
  answers_.squares.resize(values_.running().size());
  answers_.extremes.resize(values_.running().size());
  for (const bool least : values_.extremes()) extremes_.emplace_back(least);
}

// ---- what a batch's rows are ----------------------------------------------------------------

void RunningFrames::find_pairs(const Batch& input, size_t slot, Rows* rows) {
  const RunningValues::Slot& spec = values_.slots()[slot];
  std::vector<uint32_t> counted;
  for (uint32_t i = 0; i < input.rows; ++i) {
    if ((rows->seen[i] >> slot & 1) != 0) counted.push_back(i);
  }
  std::vector<ColumnRef> key;
  for (const ColumnRef& column : rows->key) {
    key.push_back(std::make_shared<const Column>(column->gather(counted)));
  }
  const Column& values = *input.columns[static_cast<size_t>(spec.argument)];
  key.push_back(std::make_shared<const Column>(values.gather(counted)));
  std::vector<uint64_t> hashes;
  hash_columns(key, counted.size(), &hashes);
  std::vector<RowId> found(counted.size());
  spec.pairs->find_or_insert(key, hashes, found, nullptr);
  std::vector<RowId>& pairs = rows->pairs[slot];
  pairs.assign(input.rows, state::kNoRow);
  for (size_t i = 0; i < counted.size(); ++i) pairs[counted[i]] = found[i];
}

RunningFrames::Rows RunningFrames::look_up(const Batch& input) {
  Rows rows;
  for (int column : op_.partition) {
    rows.key.push_back(input.columns[static_cast<size_t>(column)]);
  }
  std::vector<uint64_t> hashes;
  const bool hashed = !op_.partition.empty() && !input.key_hashes.empty();
  if (!hashed) hash_columns(rows.key, input.rows, &hashes);
  rows.partitions.resize(input.rows);
  values_.partitions().find_or_insert(rows.key, hashed ? input.key_hashes : hashes, rows.partitions,
                                      nullptr);
  rows.seen.assign(input.rows, 0);
  rows.values.resize(values_.slots().size());
  rows.pairs.resize(values_.slots().size());
  for (size_t s = 0; s < values_.slots().size(); ++s) {
    const RunningValues::Slot& slot = values_.slots()[s];
    const auto column = [&](int index) -> const Column* {
      return index < 0 ? nullptr : input.columns[static_cast<size_t>(index)].get();
    };
    const Column* argument = column(slot.argument);
    const Column* filter = column(slot.filter);
    const bool nulls = argument && argument->has_nulls();
    for (size_t i = 0; i < input.rows; ++i) {
      const bool sees = !(nulls && argument->is_null(i)) &&
                        (!filter || (!filter->is_null(i) && filter->values<int8_t>()[i] != 0));
      rows.seen[i] |= static_cast<uint32_t>(sees) << s;
    }
    if (argument && slot.has_value()) rows.values[s] = integers_of(*argument, slot.picked);
    if (slot.distinct) find_pairs(input, s, &rows);
  }
  return rows;
}

// ---- events come, enter and leave -----------------------------------------------------------

void RunningFrames::count_in(const EventHeader& event, std::byte* partition, const Running& running,
                             int64_t sign) {
  if ((event.seen >> running.slot & 1) == 0) return;
  const RunningValues::Slot& slot = values_.slots()[running.slot];
  if (running.extreme) {
    extremes_[*running.extreme].enter(event.partition, event.time_us,
                                      value_at<int64_t>(event, slot.value_offset),
                                      saturating_add(watermark_us_, -running.frame.start));
    return;
  }
  if (!running.distinct) {
    number(partition, running.count) += sign;
    if (!running.sums) return;
    const auto value = value_at<int64_t>(event, slot.value_offset);
    add_wrapping(Table::get<int128>(partition, running.sum), static_cast<int128>(value) * sign);
    if (!running.squares) return;
    const SumOfSquares squares = square(value);
    add_wrapping(Table::get<int128>(partition, running.squares_low), squares.low * sign);
    add_wrapping(Table::get<int128>(partition, running.squares_high), squares.high * sign);
    return;
  }
  int64_t& times =
      number(slot.pairs->row(value_at<RowId>(event, slot.pair_offset)), running.in_pairs);
  const int64_t before = times;
  times += sign;
  number(partition, running.count) += (times > 0) - (before > 0);
}

void RunningFrames::pass_event(uint64_t number_of_event, size_t index) {
  const Threshold& threshold = values_.thresholds()[index];
  const EventHeader& passing = event(number_of_event);
  std::byte* const partition = values_.partitions().row(passing.partition);
  for (size_t each : threshold.entering) count_in(passing, partition, values_.running()[each], 1);
  for (size_t each : threshold.leaving) count_in(passing, partition, values_.running()[each], -1);
  int64_t& passed = number(partition, threshold.passed);
  passed = std::max(passed, static_cast<int64_t>(number_of_event) + 1);
}

// Lets everything pass whose time has come.
void RunningFrames::pass(size_t index) {
  constexpr uint64_t kAhead = 8;
  const Threshold& threshold = values_.thresholds()[index];
  const int64_t before_us = saturating_add(time_max_us_, -threshold.delay_us);
  uint64_t& next = next_[index];
  for (next = std::max(next, log_.begin()); next < log_.end(); ++next) {
    const EventHeader& candidate = event(next);
    if (candidate.out_of_order != 0) continue;
    if (candidate.time_us >= before_us) break;
    if (next + kAhead < log_.end()) {
      __builtin_prefetch(values_.partitions().row(event(next + kAhead).partition));
    }
    pass_event(next, index);
  }
  auto straggler = out_of_order_.lower_bound({passed_[index], 0});
  for (; straggler != out_of_order_.end() && straggler->first < before_us; ++straggler) {
    pass_event(straggler->second, index);
  }
  passed_[index] = std::max(passed_[index], before_us);
}

void RunningFrames::move_on(int64_t time_us) {
  if (time_us <= time_max_us_) return;
  time_max_us_ = time_us;
  for (size_t i = 0; i < next_.size(); ++i) pass(i);
}

// The number of the partition's next event of this time: they count up as they come.
uint32_t RunningFrames::number_of(RowId id, int64_t time_us) {
  const auto last = static_cast<uint64_t>(number(values_.partitions().row(id), values_.last));
  if (event(last - 1).time_us == time_us) return event(last - 1).number + 1;
  if (const auto known = index_.number_of(id, time_us)) return *known;
  uint64_t steps = 0;
  uint32_t found = 0;
  for (uint64_t from = last; from > log_.begin() && event(from - 1).time_max_us >= time_us;
       ++steps) {
    const EventHeader& earlier = event(from - 1);
    if (earlier.time_us == time_us) {
      found = earlier.number + 1;
      break;
    }
    from = earlier.previous;
  }
  if (steps > DisorderIndex::kShortWalk) index_.note_walk(id, steps, last, kNever);
  return found;
}

void RunningFrames::link(EventHeader& event, std::byte* partition, bool from_checkpoint) {
  int64_t& last = number(partition, values_.last);
  int64_t& time_max = number(partition, values_.time_max);
  event.previous = static_cast<uint64_t>(last);
  if (last == 0 || static_cast<uint64_t>(last) <= log_.begin()) {
    time_max = event.time_us;
  } else if (!from_checkpoint && time_max >= event.time_us) {
    event.number = number_of(event.partition, event.time_us);
  }
  time_max = std::max(time_max, event.time_us);
  event.time_max_us = time_max;
  if (values_.picks()) chain_.link(event);
  event.out_of_order = static_cast<uint32_t>(event.time_us < in_order_time_us_);
  in_order_time_us_ = std::max(in_order_time_us_, event.time_us);
  last = static_cast<int64_t>(log_.end());
}

void RunningFrames::arrive(const EventHeader& event, std::byte* partition) {
  const uint64_t added = log_.end() - 1;
  index_.insert(event.partition, added);
  for (size_t each : values_.entering_on_arrival()) {
    count_in(event, partition, values_.running()[each], 1);
  }
  if (!values_.firsts().empty()) update_firsts(event, partition);
  for (size_t s : values_.distinct_slots()) {
    const RunningValues::Slot& slot = values_.slots()[s];
    const auto pair = value_at<RowId>(event, slot.pair_offset);
    if (pair == state::kNoRow) continue;
    int64_t& time_max = number(slot.pairs->row(pair), slot.pairs->layout().values().back());
    time_max = std::max(time_max, event.time_us);
  }
  if (event.out_of_order != 0) {
    for (size_t i = 0; i < passed_.size(); ++i) {
      if (event.time_us < passed_[i]) pass_event(added, i);
    }
    out_of_order_.emplace(event.time_us, added);
  } else if (event.time_us < time_max_us_) {
    for (size_t i = 0; i < next_.size(); ++i) pass(i);
  }
}

void RunningFrames::insert(const Rows& rows, size_t row, int64_t time_us) {
  std::byte* const record = log_.append(time_us);
  auto& event = *new (record) EventHeader{
      .time_us = time_us,
      .time_max_us = 0,
      .previous = 0,
      .number = 0,
      .partition = rows.partitions[row],
      .seen = rows.seen[row],
      .out_of_order = 0,
  };
  const auto& slots = values_.slots();
  for (size_t s : values_.value_slots()) {
    std::memcpy(record + slots[s].value_offset, &rows.values[s][row], sizeof(int64_t));
  }
  for (size_t s : values_.distinct_slots()) {
    std::memcpy(record + slots[s].pair_offset, &rows.pairs[s][row], sizeof(RowId));
  }
  std::byte* const partition = values_.partitions().row(event.partition);
  link(event, partition, false);
  if (body_bytes_max_ == 0 || keys_have_strings_) body_bytes_max_ = body_bytes_max(event);
  char* const body =
      log_.begin_store(values_.partitions().key_group(partition), time_us, body_bytes_max_);
  log_.end_store(write_body(event, partition, body));
  arrive(event, partition);
}

// ---- a batch ----------------------------------------------------------------------------------

void RunningFrames::process(const Batch& input, const OperatorContext& context,
                            std::vector<Batch>* out) {
  if (input.empty()) return;
  const Rows rows = look_up(input);
  answers_.late.resize(input.rows);
  for (size_t r = 0; r < values_.running().size(); ++r) {
    answers_.counts[r].resize(input.rows);
    const Running& running = values_.running()[r];
    if (running.sums) answers_.sums[r].resize(input.rows);
    if (running.squares) answers_.squares[r].resize(input.rows);
    if (!running.counts) answers_.extremes[r].resize(input.rows);
  }
  if (values_.picks()) own_.resize(input.rows);
  const auto times = input.columns[static_cast<size_t>(op_.event_time)]->values<int64_t>();
  for (size_t begin = 0; begin < input.rows;) {
    // With emit = 'final' peers answer together; else each row for itself.
    size_t end = begin + 1;
    const auto same = [&](size_t row) {
      return times[row] == times[begin] && input.places[row] == input.places[begin];
    };
    while (op_.emit == Emit::kFinal && end < input.rows && same(end)) ++end;
    const int64_t watermark_us = context.watermark[input.places[begin].track_index()];
    watermark_us_ = std::max(watermark_us_, watermark_us);
    move_on(std::max(times[begin], watermark_us));
    for (size_t row = begin; row < end; ++row) {
      // Who is behind the horizon counts for nobody, not even for itself.
      if (times[row] < saturating_add(watermark_us, -op_.horizon_us)) continue;
      if (!values_.running().empty()) insert(rows, row, times[row]);
      if (values_.picks()) own_[row] = log_.end();
    }
    for (size_t row = begin; row < end; ++row) {
      answer(rows.partitions[row], row, times[row], watermark_us);
      if (op_.notes_late && times[row] < watermark_us) {
        context.side.push_back(late_row(input_schema_, input, row, node_.id));
      }
    }
    begin = end;
  }
  Batch answered = input;
  answered.key_hashes.clear();
  for (size_t call = 0; call < op_.calls.size(); ++call) {
    answered.columns.push_back(std::make_shared<const Column>(result(call)));
  }
  out->push_back(std::move(answered));
}

// ---- what counts no more --------------------------------------------------------------------

void RunningFrames::remove_expired(int64_t watermark_us) {
  const int64_t before_us = saturating_add(watermark_us, -op_.horizon_us);
  watermark_us_ = std::max(watermark_us_, watermark_us);
  move_on(watermark_us);
  while (!out_of_order_.empty() && out_of_order_.begin()->first < before_us) {
    out_of_order_.erase(out_of_order_.begin());
  }
  sweep_partitions(before_us);
  sweep_pairs(before_us);
  log_.forget_before(before_us);
}

namespace {

// Erases some rows whose `time_max` is below `before_us`. Says which before.
template <typename Sweep, typename Erase>
void sweep_some(Table& table, const state::RowField& time_max, int64_t before_us, Sweep& sweep,
                Erase&& erasing) {
  const size_t rows = sweep.pace.rows_to_look_at(table.rows());
  const auto end = static_cast<RowId>(std::min<size_t>(table.row_ids_end(), sweep.next + rows));
  for (; sweep.next < end; ++sweep.next) {
    const RowId row = sweep.next;
    if (table.live(row) && number(std::as_const(table).row(row), time_max) < before_us) {
      erasing(row);
      table.erase(row);
    }
  }
  if (sweep.next >= table.row_ids_end()) sweep.next = 0;
  sweep.pace.swept(table.rows());
}

}  // namespace

void RunningFrames::sweep_partitions(int64_t before_us) {
  sweep_some(values_.partitions(), values_.time_max, before_us, partition_sweep_,
             [&](RowId partition) {
               index_.erase(partition);
               for (ExtremeValues& values : extremes_) values.erase(partition);
             });
}

void RunningFrames::sweep_pairs(int64_t before_us) {
  constexpr size_t kRowsLeast = 8;  // of each of many tables
  pair_sweeps_.resize(values_.slots().size(), Sweep{SweepPace(kRowsLeast)});
  for (size_t n = 0; n < values_.slots().size(); ++n) {
    const RunningValues::Slot& slot = values_.slots()[n];
    if (!slot.distinct) continue;
    sweep_some(*slot.pairs, slot.pairs->layout().values().back(), before_us, pair_sweeps_[n],
               [](RowId) {});
  }
}

}  // namespace kappa::operators
