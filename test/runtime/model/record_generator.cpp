#include "test/runtime/model/record_generator.h"

#include <algorithm>
#include <cmath>

#include "engine/types/decimal.h"
#include "engine/types/time.h"
#include "test/runtime/model/expression_generator.h"

namespace kappa::model {
namespace {

Value random_text(Dice& dice) {
  static const std::vector<std::string> texts{"a",      "b",
                                              "c",      "",
                                              "it's",   "tab\tand \"quotes\"",
                                              "é ü 漢", "a text of more than twelve bytes"};
  return Value::text(texts[static_cast<size_t>(dice.below(dice.one_in(4) ? 8 : 3))]);
}

// The last multiple of the step, from the offset on, that is not above the time.
int64_t floor_to(int64_t us, int64_t step_us, int64_t offset_us) {
  return us - (us - offset_us) % step_us;
}

// No JSON number.
bool is_odd(const Value& value) {
  return value.type.id == TypeId::kDouble && !std::isfinite(std::get<double>(value.data));
}

}  // namespace

std::string json_text(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\t') {
      out += "\\t";
    } else {
      out += c;
    }
  }
  return out + "\"";
}

RecordGenerator::RecordGenerator(Dice& dice, const Plan& plan)
    : dice_(dice), plan_(plan), event_time_max_us_(plan.sources.size(), 0) {
  static const std::vector<int64_t> disorders_ms{0, 1'000, 20'000};
  disorder_ms_ = dice_.pick(disorders_ms);
  for (const Node& node : plan.nodes) note_boundaries(node);
}

// Distances and their neighbours, as either of the two rows sees them.
void RecordGenerator::note_distances(const std::vector<int64_t>& distances_us) {
  std::vector<int64_t>& of_node = distances_us_.emplace_back();
  for (const int64_t us : distances_us) {
    for (const int64_t near : {us - 1, us, us, us + 1}) {
      of_node.push_back(near);
      of_node.push_back(-near);
    }
  }
}

void RecordGenerator::note_boundaries(const Node& node) {
  if (const auto* view = std::get_if<ViewNode>(&node.op); view && view->retention_us) {
    endings_.push_back({{}, *view->retention_us});
  }
  if (const auto* sliding = std::get_if<SlidingNode>(&node.op)) {
    std::vector<int64_t> bounds_us;
    for (const FrameCall& call : sliding->calls) {
      if (call.frame.rows) continue;
      for (const int64_t us : {call.frame.start, call.frame.end}) {
        endings_.push_back({{}, us});
        if (us > 0) bounds_us.push_back(us);
      }
    }
    if (!bounds_us.empty()) note_distances(bounds_us);
  }
  if (const auto* join = std::get_if<IntervalJoinNode>(&node.op)) {
    for (const int64_t us : {int64_t{0}, -join->from_us, join->to_us}) {
      endings_.push_back({{}, us + join->grace_us});
    }
    note_distances({join->from_us, join->to_us});
  }
  const auto* aggregate = std::get_if<AggregateNode>(&node.op);
  if (aggregate && aggregate->window) note_window(*aggregate);
}

void RecordGenerator::note_window(const AggregateNode& aggregate) {
  const Window& window = *aggregate.window;
  const auto note_end = [&](std::optional<Alignment> alignment, int64_t size_us) {
    endings_.push_back({alignment, size_us + window.grace_us});
    endings_.push_back({alignment, size_us + window.grace_us});
    if (aggregate.retention_us) endings_.push_back({alignment, size_us + *aggregate.retention_us});
  };
  if (window.kind == Window::Kind::kSession) {
    // Twice a gap from another row, so that one between them joins two sessions.
    note_distances({window.size_us, window.size_us, 2 * window.size_us});
    return note_end(std::nullopt, window.size_us);
  }
  const bool hop = window.kind == Window::Kind::kHop;
  const Alignment alignment{window.step_us > 0 ? window.step_us : window.size_us, window.offset_us};
  alignments_.push_back(alignment);
  note_end(alignment, window.size_us);
  if (!hop || window.step_us == window.size_us) return;
  // Any window that holds a time, not only the last.
  const int64_t others = (window.size_us - 1) / window.step_us;
  note_end(alignment, window.size_us - dice_.between(0, others) * window.step_us);
}

