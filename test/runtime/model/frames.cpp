#include "test/runtime/model/frames.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace kappa::model {
namespace {

constexpr int64_t kNone = std::numeric_limits<int64_t>::min();

// A partition as one of its rows sees it.
struct Known {
  std::vector<const Row*> rows;
  size_t own = 0;
};

int64_t time_of(const SlidingNode& op, const Row& row) {
  return std::get<int64_t>(row[op.event_time].data);
}

// Before there is a watermark, nothing is too old.
int64_t oldest_us(const SlidingNode& op, int64_t watermark_us) {
  return watermark_us == kNone ? kNone : watermark_us - op.horizon_us;
}

int64_t longest_of_rows(const SlidingNode& op) {
  int64_t longest = 0;
  for (const FrameCall& call : op.calls) {
    // is_late() looks at no row but its own.
    const bool looks = call.frame.rows && call.function != FrameFunction::kIsLate;
    if (looks) longest = std::max(longest, call.frame.start);
  }
  return longest;
}

Known known_to(const SlidingNode& op, const std::vector<Row>& rows, size_t own,
               int64_t watermark_us) {
  int64_t below = 0;  // rows below the watermark that are not yet met
  for (size_t i = 0; i < rows.size(); ++i) below += i != own && time_of(op, rows[i]) < watermark_us;
  Known known;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i == own) {
      known.own = known.rows.size();
      known.rows.push_back(&rows[i]);
      continue;
    }
    const bool too_old = time_of(op, rows[i]) < oldest_us(op, watermark_us);
    if (!too_old || below <= longest_of_rows(op)) known.rows.push_back(&rows[i]);
    if (time_of(op, rows[i]) < watermark_us) --below;
  }
  return known;
}

bool in_frame(const SlidingNode& op, const Frame& frame, const Known& known, size_t index,
              int64_t watermark_us) {
  if (frame.rows) {
    const int64_t back = static_cast<int64_t>(known.own) - static_cast<int64_t>(index);
    return frame.end <= back && back <= frame.start;
  }
  const int64_t time = time_of(op, *known.rows[index]);
  const int64_t back = time_of(op, *known.rows[known.own]) - time;
  return frame.end <= back && back <= frame.start && time >= oldest_us(op, watermark_us);
}

double number_of(const Value& value) {
  if (value.type.id == TypeId::kDouble) return std::get<double>(value.data);
  const auto whole = static_cast<double>(integer_of(value));
  return value.type.scale == 0 ? whole : whole / std::pow(10.0, value.type.scale);
}

bool counts(const AggregateCall& call, const Row& row) {
  if (row[call.argument].is_null()) return false;
  if (!call.filter) return true;
  const Value& condition = row[*call.filter];
  return !condition.is_null() && std::get<bool>(condition.data);
}

// The root of the mean square of what the values differ by from their mean.
// Of integers and decimals of up to 64 bits as for a group.
Value deviation(const FrameCall& call, const std::vector<const Row*>& frame) {
  const auto seen = std::find_if(frame.begin(), frame.end(),
                                 [&](const Row* row) { return counts(call.call, *row); });
  if (seen == frame.end()) return Value::null(call.call.result);
  const PhysicalType physical = (**seen)[call.call.argument].type.physical();
  if (physical == PhysicalType::kInt32 || physical == PhysicalType::kInt64) {
    Bag bag;
    for (const Row* row : frame) bag.apply(1, *row);
    AggregateCall grouped = call.call;
    grouped.call = call.function == FrameFunction::kStddev ? Call::kStddev : Call::kStddevPop;
    return aggregate(grouped, bag);
  }
  std::vector<double> values;
  for (const Row* row : frame) {
    if (counts(call.call, *row)) values.push_back(number_of((*row)[call.call.argument]));
  }
  const bool sample = call.function == FrameFunction::kStddev;
  if (values.size() < (sample ? 2u : 1u)) return Value::null(call.call.result);
  double mean = 0;
  for (const double value : values) mean += value;
  mean /= static_cast<double>(values.size());
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const auto divisor = static_cast<double>(values.size() - (sample ? 1 : 0));
  return Value::double_precision(std::sqrt(squares / divisor));
}

Value answer(const FrameCall& call, const std::vector<const Row*>& frame) {
  const size_t column = call.call.argument;
  switch (call.function) {
    case FrameFunction::kAggregate: {
      Bag bag;
      for (const Row* row : frame) bag.apply(1, *row);
      return aggregate(call.call, bag);
    }
    case FrameFunction::kStddev:
    case FrameFunction::kStddevPop:
      return deviation(call, frame);
    case FrameFunction::kFirstValue:
      return frame.empty() ? Value::null(call.call.result) : (*frame.front())[column];
    default:
      return frame.empty() ? Value::null(call.call.result) : (*frame.back())[column];
  }
}

}  // namespace

size_t insert_by_time(size_t event_time, const Row& row, std::vector<Row>* rows) {
  const auto after = std::find_if(rows->begin(), rows->end(), [&](const Row& other) {
    return std::get<int64_t>(other[event_time].data) > std::get<int64_t>(row[event_time].data);
  });
  const auto at = static_cast<size_t>(after - rows->begin());
  rows->insert(after, row);
  return at;
}

Row answers(const SlidingNode& op, const std::vector<Row>& rows, size_t own, int64_t watermark_us) {
  const Known known = known_to(op, rows, own, watermark_us);
  Row results;
  for (const FrameCall& call : op.calls) {
    if (call.function == FrameFunction::kIsLate) {
      results.push_back(Value::boolean(time_of(op, rows[own]) < watermark_us));
      continue;
    }
    const auto seen = [&](size_t i) { return in_frame(op, call.frame, known, i, watermark_us); };
    std::vector<const Row*> frame;
    if (call.function == FrameFunction::kLag) {
      // The row so far back, if the frame holds it.
      const bool there = known.own >= call.distance && seen(known.own - call.distance);
      if (there) frame.push_back(known.rows[known.own - call.distance]);
    } else {
      for (size_t i = 0; i < known.rows.size(); ++i) {
        if (seen(i)) frame.push_back(known.rows[i]);
      }
    }
    results.push_back(answer(call, frame));
  }
  return results;
}

}  // namespace kappa::model
