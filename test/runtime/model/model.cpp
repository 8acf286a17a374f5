#include "test/runtime/model/model.h"

#include <algorithm>
#include <limits>

#include "engine/types/time.h"

namespace kappa::model {
namespace {

constexpr int64_t kNone = std::numeric_limits<int64_t>::min();
constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();
constexpr int64_t kIdleAfterMs = 60'000;

std::string line_of(const Row& row, size_t columns) {
  std::string line;
  for (size_t i = 0; i < columns; ++i) line += (i > 0 ? "|" : "") + to_text(row[i]);
  return line;
}

int64_t time_of(const Row& row, size_t event_time) {
  return std::get<int64_t>(row[event_time].data);
}

// The last multiple of the step, from the offset on, that is not above the time.
int64_t floor_to(int64_t time, int64_t step, int64_t offset) {
  int64_t index = (time - offset) / step;
  if ((time - offset) % step < 0) --index;
  return index * step + offset;
}

struct Interval {
  int64_t start;
  int64_t end;
};

// The windows that a time is in, from the earliest on.
std::vector<Interval> windows_of(const Window& window, int64_t time) {
  std::vector<Interval> windows;
  const int64_t start = floor_to(time, window.size_us, window.offset_us);
  switch (window.kind) {
    case Window::Kind::kTumble:
      windows.push_back({start, start + window.size_us});
      break;
    case Window::Kind::kHop:
      for (int64_t hop = floor_to(time, window.step_us, window.offset_us);
           hop + window.size_us > time; hop -= window.step_us) {
        windows.insert(windows.begin(), {hop, hop + window.size_us});
      }
      break;
    case Window::Kind::kCumulate:
      for (int64_t end = start; end <= start + window.size_us; end += window.step_us) {
        if (end > time) windows.push_back({start, end});
      }
      break;
    case Window::Kind::kSession:
      windows.push_back({time, time + window.size_us});
      break;
  }
  return windows;
}

// A window's group: its columns, the start, the end.
int64_t end_of(const Row& key) {
  return std::get<int64_t>(key.back().data);
}

// A session closes a microsecond late, for a row at its end still belongs to it.
int64_t held_back_us(const Window& window) {
  return window.grace_us + (window.kind == Window::Kind::kSession ? 1 : 0);
}

int64_t closes_at(const Window& window, const Row& key) {
  return end_of(key) + held_back_us(window);
}

int64_t expires_at(const AggregateNode& op, const Row& key) {
  return std::max(closes_at(*op.window, key), end_of(key) + *op.retention_us);
}

Row columns_of(const Row& row, const std::vector<size_t>& columns) {
  Row some;
  for (const size_t column : columns) some.push_back(without_negative_zero(row[column]));
  return some;
}

Row in_window(Row group, const Interval& window) {
  group.push_back(Value::timestamptz(window.start));
  group.push_back(Value::timestamptz(window.end));
  return group;
}

Row result_of(const AggregateNode& op, const Row& key, const Bag& bag) {
  Row result = key;
  for (const AggregateCall& call : op.calls) result.push_back(aggregate(call, bag));
  return result;
}

// The record's fields and what record_fields() names.
Row row_of(const Record& record) {
  Row row = *record.row;
  row.push_back(Value::timestamptz(record.timestamp_ms * kMicrosPerMilli));
  row.push_back(Value::integer(record.partition));
  row.push_back(Value::bigint(record.offset));
  return row;
}

void remove_one(std::vector<Row>* rows, const Row& row) {
  const auto at = find_row(*rows, row);
  if (at != rows->end()) rows->erase(at);
}

}  // namespace

int64_t Model::less(int64_t watermark_us, int64_t held_back_us) {
  return watermark_us == kNone || watermark_us == kEnd ? watermark_us : watermark_us - held_back_us;
}

Model::Model(Plan plan) : plan_(std::move(plan)) {
  for (size_t n = 0; n < plan_.nodes.size(); ++n)
    nodes_.push_back({kNone, kNone, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}});
  for (size_t s = 0; s < plan_.sources.size(); ++s) sources_.push_back({kNone, {}, {}, {}});
  // A total over everything is there before the first record is.
  for (size_t n = 0; n < plan_.nodes.size(); ++n) {
    step(n, inputs_of(n));
    const auto* op = std::get_if<AggregateNode>(&plan_.nodes[n].op);
    if (op && op->groups.empty() && !op->window && !nodes_[n].groups.contains(Row())) {
      nodes_[n].groups[Row()];
      nodes_[n].out.push_back({1, result_of(*op, Row(), {})});
    }
  }
  send_changes();
}