// A time that brings the source's watermark to where what happened at an earlier time comes to its
// end, or a microsecond beside. The clock follows, so that it lies not in the future.
std::optional<int64_t> RecordGenerator::end_of_something(size_t source) {
  constexpr int kTries = 8;
  for (int i = 0; i < kTries && !endings_.empty() && !event_times_us_.empty(); ++i) {
    const Ending& ending = dice_.pick(endings_);
    int64_t us = dice_.pick(event_times_us_);
    if (const auto& alignment = ending.alignment) {
      us = floor_to(us, alignment->step_us, alignment->offset_us);
    }
    us += ending.after_us + plan_.sources[source].out_of_orderness_us + dice_.between(-1, 1);
    if (us >= event_time_max_us_[source] &&
        us < now_ms_ * kMicrosPerMilli + 20 * kMicrosPerSecond) {
      now_ms_ = std::max(now_ms_, us / kMicrosPerMilli + 1);
      return us;
    }
  }
  return std::nullopt;
}

// A time as far from an earlier one as something tells apart; now and then the same.
std::optional<int64_t> RecordGenerator::at_a_distance(const Row* earlier) {
  constexpr int kTries = 8;
  const int64_t now_us = now_ms_ * kMicrosPerMilli;
  for (int i = 0; i < kTries && !event_times_us_.empty(); ++i) {
    const bool from_it = earlier && !earlier->back().is_null() && !dice_.one_in(8);
    const int64_t from_us =
        from_it ? std::get<int64_t>(earlier->back().data) : dice_.pick(event_times_us_);
    const bool same = distances_us_.empty() || dice_.one_in(5);
    const int64_t us = from_us + (same ? 0 : dice_.pick(dice_.pick(distances_us_)));
    if (us > now_us - 20 * kMicrosPerSecond && us < now_us + 15 * kMicrosPerSecond) {
      now_ms_ = std::max(now_ms_, us / kMicrosPerMilli + 1);
      return us;
    }
  }
  return std::nullopt;
}

// The first time of a window of late, or the last before it.
std::optional<int64_t> RecordGenerator::where_windows_begin() {
  if (alignments_.empty()) return std::nullopt;
  const Alignment& alignment = dice_.pick(alignments_);
  return floor_to(now_ms_ * kMicrosPerMilli, alignment.step_us, alignment.offset_us) -
         dice_.between(0, 1);
}

int64_t RecordGenerator::event_time(size_t source, const Row* earlier) {
  int64_t us = now_ms_ * kMicrosPerMilli - dice_.between(0, disorder_ms_) * kMicrosPerMilli;
  if (dice_.one_in(3)) us = now_ms_ * kMicrosPerMilli;
  if (dice_.one_in(8)) us += dice_.between(0, 3'000'000);
  // On the second, where windows begin and end.
  if (dice_.one_in(4)) us -= us % kMicrosPerSecond;
  if (dice_.one_in(8)) us = where_windows_begin().value_or(us);
  if (dice_.one_in(8)) us = end_of_something(source).value_or(us);
  if (earlier ? !dice_.one_in(3) : dice_.one_in(8)) us = at_a_distance(earlier).value_or(us);
  event_times_us_.push_back(us);
  event_time_max_us_[source] = std::max(event_time_max_us_[source], us);
  if (dice_.one_in(100)) us += 100 * kMicrosPerSecond;
  return us;
}

// A recent record, that the next one is to meet.
const GeneratedRecord* RecordGenerator::earlier_record() {
  if (recent_.empty() || dice_.one_in(3)) return nullptr;
  const GeneratedRecord& earlier = dice_.pick(recent_);
  return earlier.record.row ? &earlier : nullptr;
}

