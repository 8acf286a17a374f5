#include "engine/runtime/watermarks.h"

#include <algorithm>
#include <utility>

#include "operators/windows.h"

namespace kappa::runtime {

using operators::NodeId;
using operators::PlanNode;
using operators::WatermarkTrack;

namespace {

// Whether a node's watermark is made of those of several inputs.
bool is_merged(const PlanNode& node) {
  return std::holds_alternative<operators::UnionNode>(node.op) ||
         std::holds_alternative<operators::RelationJoinNode>(node.op) ||
         std::holds_alternative<operators::IntervalJoinNode>(node.op);
}

// How far behind what comes in a node's rows may still be.
int64_t held_back_us(const PlanNode& node) {
  if (const auto* aggregate = std::get_if<operators::AggregateNode>(&node.op)) {
    return aggregate->window ? operators::held_back_us(*aggregate->window) : 0;
  }
  if (const auto* join = std::get_if<operators::IntervalJoinNode>(&node.op)) {
    // A left row without a match waits until no right one can come.
    const int64_t waits_us = join->outer ? saturating_add(std::max<int64_t>(join->to_us, 0), 1) : 0;
    return saturating_add(waits_us, join->grace_us);
  }
  return 0;
}

int64_t less_bound(int64_t event_time_max, int64_t bound) {
  if (event_time_max == kNoEventTime.us || event_time_max == kEndOfTime.us) return event_time_max;
  return saturating_add(event_time_max, -bound);
}

}  // namespace

Watermarks::Watermarks(const operators::Plan& plan) : plan_(plan) {
  sources_.resize(plan.sources.size());
  tracks_.resize(plan.nodes.size());
  current_.assign(plan.nodes.size(), kNoEventTime.us);
  merged_.resize(plan.nodes.size());
  merged_current_ = current_;
  for (const PlanNode& node : plan.nodes) {
    merges_ |= is_merged(node);
    if (const auto* source = std::get_if<operators::SourceNode>(&node.op)) {
      sources_[static_cast<size_t>(source->source)].used = true;
    }
  }
}

void Watermarks::restore(const Place& place) {
  if (place.rest) resting_ = place.rest->nodes;
  for (const PlanNode& node : plan_.nodes) {
    const auto* source = std::get_if<operators::SourceNode>(&node.op);
    if (source) sources_[static_cast<size_t>(source->source)].rests = resting(node.id) != nullptr;
  }
  for (size_t s = 0; s < sources_.size() && s < place.sources.size(); ++s) {
    sources_[s].clock = place.sources[s];
  }
  for (const auto& [node, watermark] : place.watermarks) {
    if (node < merged_current_.size()) merged_current_[node] = watermark;
  }
  compute_all();
}

void Watermarks::wake() {
  resting_.clear();
  for (Source& source : sources_) source.rests = false;
  compute_all();
}

// What is between epochs follows from clocks and merged watermarks: an epoch without places
// computes it.
void Watermarks::compute_all() {
  const Epoch none(0, 1);
  begin(none);
  compute(none);
}

const Rest::Node* Watermarks::resting(NodeId node) const {
  const auto found = resting_.find(node);
  return found == resting_.end() ? nullptr : &found->second;
}

void Watermarks::save(Place* place) const {
  place->sources.clear();
  for (const Source& source : sources_) place->sources.push_back(source.clock);
  place->watermarks.clear();
  for (const PlanNode& node : plan_.nodes) {
    if (is_merged(node)) place->watermarks[node.id] = merged_current_[node.id];
  }
}

void Watermarks::begin(const Epoch& epoch) {
  for (Source& source : sources_) {
    if (!source.used) continue;
    source.shown.assign(epoch.size() + 1, kNoEventTime.us);
  }
}

void Watermarks::show(int source, std::span<const uint32_t> places,
                      std::span<const int64_t> event_times_us) {
  std::vector<int64_t>& shown = sources_[static_cast<size_t>(source)].shown;
  for (size_t i = 0; i < places.size(); ++i) shown[places[i] + 1] = event_times_us[i];
}

void Watermarks::compute_source(size_t index, const Epoch& epoch) {
  Source& source = sources_[index];
  const schemas::Source& spec = plan_.sources[index];
  const std::vector<int64_t>& shown = source.shown;
  WatermarkTrack& track = *source.track;
  track.resize(shown.size());
  int64_t max = source.clock.event_time_max_us;
  track[0] = max;
  if (merges_) {
    source.first_record_ms.assign(epoch.size() + 1, source.clock.first_record_ms);
    source.last_record_ms.assign(epoch.size() + 1, source.clock.last_record_ms);
  }
  size_t from = 1;
  const auto run_to = [&](size_t to) {
    SourceClock& clock = source.clock;
    int64_t last_record_ms = clock.last_record_ms;
    for (size_t i = from; i < to; ++i) {
      // A record shows its event time; other places show none.
      if (shown[i] != kNoEventTime.us) {
        const int64_t known_at_ms = epoch.known_at_ms()[i - 1];
        if (clock.first_record_ms == kNoLogTime.ms) clock.first_record_ms = known_at_ms;
        last_record_ms = std::max(last_record_ms, known_at_ms);
        max = std::max(max, shown[i]);
      }
      track[i] = max;
      if (merges_) {
        source.first_record_ms[i] = clock.first_record_ms;
        source.last_record_ms[i] = last_record_ms;
      }
    }
    clock.last_record_ms = last_record_ms;
    from = to;
  };
  for (const EpochMoment& moment : epoch.moments) {
    run_to(moment.place + 1);
    SourceClock& clock = source.clock;
    clock.active_ms = std::max(clock.active_ms, clock.last_record_ms);
    if (moment.kind == JournalEntry::Kind::kEnd) {
      max = kEndOfTime.us;
    } else if (spec.idle_timeout_us && max != kNoEventTime.us && max != kEndOfTime.us) {
      const int64_t silent_ms = moment.clock.ms - clock.active_ms;
      if (silent_ms * kMicrosPerMilli >= *spec.idle_timeout_us) {
        max = saturating_add(max, silent_ms * kMicrosPerMilli);
        clock.active_ms = moment.clock.ms;
      }
    }
    track[moment.place + 1] = max;
    if (merges_) {
      source.first_record_ms[moment.place + 1] = clock.first_record_ms;
      source.last_record_ms[moment.place + 1] = clock.last_record_ms;
    }
    from = moment.place + 2;
  }
  run_to(epoch.size() + 1);
  source.clock.active_ms = std::max(source.clock.active_ms, source.clock.last_record_ms);
  source.clock.event_time_max_us = max;
  for (int64_t& time : track) time = less_bound(time, spec.out_of_orderness_us);
}

void Watermarks::compute(const Epoch& epoch) {
  for (size_t s = 0; s < sources_.size(); ++s) {
    if (sources_[s].used && !sources_[s].rests) compute_source(s, epoch);
  }
  for (const PlanNode& node : plan_.nodes) {
    if (const Rest::Node* at = resting(node.id)) {
      current_[node.id] = at->watermark;
    } else {
      compute_node(node, epoch);
      current_[node.id] = tracks_[node.id]->back();
    }
  }
}

void Watermarks::compute_node(const PlanNode& node, const Epoch& epoch) {
  if (const auto* op = std::get_if<operators::SourceNode>(&node.op)) {
    tracks_[node.id] = sources_[static_cast<size_t>(op->source)].track;
    return;
  }
  if (is_merged(node)) compute_merged(node, epoch);
  tracks_[node.id] =
      behind(merged_[node.id] ? merged_[node.id] : tracks_[node.inputs[0]], held_back_us(node));
}

std::shared_ptr<const WatermarkTrack> Watermarks::behind(
    const std::shared_ptr<const WatermarkTrack>& track, int64_t held_back_us) {
  if (held_back_us == 0) return track;
  auto less = std::make_shared<WatermarkTrack>(*track);
  for (int64_t& time : *less) time = less_bound(time, held_back_us);
  return less;
}

std::vector<size_t> Watermarks::sources_of(NodeId node) const {
  std::vector<size_t> sources;
  const PlanNode& plan_node = plan_.node(node);
  if (const auto* op = std::get_if<operators::SourceNode>(&plan_node.op)) {
    sources.push_back(static_cast<size_t>(op->source));
  }
  for (NodeId input : plan_node.inputs) {
    for (size_t source : sources_of(input)) sources.push_back(source);
    if (operators::looks_up(plan_node)) break;  // its right input is no stream
  }
  return sources;
}

std::vector<int64_t> Watermarks::start(NodeId node, size_t places) const {
  std::vector<int64_t> start(places + 1, kNoLogTime.ms);
  for (size_t source : sources_of(node)) {
    for (size_t i = 0; i <= places; ++i) {
      const int64_t first_ms = sources_[source].first_record_ms[i];
      if (first_ms == kNoLogTime.ms) continue;
      start[i] = start[i] == kNoLogTime.ms ? first_ms : std::min(start[i], first_ms);
    }
  }
  return start;
}

std::vector<int64_t> Watermarks::activity(NodeId node, std::vector<int64_t> start_ms) const {
  std::vector<int64_t> last = std::move(start_ms);
  for (size_t source : sources_of(node)) {
    for (size_t i = 0; i < last.size(); ++i) {
      last[i] = std::max(last[i], sources_[source].last_record_ms[i]);
    }
  }
  return last;
}

void Watermarks::compute_merged(const PlanNode& node, const Epoch& epoch) {
  auto track = std::make_shared<WatermarkTrack>(epoch.size() + 1);
  const std::vector<int64_t> start_ms = start(node.id, epoch.size());  // when its first input spoke
  std::vector<std::vector<int64_t>> active;
  for (NodeId input : node.inputs) active.push_back(activity(input, start_ms));
  int64_t watermark = merged_current_[node.id];
  for (size_t i = 0; i <= epoch.size(); ++i) {
    int64_t latest = kNoLogTime.ms;
    for (const auto& input : active) latest = std::max(latest, input[i]);
    int64_t least = kEndOfTime.us;
    for (size_t k = 0; k < node.inputs.size(); ++k) {
      const bool idle = saturating_add(active[k][i], kIdleAfterMs) <= latest;
      if (!idle) least = std::min(least, (*tracks_[node.inputs[k]])[i]);
    }
    watermark = std::max(watermark, least);
    (*track)[i] = watermark;
  }
  merged_current_[node.id] = watermark;
  merged_[node.id] = std::move(track);
}

const WatermarkTrack& Watermarks::input_track(NodeId node) const {
  if (merged_[node]) return *merged_[node];
  const PlanNode& plan_node = plan_.node(node);
  return *tracks_[plan_node.inputs.empty() ? node : plan_node.inputs[0]];
}

const WatermarkTrack* Watermarks::right_track(NodeId node) const {
  const PlanNode& plan_node = plan_.node(node);
  return operators::join_key(plan_node) ? tracks_[plan_node.inputs[1]].get() : nullptr;
}

int64_t Watermarks::current(NodeId node) const {
  return current_[node];
}

int64_t Watermarks::input_current(NodeId node) const {
  if (const Rest::Node* at = resting(node)) return at->input_watermark;
  if (merged_[node]) return merged_current_[node];
  const PlanNode& plan_node = plan_.node(node);
  return current_[plan_node.inputs.empty() ? node : plan_node.inputs[0]];
}

int64_t Watermarks::expiry_current(NodeId node) const {
  if (const Rest::Node* at = resting(node)) return at->expiry_watermark;
  if (!operators::looks_up(plan_.node(node))) return input_current(node);
  return current_[plan_.node(node).inputs[1]];
}

int64_t Watermarks::source_watermark(int source) const {
  const auto index = static_cast<size_t>(source);
  return less_bound(sources_[index].clock.event_time_max_us,
                    plan_.sources[index].out_of_orderness_us);
}

bool Watermarks::tick_due(LogTime clock) const {
  for (size_t s = 0; s < sources_.size(); ++s) {
    const auto& timeout = plan_.sources[s].idle_timeout_us;
    const SourceClock& seen = sources_[s].clock;
    if (!sources_[s].used || !timeout || seen.event_time_max_us == kNoEventTime.us ||
        seen.event_time_max_us == kEndOfTime.us) {
      continue;
    }
    if ((clock.ms - seen.active_ms) * kMicrosPerMilli >= *timeout) return true;
  }
  return false;
}

}  // namespace kappa::runtime