// ---- the order ------------------------------------------------------------------------------

void Model::apply(const Entry& entry, const std::function<void(const Record&)>& after) {
  if (entry.kind != Entry::Kind::kRecords) return apply_moment(entry);
  struct Placed {
    std::optional<int64_t> log_time_ms;
    const Record* record;
  };
  std::vector<const Record*> by_offset;
  for (const Record& record : entry.records) by_offset.push_back(&record);
  std::sort(by_offset.begin(), by_offset.end(),
            [](const Record* a, const Record* b) { return a->offset < b->offset; });
  std::map<std::pair<std::string, int32_t>, std::optional<int64_t>> log_times;
  std::vector<Placed> order;
  for (const Record* record : by_offset) {
    auto& log_time = log_times[{record->topic, record->partition}];
    if (record->timestamp_ms <= entry.clock_ms) {
      log_time = std::max(log_time.value_or(record->timestamp_ms), record->timestamp_ms);
    }
    order.push_back({log_time, record});
  }
  const auto rank = [](const Placed& placed) {
    const Record& r = *placed.record;
    return std::make_tuple(placed.log_time_ms, r.topic, r.partition, r.offset);
  };
  std::sort(order.begin(), order.end(),
            [&](const Placed& a, const Placed& b) { return rank(a) < rank(b); });
  for (const Placed& placed : order) {
    apply_record(*placed.record, placed.log_time_ms, entry.clock_ms);
    if (after) after(*placed.record);
  }
}

void Model::apply_record(const Record& record, std::optional<int64_t> log_time_ms,
                         int64_t clock_ms) {
  place_ = TopicPartition{record.topic, record.partition};
  place_offset_ = record.offset;
  size_t s = 0;
  while (s < plan_.sources.size() && plan_.sources[s].name != record.topic) ++s;
  if (s == plan_.sources.size() || !is_read(s)) return;
  const Source& source = plan_.sources[s];
  SourceState& state = sources_[s];
  if (!record.row) return note(SideRow::Kind::kMalformed, record.topic + ".dead-letters");

  const int64_t known_at_ms = log_time_ms.value_or(clock_ms);
  if (source.event_time) {
    const int64_t time = std::get<int64_t>((*record.row)[*source.event_time].data);
    if (time > known_at_ms * kMicrosPerMilli + source.max_future_us) {
      return note(SideRow::Kind::kFuture, record.topic + ".dead-letters");
    }
    state.event_time_max_us = std::max(state.event_time_max_us, time);
    if (!state.first_record_ms) state.first_record_ms = known_at_ms;
    state.last_record_ms = std::max(state.last_record_ms.value_or(known_at_ms), known_at_ms);
    state.active_ms = std::max(state.active_ms.value_or(known_at_ms), known_at_ms);
  }
  pass_time();
  for (NodeState& node : nodes_) node.out.clear();
  for (size_t n = 0; n < plan_.nodes.size(); ++n) {
    const auto* op = std::get_if<SourceNode>(&plan_.nodes[n].op);
    if (op && op->source == s) nodes_[n].out.push_back({1, row_of(record)});
    if (!op) step(n, inputs_of(n));
  }
  send_changes();
}

// Whether any statement reads the source.
bool Model::is_read(size_t source) const {
  return std::any_of(plan_.nodes.begin(), plan_.nodes.end(), [&](const Node& node) {
    return std::any_of(node.inputs.begin(), node.inputs.end(), [&](size_t input) {
      const auto* op = std::get_if<SourceNode>(&plan_.nodes[input].op);
      return op && op->source == source;
    });
  });
}