Value RecordGenerator::value_of(size_t source, size_t field, const Row* earlier) {
  const Type type = plan_.sources[source].fields[field].type;
  const bool few = type.id == TypeId::kText || type.id == TypeId::kInteger ||
                   type.id == TypeId::kBoolean || (type.id == TypeId::kDouble && plan_.odd_doubles);
  if (few && earlier && !dice_.one_in(8)) return (*earlier)[field];
  if (!plan_.sources[source].not_null[field] && dice_.one_in(10)) return Value::null(type);
  switch (type.id) {
    case TypeId::kBigint:
      return Value::bigint(field == 0 ? dice_.between(0, 40) : dice_.between(-4, 12));
    case TypeId::kInteger:
      return Value::integer(static_cast<int32_t>(dice_.between(-1, 3)));
    case TypeId::kNumeric:
      return numeric_value(type, dice_.between(-1000, 30'000));
    case TypeId::kDouble:
      if (plan_.odd_doubles ? !dice_.one_in(3) : dice_.one_in(16)) return odd_double(dice_);
      if (plan_.odd_doubles) return Value::double_precision(dice_.coin() ? 1 : -0.5);
      return Value::double_precision(static_cast<double>(dice_.between(-9, 40)) * 0.1);
    case TypeId::kBoolean:
      return Value::boolean(dice_.coin());
    case TypeId::kTimestamptz:
      return Value::timestamptz(event_time(source, earlier));
    default:
      return random_text(dice_);
  }
}

Row RecordGenerator::row_of(size_t source) {
  const GeneratedRecord* earlier = earlier_record();
  Row row;
  for (size_t i = 0; i < plan_.sources[source].fields.size(); ++i) {
    row.push_back(value_of(source, i, earlier ? &*earlier->record.row : nullptr));
  }
  return row;
}

std::string RecordGenerator::payload_of(const Source& source, const Row& row) {
  std::vector<std::string> fields;
  for (size_t i = 0; i < row.size(); ++i) {
    const std::string name = json_text(source.fields[i].name);
    const Value& value = row[i];
    if (value.is_null()) {
      if (dice_.coin()) fields.push_back(name + ": null");
      continue;
    }
    std::string text = to_text(value);
    const bool quoted = value.type.id == TypeId::kText || value.type.id == TypeId::kTimestamptz ||
                        (value.type.id == TypeId::kNumeric && dice_.coin()) || is_odd(value);
    if (quoted) text = json_text(text);
    std::string& field = fields.emplace_back(name + ":");
    if (dice_.one_in(5)) field += " ";
    field += text;
  }
  if (dice_.one_in(8)) fields.push_back("\"unknown\": {\"k\": [1, \"x\"]}");
  if (dice_.one_in(10)) dice_.shuffle(&fields);
  std::string json = "{";
  for (const std::string& field : fields) json += (json.size() > 1 ? "," : "") + field;
  return json + "}";
}

std::optional<std::string> RecordGenerator::damaged_payload(const Source& source) {
  const std::string at = "\"1970-01-01T00:00:05Z\"";
  switch (dice_.below(5)) {
    case 0:
      return std::nullopt;  // a tombstone
    case 1:
      return "{\"id\": 1, \"k\": \"a\", \"at\": " + at;
    case 2:
      return "{\"id\": 1, \"n\": \"x\", \"at\": " + at + "}";
    case 3:
      return "{\"id\": 1, \"amount\": 1.234, \"n\": 1, \"at\": " + at + "}";
    default:
      return source.event_time ? "{\"id\": 1, \"n\": 1, \"at\": null}" : "[]";
  }
}

GeneratedRecord RecordGenerator::next() {
  if (!dice_.one_in(3)) now_ms_ += dice_.between(0, 2'500);
  if (dice_.one_in(60)) now_ms_ += dice_.between(30'000, 90'000);
  GeneratedRecord made;
  if (!recent_.empty() && dice_.one_in(10)) {
    made = recent_.back();
  } else {
    const auto index = static_cast<size_t>(dice_.below(static_cast<int64_t>(plan_.sources.size())));
    const Source& source = plan_.sources[index];
    made.record.topic = source.name;
    made.record.partition = static_cast<int32_t>(dice_.below(source.partitions));
    if (dice_.one_in(25)) {
      made.payload = damaged_payload(source);
    } else {
      made.record.row = row_of(index);
      made.payload = payload_of(source, *made.record.row);
    }
  }
  made.record.timestamp_ms = now_ms_;
  if (dice_.one_in(5)) made.record.timestamp_ms -= dice_.between(0, 30'000);
  if (dice_.one_in(20)) made.record.timestamp_ms += dice_.between(0, 100'000);
  constexpr size_t kRecent = 6;
  if (recent_.size() == kRecent) recent_.erase(recent_.begin());
  recent_.push_back(made);
  return made;
}

}  // namespace kappa::model
