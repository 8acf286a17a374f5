#include "operators/running_values.h"

#include <algorithm>

#include "engine/types/invariant.h"

namespace kappa::operators {

bool picks_event(FrameFunction function) {
  return function == FrameFunction::kFirstValue || function == FrameFunction::kLastValue ||
         function == FrameFunction::kLag;
}

bool is_running(const FrameCall& call, Type argument) {
  if (call.function == FrameFunction::kIsLate) return true;
  if (call.frame.unit != Frame::Unit::kRange) return false;
  switch (call.function) {
    case FrameFunction::kCountStar:
    case FrameFunction::kCount:
    case FrameFunction::kCountDistinct:
      return true;
    case FrameFunction::kSum:
    case FrameFunction::kAvg:
    case FrameFunction::kStddev:
    case FrameFunction::kStddevPop:
      // 128 bits take 2^64 of the largest of these.
      return argument.physical() == PhysicalType::kInt32 ||
             argument.physical() == PhysicalType::kInt64;
    case FrameFunction::kMin:
    case FrameFunction::kMax:
      return argument.physical() == PhysicalType::kInt32 ||
             argument.physical() == PhysicalType::kInt64 || argument.id == TypeId::kDouble;
    case FrameFunction::kFirstValue:
    case FrameFunction::kLastValue:
    case FrameFunction::kLag:
      return argument.id != TypeId::kNull && width_of(argument.physical()) <= sizeof(int64_t);
    default:
      return false;
  }
}

bool is_running(const SlidingNode& op, const Schema& input) {
  return std::all_of(op.calls.begin(), op.calls.end(), [&](const FrameCall& call) {
    return is_running(
        call, call.argument < 0 ? Type::null() : input[static_cast<size_t>(call.argument)].type);
  });
}

size_t RunningValues::slot_of(const FrameCall& call) {
  const bool picked = picks_event(call.function);
  const auto same = [&](const Slot& slot) {
    return slot.argument == call.argument && slot.filter == call.filter && slot.picked == picked;
  };
  const auto found = std::find_if(slots_.begin(), slots_.end(), same);
  if (found != slots_.end()) return static_cast<size_t>(found - slots_.begin());
  slots_.push_back({.argument = call.argument, .filter = call.filter, .picked = picked});
  return slots_.size() - 1;
}

size_t RunningValues::threshold_of(int64_t delay_us) {
  const auto same = [&](const Threshold& each) { return each.delay_us == delay_us; };
  const auto found = std::find_if(thresholds_.begin(), thresholds_.end(), same);
  if (found != thresholds_.end()) return static_cast<size_t>(found - thresholds_.begin());
  thresholds_.push_back({.delay_us = delay_us, .entering = {}, .leaving = {}, .passed = {}});
  return thresholds_.size() - 1;
}

size_t RunningValues::running_of(const FrameCall& call, size_t slot) {
  const bool distinct = call.function == FrameFunction::kCountDistinct;
  const bool least = call.function == FrameFunction::kMin;
  const bool extreme = least || call.function == FrameFunction::kMax;
  const bool picks = picks_event(call.function);
  const auto same = [&](const Running& each) {
    return each.slot == slot && each.frame == call.frame && each.distinct == distinct &&
           each.extreme.has_value() == extreme && (!extreme || extremes_[*each.extreme] == least) &&
           (!picks ||
            (each.pick->function == call.function && each.pick->distance == call.distance));
  };
  const auto found = std::find_if(running_.begin(), running_.end(), same);
  if (found != running_.end()) return static_cast<size_t>(found - running_.begin());
  const size_t index = running_.size();
  Running running{.slot = slot,
                  .frame = call.frame,
                  .leaves = 0,
                  .enters = {},
                  .distinct = distinct,
                  .sums = false,
                  .squares = false,
                  .extreme = {},
                  .pick = {},
                  .counts = !extreme && !picks,
                  .count = {},
                  .sum = {},
                  .squares_low = {},
                  .squares_high = {},
                  .in_pairs = {}};
  if (extreme) {
    running.extreme = extremes_.size();
    extremes_.push_back(least);
  } else if (picks) {
    running.pick.emplace(Pick{.function = call.function,
                              .distance = call.distance,
                              .first_known = {},
                              .first_from = {},
                              .first_time = {},
                              .first_value = {}});
    if (call.function == FrameFunction::kFirstValue) firsts_.push_back(index);
    // The last event that has entered is where to look for the last one of the frame.
    if (call.function == FrameFunction::kLastValue && call.frame.end > 0) {
      running.enters = threshold_of(call.frame.end - 1);
    }
    running_.push_back(running);
    return index;
  } else {
    running.leaves = threshold_of(call.frame.start);
    thresholds_[running.leaves].leaving.push_back(index);
  }
  if (call.frame.end == 0) {
    on_arrival_.push_back(index);
  } else {
    running.enters = threshold_of(call.frame.end - 1);
    thresholds_[*running.enters].entering.push_back(index);
  }
  running_.push_back(running);
  return index;
}

RunningValues::RunningValues(const Plan& plan, const PlanNode& node, uint64_t operator_id) {
  const auto& op = std::get<SlidingNode>(node.op);
  const Schema& input = plan.node(node.inputs[0]).schema;
  for (const FrameCall& call : op.calls) {
    if (call.function == FrameFunction::kIsLate) {
      running_of_call_.push_back(kNothingRuns);
      continue;
    }
    const size_t slot = slot_of(call);
    const bool squares =
        call.function == FrameFunction::kStddev || call.function == FrameFunction::kStddevPop;
    slots_[slot].squares |= squares;
    slots_[slot].sums |=
        squares || call.function == FrameFunction::kSum || call.function == FrameFunction::kAvg;
    slots_[slot].extremes |=
        call.function == FrameFunction::kMin || call.function == FrameFunction::kMax;
    slots_[slot].distinct |= call.function == FrameFunction::kCountDistinct;
    running_of_call_.push_back(running_of(call, slot));
  }
  KAPPA_INVARIANT(slots_.size() <= kRunningCallsMax, "the planner parts calls that see too much");

  std::vector<Type> key;
  for (int column : op.partition) key.push_back(input[static_cast<size_t>(column)].type);
  // last, time_max; a threshold each; count, sum and squares of each running value; four for each
  // first event.
  std::vector<Type> values(2 + thresholds_.size(), Type::bigint());
  for (Running& running : running_) {
    if (!running.counts) continue;
    values.push_back(Type::bigint());
    running.sums = slots_[running.slot].sums && !running.distinct;
    running.squares = slots_[running.slot].squares && !running.distinct;
    const size_t sums = (running.sums ? 1 : 0) + (running.squares ? 2 : 0);
    values.insert(values.end(), sums, Type::numeric(38, 0));
  }
  values.insert(values.end(), 4 * firsts_.size(), Type::bigint());
  const state::RowLayout layout(key, values);
  size_t field = 0;
  last = layout.values()[field++];
  time_max = layout.values()[field++];
  for (Threshold& threshold : thresholds_) threshold.passed = layout.values()[field++];
  for (Running& running : running_) {
    if (!running.counts) continue;
    running.count = layout.values()[field++];
    if (running.sums) running.sum = layout.values()[field++];
    if (running.squares) {
      running.squares_low = layout.values()[field++];
      running.squares_high = layout.values()[field++];
    }
  }
  for (size_t each : firsts_) {
    Pick& pick = *running_[each].pick;
    pick.first_known = layout.values()[field++];
    pick.first_from = layout.values()[field++];
    pick.first_time = layout.values()[field++];
    pick.first_value = layout.values()[field++];
  }
  const state::TableOptions derived{.derived = true};
  partitions_ = std::make_unique<state::Table>(state::TableId{operator_id, 1}, layout, derived);

  record_bytes_ = sizeof(EventHeader);
  if (std::any_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.picked; })) {
    span_offset_ = record_bytes_;
    record_bytes_ += kSpanBytes;
  }
  for (size_t s = 0; s < slots_.size(); ++s) {
    if (slots_[s].has_value()) value_slots_.push_back(s);
    if (slots_[s].distinct) distinct_slots_.push_back(s);
  }
  for (size_t s : value_slots_) {
    slots_[s].value_offset = record_bytes_;
    record_bytes_ += sizeof(int64_t);
  }
  for (size_t s : distinct_slots_) {
    Slot& slot = slots_[s];
    slot.pair_offset = record_bytes_;
    record_bytes_ += sizeof(state::RowId);
    std::vector<Type> pair = key;
    pair.push_back(input[static_cast<size_t>(slot.argument)].type);
    const auto counted = [&](const Running& each) { return each.slot == s && each.distinct; };
    const auto frames = std::count_if(running_.begin(), running_.end(), counted);
    const state::RowLayout pairs(
        pair, std::vector<Type>(static_cast<size_t>(frames) + 1, Type::bigint()));
    size_t at = 0;
    for (Running& running : running_) {
      if (counted(running)) running.in_pairs = pairs.values()[at++];
    }
    slot.pairs = std::make_unique<state::Table>(
        state::TableId{operator_id, static_cast<uint8_t>(2 + s)}, pairs, derived);
  }
  record_bytes_ = (record_bytes_ + 7) & ~7u;
}

}  // namespace kappa::operators