void Model::apply_moment(const Entry& entry) {
  place_.reset();
  place_offset_ = 0;
  for (size_t s = 0; s < sources_.size(); ++s) {
    SourceState& state = sources_[s];
    if (entry.kind == Entry::Kind::kEnd) {
      state.event_time_max_us = kEnd;
      continue;
    }
    const auto timeout_us = plan_.sources[s].idle_timeout_us;
    if (!timeout_us || state.event_time_max_us == kNone || state.event_time_max_us == kEnd)
      continue;
    const int64_t silent_us = (entry.clock_ms - *state.active_ms) * kMicrosPerMilli;
    if (silent_us < *timeout_us) continue;
    state.event_time_max_us += silent_us;
    state.active_ms = entry.clock_ms;
  }
  pass_time();
  send_changes();
}

// ---- watermarks -----------------------------------------------------------------------------

void Model::pass_time() {
  for (NodeState& node : nodes_) node.out.clear();
  for (size_t n = 0; n < plan_.nodes.size(); ++n) {
    NodeState& state = nodes_[n];
    step(n, inputs_of(n));  // what timers upstream gave meets the watermark from before
    state.in_us = std::max(state.in_us, input_watermark(n));
    state.out_us = state.in_us;
    const size_t passed_on = state.out.size();
    if (const auto* op = std::get_if<AggregateNode>(&plan_.nodes[n].op); op && op->window) {
      fire_timers(*op, state);
      state.out_us = less(state.in_us, held_back_us(*op->window));
    }
    if (const auto* op = std::get_if<ReorderNode>(&plan_.nodes[n].op)) release(*op, state);
    if (const auto* timed = std::get_if<IntervalJoinNode>(&plan_.nodes[n].op)) {
      state.out_us = less(state.in_us, timed->grace_us);
      if (!timed->outer) continue;
      const auto unmatched = state.timed.give_up(*timed, state.out_us);
      state.out.insert(state.out.end(), unmatched.begin(), unmatched.end());
      state.out_us = less(state.out_us, std::max<int64_t>(timed->to_us, 0) + 1);
    }
    name_cause(n, passed_on);
  }
}

// Completes the causes of what the node's own timers gave out, from `first` on.
void Model::name_cause(size_t n, size_t first) {
  std::vector<Change>& out = nodes_[n].out;
  const TimerOwner& timers = plan_.nodes[n].timers;
  for (size_t i = first; i < out.size(); ++i) {
    out[i].cause = {timers.depth, out[i].cause.due_us, timers.node, i};
  }
}

int64_t Model::input_watermark(size_t n) const {
  const Node& node = plan_.nodes[n];
  if (const auto* op = std::get_if<SourceNode>(&node.op)) {
    return less(sources_[op->source].event_time_max_us,
                plan_.sources[op->source].out_of_orderness_us);
  }
  const bool lookup = std::holds_alternative<LookupNode>(node.op);
  if (node.inputs.size() > 1 && !lookup) return merged_watermark(n);
  return nodes_[node.inputs[0]].out_us;
}

std::vector<size_t> Model::sources_of(size_t n) const {
  if (const auto* op = std::get_if<SourceNode>(&plan_.nodes[n].op)) return {op->source};
  std::vector<size_t> sources;
  for (const size_t input : plan_.nodes[n].inputs) {
    for (const size_t source : sources_of(input)) sources.push_back(source);
    // What is looked up in is no stream.
    if (std::holds_alternative<LookupNode>(plan_.nodes[n].op)) break;
  }
  return sources;
}

