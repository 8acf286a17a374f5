#include "test/runtime/model/record_generator.h"

#include <algorithm>

#include "engine/types/decimal.h"
#include "engine/types/time.h"

namespace kappa::model {
namespace {

Value random_text(Dice& dice) {
  static const std::vector<std::string> texts{"a",      "b",
                                              "c",      "",
                                              "it's",   "tab\tand \"quotes\"",
                                              "é ü 漢", "a text of more than twelve bytes"};
  return Value::text(texts[static_cast<size_t>(dice.below(dice.coin() ? 3 : 8))]);
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

RecordGenerator::RecordGenerator(Dice& dice, const Plan& plan) : dice_(dice), plan_(plan) {
  for (const Node& node : plan.nodes) {
    if (const auto* view = std::get_if<ViewNode>(&node.op); view && view->retention_us) {
      durations_us_.push_back(*view->retention_us);
    }
    if (const auto* sliding = std::get_if<SlidingNode>(&node.op)) {
      for (const FrameCall& call : sliding->calls) {
        if (call.frame.rows) continue;
        durations_us_.push_back(call.frame.start);
        durations_us_.push_back(call.frame.end);
      }
    }
    if (const auto* join = std::get_if<IntervalJoinNode>(&node.op)) {
      // A bound and where it is passed, as either side sees it.
      for (const int64_t us : {join->from_us, join->from_us - 1, join->to_us, join->to_us + 1}) {
        distances_us_.push_back(us);
        distances_us_.push_back(-us);
      }
    }
    const auto* aggregate = std::get_if<AggregateNode>(&node.op);
    if (!aggregate || !aggregate->window) continue;
    const Window& window = *aggregate->window;
    durations_us_.push_back(window.size_us + window.grace_us);
    if (window.kind == Window::Kind::kSession) {
      // A gap, and where it is too long; and where a session closes.
      for (const int64_t us : {window.size_us, window.size_us + 1}) {
        durations_us_.push_back(us);
        durations_us_.push_back(us + window.grace_us);
        distances_us_.push_back(us);
        distances_us_.push_back(-us);
      }
    }
    if (aggregate->retention_us) durations_us_.push_back(window.size_us + *aggregate->retention_us);
  }
}

// A time that brings the source's watermark to where what happened at an earlier time, if it began
// a window or expires by itself, comes to its end.
std::optional<int64_t> RecordGenerator::end_of_something(const Source& source) {
  constexpr int kTries = 8;
  for (int i = 0; i < kTries && !durations_us_.empty() && !event_times_us_.empty(); ++i) {
    const int64_t us =
        dice_.pick(event_times_us_) + dice_.pick(durations_us_) + source.out_of_orderness_us;
    if (us >= event_time_max_us_ && us < now_ms_ * kMicrosPerMilli + 5 * kMicrosPerSecond) {
      return us;
    }
  }
  return std::nullopt;
}

// A time as far from an earlier one, often the last, as sessions and joins tell apart.
std::optional<int64_t> RecordGenerator::at_a_distance() {
  constexpr int kTries = 8;
  const int64_t now_us = now_ms_ * kMicrosPerMilli;
  for (int i = 0; i < kTries && !distances_us_.empty() && !event_times_us_.empty(); ++i) {
    const int64_t from_us = dice_.coin() ? event_times_us_.back() : dice_.pick(event_times_us_);
    const int64_t us = from_us + dice_.pick(distances_us_);
    if (us > now_us - 20 * kMicrosPerSecond && us < now_us + 5 * kMicrosPerSecond) return us;
  }
  return std::nullopt;
}

int64_t RecordGenerator::event_time(const Source& source) {
  int64_t us = now_ms_ * kMicrosPerMilli - dice_.between(0, 20'000) * kMicrosPerMilli;
  if (dice_.one_in(3)) us = now_ms_ * kMicrosPerMilli;
  if (dice_.one_in(4)) us += dice_.between(0, 3'000'000);
  // On the second, where windows begin and end.
  if (dice_.one_in(4)) us -= us % kMicrosPerSecond;
  if (dice_.one_in(5)) us = end_of_something(source).value_or(us);
  if (dice_.one_in(4)) us = at_a_distance().value_or(us);
  event_times_us_.push_back(us);
  event_time_max_us_ = std::max(event_time_max_us_, us);
  if (dice_.one_in(25)) us += 100 * kMicrosPerSecond;
  return us;
}

Row RecordGenerator::row_of(const Source& source) {
  Row row;
  for (size_t i = 0; i < source.fields.size(); ++i) {
    const Type type = source.fields[i].type;
    if (!source.not_null[i] && dice_.one_in(7)) {
      row.push_back(Value::null(type));
      continue;
    }
    switch (type.id) {
      case TypeId::kBigint:
        row.push_back(Value::bigint(i == 0 ? dice_.between(0, 40) : dice_.between(-4, 12)));
        break;
      case TypeId::kInteger:
        row.push_back(Value::integer(static_cast<int32_t>(dice_.between(-1, 3))));
        break;
      case TypeId::kNumeric:
        row.push_back(numeric_value(type, dice_.between(-1000, 30'000)));
        break;
      case TypeId::kDouble:
        row.push_back(Value::double_precision(static_cast<double>(dice_.between(-9, 40)) * 0.1));
        break;
      case TypeId::kBoolean:
        row.push_back(Value::boolean(dice_.coin()));
        break;
      case TypeId::kTimestamptz:
        row.push_back(Value::timestamptz(event_time(source)));
        break;
      default:
        row.push_back(random_text(dice_));
        break;
    }
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
                        (value.type.id == TypeId::kNumeric && dice_.coin());
    if (quoted) text = json_text(text);
    fields.push_back(name + ":" + (dice_.one_in(5) ? " " : "") + text);
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
  if (last_ && dice_.one_in(10)) {
    made = *last_;
  } else {
    const Source& source = dice_.pick(plan_.sources);
    made.record.topic = source.name;
    made.record.partition = static_cast<int32_t>(dice_.below(source.partitions));
    if (dice_.one_in(25)) {
      made.payload = damaged_payload(source);
    } else {
      made.record.row = row_of(source);
      made.payload = payload_of(source, *made.record.row);
    }
  }
  made.record.timestamp_ms = now_ms_;
  if (dice_.one_in(5)) made.record.timestamp_ms -= dice_.between(0, 30'000);
  if (dice_.one_in(20)) made.record.timestamp_ms += dice_.between(0, 100'000);
  last_ = made;
  return made;
}

}  // namespace kappa::model
