#include "engine/cli/topic_needs.h"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "absl/strings/str_cat.h"
#include "engine/log/kafka/outbox_place.h"
#include "engine/runtime/dead_letter.h"
#include "engine/runtime/explain.h"
#include "engine/types/invariant.h"

namespace kappa::cli {
namespace {

using operators::NodeId;
using operators::PlanNode;

bool has_late_rows(const runtime::ExplainedNode& node) {
  return !node.late.empty() || std::any_of(node.inputs.begin(), node.inputs.end(), has_late_rows);
}

// Whether a node may give out rows when time passes: windows and waits that end, rows that expire.
// The others answer each record at its place.
bool acts_in_silence(const PlanNode& node) {
  if (const auto* aggregate = std::get_if<operators::AggregateNode>(&node.op)) {
    return aggregate->window || aggregate->retention_us;
  }
  if (const auto* view = std::get_if<operators::ViewNode>(&node.op)) {
    return node.changelog && view->retention_us;
  }
  return std::holds_alternative<operators::IntervalJoinNode>(node.op) ||
         std::holds_alternative<operators::ReorderNode>(node.op);
}

// Whether what feeds a node may do so when time passes.
bool fed_in_silence(const operators::Plan& plan, const PlanNode& node) {
  return std::any_of(node.inputs.begin(), node.inputs.end(), [&](NodeId id) {
    const PlanNode& input = plan.node(id);
    return acts_in_silence(input) || fed_in_silence(plan, input);
  });
}

// How far back a node reads its own input.
int64_t own_reach_us(const PlanNode& node) {
  if (const auto* sliding = std::get_if<operators::SlidingNode>(&node.op)) {
    return sliding->horizon_us;
  }
  if (const auto* join = std::get_if<operators::IntervalJoinNode>(&node.op)) {
    return std::max(std::abs(join->from_us), std::abs(join->to_us)) + join->grace_us;
  }
  if (const auto* aggregate = std::get_if<operators::AggregateNode>(&node.op)) {
    return aggregate->window ? aggregate->window->size_us + aggregate->window->grace_us : 0;
  }
  return 0;
}

// Whether what a node gives out now may depend on any earlier row: it keeps what it has seen for as
// long as it likes. Frames counted in rows are like that too, and joins with a relation.
bool forgets_nothing(const PlanNode& node) {
  if (const auto* aggregate = std::get_if<operators::AggregateNode>(&node.op)) {
    return !aggregate->window && !aggregate->retention_us;
  }
  if (const auto* sliding = std::get_if<operators::SlidingNode>(&node.op)) {
    return std::any_of(sliding->calls.begin(), sliding->calls.end(), [](const auto& call) {
      return call.frame.unit == operators::Frame::Unit::kRows;
    });
  }
  if (const auto* view = std::get_if<operators::ViewNode>(&node.op)) {
    return !view->retention_us;
  }
  return std::holds_alternative<operators::DistinctNode>(node.op) ||
         std::holds_alternative<operators::TopNNode>(node.op) ||
         std::holds_alternative<operators::RelationJoinNode>(node.op);
}

// The reach of each node, users before their inputs.
class Reaches {
 public:
  explicit Reaches(const operators::Plan& plan) : plan_(plan), reaches_(plan.nodes.size()) {
    for (size_t i = plan.nodes.size(); i-- > 0;) {
      const PlanNode& node = plan.nodes[i];
      Reach& reach = reaches_[i];
      reach.us += own_reach_us(node);
      if (forgets_nothing(node)) reach.for_ever = name_of(node.id);
      for (const NodeId input : node.inputs) {
        KAPPA_INVARIANT(input < node.id, "a plan's inputs come before their users");
        join(reach, &reaches_[input]);
      }
    }
  }

  const Reach& of(NodeId node) const { return reaches_[node]; }

  static void join(const Reach& more, Reach* reach) {
    reach->us = std::max(reach->us, more.us);
    if (!more.for_ever.empty()) reach->for_ever = more.for_ever;
  }