int64_t Model::merged_watermark(size_t n) const {
  std::optional<int64_t> first_ms;  // when the first of all inputs spoke
  for (const size_t s : sources_of(n)) {
    const auto& spoke_ms = sources_[s].first_record_ms;
    if (spoke_ms) first_ms = std::min(first_ms.value_or(*spoke_ms), *spoke_ms);
  }
  std::vector<std::optional<int64_t>> active_ms;
  std::optional<int64_t> latest_ms;
  for (const size_t input : plan_.nodes[n].inputs) {
    std::optional<int64_t> last_ms = first_ms;
    for (const size_t s : sources_of(input))
      last_ms = std::max(last_ms, sources_[s].last_record_ms);
    active_ms.push_back(last_ms);
    latest_ms = std::max(latest_ms, last_ms);
  }
  int64_t least = kEnd;
  for (size_t i = 0; i < active_ms.size(); ++i) {
    const bool idle = active_ms[i] && *active_ms[i] + kIdleAfterMs <= *latest_ms;
    if (!idle) least = std::min(least, nodes_[plan_.nodes[n].inputs[i]].out_us);
  }
  return least;
}

void Model::fire_timers(const AggregateNode& op, NodeState& state) {
  std::vector<Timer> timers;
  for (const auto& [key, group] : state.groups) {
    const int64_t closes_us = closes_at(*op.window, key);
    if (op.final && !group.fired && closes_us <= state.in_us) {
      timers.push_back({closes_us, key, false});
    }
    if (op.retention_us && expires_at(op, key) <= state.in_us) {
      timers.push_back({expires_at(op, key), key, true});
    }
  }
  std::sort(timers.begin(), timers.end(), [](const Timer& a, const Timer& b) {
    if (a.due_us != b.due_us) return a.due_us < b.due_us;
    if (RowLess()(a.key, b.key) || RowLess()(b.key, a.key)) return RowLess()(a.key, b.key);
    return !a.expires && b.expires;
  });
  for (const Timer& timer : timers) {
    Group& group = state.groups.at(timer.key);
    const Row result = result_of(op, timer.key, group.bag);
    if (timer.expires) {
      state.groups.erase(timer.key);
      // A final window's rows were facts: only the view forgets them.
      state.out.push_back({-1, result, op.final, {.due_us = timer.due_us}});
    } else {
      group.fired = true;
      state.out.push_back({1, result, false, {.due_us = timer.due_us}});
    }
  }
}

// ---- operators ------------------------------------------------------------------------------

std::vector<Change> Model::inputs_of(size_t n) const {
  std::vector<Change> changes;
  for (const size_t input : plan_.nodes[n].inputs) {
    const auto& out = nodes_[input].out;
    changes.insert(changes.end(), out.begin(), out.end());
    // A lookup looks at the view itself, which has changed already.
    if (std::holds_alternative<LookupNode>(plan_.nodes[n].op)) break;
  }
  // What several inputs have at one place: of equal causes the first input's comes first.
  std::stable_sort(changes.begin(), changes.end(),
                   [](const Change& a, const Change& b) { return a.cause < b.cause; });
  return changes;
}

void Model::step(size_t n, const std::vector<Change>& input) {
  const auto& op = plan_.nodes[n].op;
  if (std::holds_alternative<SlidingNode>(op)) return slide(n, input);
  if (std::holds_alternative<RelationJoinNode>(op)) return join(n);
  if (std::holds_alternative<IntervalJoinNode>(op)) return join_by_time(n);
  size_t ordinal = 0;
  for (const Change& change : input) {
    const size_t first = nodes_[n].out.size();
    apply_change(n, change, ordinal++);
    pass_cause_on(n, first, change.cause);
  }
}

void Model::pass_cause_on(size_t n, size_t first, const Cause& cause) {
  std::vector<Change>& out = nodes_[n].out;
  for (size_t i = first; i < out.size(); ++i) out[i].cause = cause;
}

