#include "engine/runtime/beginning.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "engine/runtime/watermarks.h"
#include "engine/types/invariant.h"
#include "engine/types/status_macros.h"
#include "operators/operator.h"

namespace kappa::runtime {

using operators::NodeId;
using operators::Plan;
using operators::PlanNode;
using operators::SourceNode;

namespace {

std::set<std::string> topics_read_by(const Plan& plan, const std::function<bool(NodeId)>& by) {
  std::set<std::string> topics;
  for (const PlanNode& node : plan.nodes) {
    const auto* source = std::get_if<SourceNode>(&node.op);
    if (source && by(node.id)) {
      topics.insert(plan.sources[static_cast<size_t>(source->source)].topic);
    }
  }
  return topics;
}

uint64_t records_of(const std::string& topic, const Plan& plan, const Place& at) {
  for (const PlanNode& node : plan.nodes) {
    const auto* source = std::get_if<SourceNode>(&node.op);
    const auto index = source ? static_cast<size_t>(source->source) : 0;
    if (source && plan.sources[index].topic == topic) return at.source_records[index];
  }
  return 0;
}

// A plan's nodes by what their state is stored under.
std::map<uint64_t, NodeId> nodes_by_operator(const Plan& plan) {
  std::map<uint64_t, NodeId> nodes;
  for (const PlanNode& node : plan.nodes) nodes[operators::operator_id(plan, node.id)] = node.id;
  return nodes;
}

// What one generation takes over from another's place, node by node.
class Heritage {
 public:
  Heritage(const Plan& before, const Place& at, const Plan& plan, Place* place)
      : before_(before), at_(at), plan_(plan), place_(*place), clocks_(before) {
    clocks_.restore(at);
  }

  void take(NodeId from, NodeId to) {
    place_.rest->nodes[to] = {clocks_.current(from), clocks_.input_current(from),
                              clocks_.expiry_current(from)};
    if (const auto found = at_.side.find(from); found != at_.side.end()) {
      place_.side[to] = found->second;
    }
    if (const auto found = at_.watermarks.find(from); found != at_.watermarks.end()) {
      place_.watermarks[to] = found->second;
    }
    const auto* source = std::get_if<SourceNode>(&before_.node(from).op);
    if (source) take_source(*source, std::get<SourceNode>(plan_.node(to).op));
  }

 private:
  void take_source(const SourceNode& from, const SourceNode& to) {
    const auto before = static_cast<size_t>(from.source);
    const auto after = static_cast<size_t>(to.source);
    place_.sources[after] = at_.sources[before];
    place_.source_records[after] = at_.source_records[before];
  }

  const Plan& before_;
  const Place& at_;
  const Plan& plan_;
  Place& place_;
  Watermarks clocks_;
};

}  // namespace

bool keeps_state(const PlanNode& node) {
  return !std::holds_alternative<SourceNode>(node.op) &&
         !std::holds_alternative<operators::FilterNode>(node.op) &&
         !std::holds_alternative<operators::ProjectNode>(node.op) &&
         !std::holds_alternative<operators::UnionNode>(node.op) &&
         !std::holds_alternative<operators::ArrangeNode>(node.op) &&
         !std::holds_alternative<operators::OutputNode>(node.op);
}

std::vector<bool> can_be_brought_along(const Plan& before, const Plan& plan,
                                       std::vector<bool> nodes) {
  const std::map<uint64_t, NodeId> known = nodes_by_operator(before);
  // A view is brought along with all that is its own, or not at all.
  std::vector<bool> lost(nodes.size(), false);
  for (const PlanNode& node : plan.nodes) {
    lost[node.id] = keeps_state(node) && !known.contains(operators::operator_id(plan, node.id));
    for (const NodeId input : node.inputs) {
      const bool view = std::holds_alternative<operators::ViewNode>(plan.node(input).op);
      if (lost[input] && !view) lost[node.id] = true;
    }
  }
  // What is computed needs the history of its inputs.
  for (size_t n = nodes.size(); n-- > 0;) {
    nodes[n] = nodes[n] && !lost[n];
    if (nodes[n]) continue;
    for (const NodeId input : plan.nodes[n].inputs) nodes[input] = false;
  }
  return nodes;
}

std::set<std::string> topics_read(const Plan& plan) {
  return topics_read_by(plan, [](NodeId) { return true; });
}

Place beginning(const Plan& plan, uint64_t journal_id) {
  Place place;
  place.plan_fingerprint = operators::fingerprint(plan);
  place.journal_id = journal_id;
  place.sources.resize(plan.sources.size());
  place.source_records.resize(plan.sources.size());
  place.untouched = true;
  return place;
}

absl::Status begin_at_time(const Plan& plan, const log::Log& log, LogTime time, Place* place) {
  for (const std::string& topic : topics_read(plan)) {
    KAPPA_ASSIGN_OR_RETURN(const log::TopicInfo info, log.topic(topic));
    for (int32_t p = 0; p < info.config.partitions; ++p) {
      PartitionPlace& partition = place->partitions.emplace_back();
      partition.partition = {topic, p};
      KAPPA_ASSIGN_OR_RETURN(partition.next, log.offset_for_time(partition.partition, time));
    }
  }
  return absl::OkStatus();
}

void begin_in_log_time(const Plan& plan, const Place& at, Place* place) {
  place->journal = at.journal;
  place->clock = at.clock;
  JournalEntry all{JournalEntry::Kind::kHistory, at.clock, {}};
  const std::set<std::string> topics = topics_read(plan);
  for (const PartitionPlace& p : at.partitions) {
    if (p.next.value == 0 || !topics.contains(p.partition.topic)) continue;
    all.advances.push_back({p.partition, p.next, p.known_record});
  }
  if (!all.advances.empty()) place->entry = std::move(all);
}

std::set<uint64_t> bring_along(const Plan& before, const Place& at, const Plan& plan,
                               const std::vector<bool>& nodes, Place* place) {
  place->rest = Rest{};
  place->rest->until_entries = at.journal.entry;
  const std::map<uint64_t, NodeId> known = nodes_by_operator(before);
  Heritage heritage(before, at, plan, place);
  std::set<uint64_t> brought;
  for (const PlanNode& node : plan.nodes) {
    if (!nodes[node.id]) continue;
    const uint64_t id = operators::operator_id(plan, node.id);
    const auto found = known.find(id);
    if (found != known.end()) {
      heritage.take(found->second, node.id);
      brought.insert(id);
    } else {
      KAPPA_INVARIANT(!keeps_state(node), "what cannot be brought along was sorted out");
      place->rest->nodes[node.id] = {};
    }
  }
  const std::set<std::string> read = topics_read_by(plan, [&](NodeId id) { return !nodes[id]; });
  for (const std::string& topic : topics_read_by(plan, [&](NodeId id) { return nodes[id]; })) {
    if (read.contains(topic)) continue;
    for (const PartitionPlace& p : at.partitions) {
      if (p.partition.topic == topic) place->rest->partitions.push_back(p);
    }
    place->rest->records += records_of(topic, before, at);
  }
  return brought;
}

}  // namespace kappa::runtime