 private:
  // The view or output that the node is part of, or the first that uses it.
  std::string name_of(NodeId id) const {
    const PlanNode& node = plan_.node(id);
    if (const auto* view = std::get_if<operators::ViewNode>(&node.op)) return view->name;
    if (const auto* output = std::get_if<operators::OutputNode>(&node.op)) {
      return plan_.sources[static_cast<size_t>(output->sink)].topic;
    }
    for (const PlanNode& user : plan_.nodes) {
      if (std::find(user.inputs.begin(), user.inputs.end(), id) != user.inputs.end()) {
        return name_of(user.id);
      }
    }
    return "a statement";
  }

  const operators::Plan& plan_;
  std::vector<Reach> reaches_;
};

Reach reach_of(const operators::Plan& plan, const Reaches& reaches, int source) {
  Reach reach;
  for (size_t i = plan.nodes.size(); i-- > 0;) {
    const auto* node = std::get_if<operators::SourceNode>(&plan.nodes[i].op);
    if (node && node->source == source) Reaches::join(reaches.of(plan.nodes[i].id), &reach);
  }
  reach.us += plan.sources[static_cast<size_t>(source)].out_of_orderness_us;
  return reach;
}

}  // namespace

std::string role_text(TopicNeed::Role role) {
  switch (role) {
    case TopicNeed::Role::kSource:
      return "source";
    case TopicNeed::Role::kOutput:
      return "output";
    case TopicNeed::Role::kDeadLetters:
      return "dead letters";
    case TopicNeed::Role::kLate:
      return "late rows";
    case TopicNeed::Role::kOutboxPlace:
      return "the outbox's place";
  }
  return "";
}

Reach reach_of(const operators::Plan& plan, int source) {
  return reach_of(plan, Reaches(plan), source);
}

std::vector<TopicNeed> topic_needs(const std::string& product, const operators::Plan& plan,
                                   int32_t partitions) {
  const std::string dead_letters(runtime::kDeadLetterSuffix);
  const Reaches reaches(plan);
  std::set<int> sinks;
  for (const PlanNode& node : plan.nodes) {
    if (const auto* output = std::get_if<operators::OutputNode>(&node.op)) {
      sinks.insert(output->sink);
    }
  }
  std::vector<TopicNeed> sources;
  std::vector<TopicNeed> others;
  const auto other = [&](const std::string& topic, TopicNeed::Role role) {
    others.push_back({topic, product, role, 1, {}, false});
  };
  for (size_t i = 0; i < plan.sources.size(); ++i) {
    const std::string& topic = plan.sources[i].topic;
    const int source = static_cast<int>(i);
    if (sinks.contains(source)) {
      other(topic, TopicNeed::Role::kOutput);
      others.back().compacted = plan.sources[i].upsert;
      continue;
    }
    sources.push_back({topic, product, TopicNeed::Role::kSource, partitions,
                       reach_of(plan, reaches, source), plan.sources[i].upsert});
    other(absl::StrCat(topic, dead_letters), TopicNeed::Role::kDeadLetters);
  }
  bool late_outputs = false;  // their late rows have no view's name, nor have their failures
  bool silent_outputs = false;
  for (const PlanNode& node : plan.nodes) {
    const auto* view = std::get_if<operators::ViewNode>(&node.op);
    if (!view && !std::holds_alternative<operators::OutputNode>(node.op)) continue;
    if (fed_in_silence(plan, node)) {
      if (view) other(absl::StrCat(view->name, dead_letters), TopicNeed::Role::kDeadLetters);
      silent_outputs = silent_outputs || !view;
    }
    if (!has_late_rows(runtime::explain(plan, node.id))) continue;
    if (view) other(view->name + std::string(runtime::kLateSuffix), TopicNeed::Role::kLate);
    late_outputs = late_outputs || !view;
  }
  if (silent_outputs) other(absl::StrCat(product, dead_letters), TopicNeed::Role::kDeadLetters);
  if (late_outputs) other(product + std::string(runtime::kLateSuffix), TopicNeed::Role::kLate);
  sources.insert(sources.end(), others.begin(), others.end());
  return sources;
}

TopicNeed outbox_place_need(const std::string& product) {
  return {log::outbox_control_topic(product), product, TopicNeed::Role::kOutboxPlace, 1, {}, true};
}

}  // namespace kappa::cli