void Model::apply_change(size_t n, const Change& change, size_t ordinal) {
  NodeState& state = nodes_[n];
  const auto& op = plan_.nodes[n].op;
  if (std::holds_alternative<FilterNode>(op)) {
    filter(n, change);
  } else if (std::holds_alternative<ProjectNode>(op)) {
    project(n, change);
  } else if (std::holds_alternative<AggregateNode>(op)) {
    aggregate_change(n, change);
  } else if (const auto* distinct = std::get_if<DistinctNode>(&op)) {
    const bool first = state.keyed.emplace(columns_of(change.row, distinct->key), Row()).second;
    if (first) state.out.push_back(change);
  } else if (const auto* top = std::get_if<TopNNode>(&op)) {
    if (change.expired) return;
    for (Rankings::Step& row : state.rankings.apply(*top, change.sign, change.row)) {
      state.out.push_back({row.sign, std::move(row.row)});
    }
  } else if (std::holds_alternative<LookupNode>(op)) {
    lookup(n, change);
  } else if (std::holds_alternative<ReorderNode>(op)) {
    wait(n, change, ordinal);
  } else if (std::holds_alternative<ViewNode>(op)) {
    keep(n, change);
  } else if (const auto* output = std::get_if<OutputNode>(&op)) {
    if (!output->key.empty() && !change.expired) {
      state.changes.push_back(change);
    } else if (change.sign > 0) {
      note(SideRow::Kind::kOutput, output->topic, change.row);
    }
  } else {
    state.out.push_back(change);
  }
}

void Model::filter(size_t n, const Change& change) {
  const auto holds = evaluate(*std::get<FilterNode>(plan_.nodes[n].op).predicate, change.row);
  if (!holds) {
    if (change.sign > 0) note(SideRow::Kind::kError, dead_letters(n));
    return;
  }
  if (!holds->is_null() && std::get<bool>(holds->data)) nodes_[n].out.push_back(change);
}

void Model::project(size_t n, const Change& change) {
  Change result{change.sign, {}, change.expired};
  for (const ExprRef& expr : std::get<ProjectNode>(plan_.nodes[n].op).exprs) {
    auto value = evaluate(*expr, change.row);
    if (!value) {
      if (change.sign > 0) note(SideRow::Kind::kError, dead_letters(n));
      return;
    }
    result.row.push_back(*std::move(value));
  }
  nodes_[n].out.push_back(std::move(result));
}

void Model::aggregate_change(size_t n, const Change& change) {
  const auto& op = std::get<AggregateNode>(plan_.nodes[n].op);
  const Row group = columns_of(change.row, op.groups);
  if (!op.window) return change_group(n, group, change);
  if (op.window->kind == Window::Kind::kSession) return join_session(n, group, change);
  for (const Interval& window :
       windows_of(*op.window, time_of(change.row, op.window->event_time))) {
    change_group(n, in_window(group, window), change);
  }
}

// Makes one session of the row and the open ones that it is at most a gap away from.
void Model::join_session(size_t n, const Row& group, const Change& change) {
  const auto& op = std::get<AggregateNode>(plan_.nodes[n].op);
  NodeState& state = nodes_[n];
  const int64_t time = time_of(change.row, op.window->event_time);
  Interval joined = windows_of(*op.window, time).front();
  std::vector<Row> met;
  for (const auto& [key, session] : state.groups) {
    const int64_t start = std::get<int64_t>(key[key.size() - 2].data);
    const Interval window{start, end_of(key)};
    const bool open = closes_at(*op.window, key) > state.in_us;
    const bool near = window.start - op.window->size_us <= time && time <= window.end;
    if (!open || !near || !same_row(key, in_window(group, window))) continue;
    met.push_back(key);
    joined = {std::min(joined.start, window.start), std::max(joined.end, window.end)};
  }
  const Row joined_key =
      in_window(met.empty() ? group : Row(met[0].begin(), met[0].end() - 2), joined);
  if (closes_at(*op.window, joined_key) <= state.in_us) return note_late(n);
  Bag bag;
  for (const Row& key : met) {
    const Bag& part = state.groups.at(key).bag;
    if (!op.final) state.out.push_back({-1, result_of(op, key, part)});
    bag.take_over(part);
    state.groups.erase(key);
  }
  Row numbered = change.row;
  numbered.push_back(Value::bigint(++arrivals_));
  bag.apply(change.sign, numbered);
  if (!op.final) state.out.push_back({1, result_of(op, joined_key, bag)});
  state.groups[joined_key].bag = std::move(bag);
}

void Model::change_group(size_t n, const Row& key, const Change& change) {
  const auto& op = std::get<AggregateNode>(plan_.nodes[n].op);
  NodeState& state = nodes_[n];
  if (op.window && closes_at(*op.window, key) <= state.in_us) {
    if (change.sign > 0) note_late(n);
    return;
  }
  const bool single = op.groups.empty() && !op.window;
  const auto before = state.groups.find(key);
  if (before != state.groups.end() && !op.final) {
    state.out.push_back({-1, result_of(op, key, before->second.bag)});
  }
  Group& group = state.groups[key];
  group.bag.apply(change.sign, change.row);
  if (group.bag.rows.empty() && !single) {
    state.groups.erase(key);
  } else if (!op.final) {
    state.out.push_back({1, result_of(op, key, group.bag)});
  }
}

bool Model::expired(const ViewNode& op, const Row& row, const NodeState& state) const {
  if (!op.retention_us || !op.event_time || row[*op.event_time].is_null()) return false;
  return std::get<int64_t>(row[*op.event_time].data) + *op.retention_us <= state.in_us;
}

void Model::keep(size_t n, const Change& change) {
  const auto& op = std::get<ViewNode>(plan_.nodes[n].op);
  NodeState& state = nodes_[n];
  if (op.by_record) {
    if (change.sign > 0) {
      state.bag.push_back(change.row);
    } else {
      remove_one(&state.bag, change.row);
    }
    if (!change.expired) state.out.push_back(change);
    return;
  }
  const Row key = columns_of(change.row, op.key);
  const auto old = state.keyed.find(key);
  const bool existed = old != state.keyed.end() && !expired(op, old->second, state);
  if (change.sign < 0) {
    if (old != state.keyed.end()) state.keyed.erase(old);
    if (!change.expired) state.out.push_back(change);
    return;
  }
  if (existed && !op.latest_wins && !op.grouped) {
    return note(SideRow::Kind::kDuplicate, dead_letters(n), {}, op.name);
  }
  if (existed && op.latest_wins) state.out.push_back({-1, old->second});
  state.keyed[key] = kept_row(change.row, op.key);
  state.out.push_back(change);
}

// ---- what is seen ---------------------------------------------------------------------------

std::vector<std::string> Model::view(const std::string& name) const {
  const size_t n = find_view(name);
  const auto& op = std::get<ViewNode>(plan_.nodes[n].op);
  const NodeState& state = nodes_[n];
  std::vector<std::string> lines;
  const auto add = [&](const Row& row) {
    if (!expired(op, row, state)) lines.push_back(line_of(row, op.visible));
  };
  for (const auto& [key, row] : state.keyed) add(row);
  for (const Row& row : state.bag) add(row);
  std::sort(lines.begin(), lines.end());
  return lines;
}

// The final windows whose rows come to the node as they are. One that is read twice counts twice.
std::vector<size_t> Model::closing_below(size_t n) const {
  const Node& node = plan_.nodes[n];
  if (std::holds_alternative<ViewNode>(node.op)) return {};
  if (const auto* op = std::get_if<AggregateNode>(&node.op)) {
    return op->final ? std::vector<size_t>{n} : std::vector<size_t>();
  }
  std::vector<size_t> closing;
  for (const size_t input : node.inputs) {
    for (const size_t below : closing_below(input)) closing.push_back(below);
    // What waits on its right side is not on its way.
    if (std::holds_alternative<LookupNode>(node.op)) break;
  }
  return closing;
}

Waiting Model::waiting(const std::string& name) const {
  Waiting waiting;
  for (const size_t n : closing_below(plan_.nodes[find_view(name)].inputs[0])) {
    const auto& op = std::get<AggregateNode>(plan_.nodes[n].op);
    for (const auto& [key, group] : nodes_[n].groups) {
      if (group.fired) continue;
      const int64_t closes_us = closes_at(*op.window, key);
      waiting.until_us = waiting.rows == 0 ? closes_us : std::min(waiting.until_us, closes_us);
      ++waiting.rows;
    }
  }
  return waiting;
}

}  // namespace kappa::model
