#include "engine/cli/doctor/examined.h"

#include <set>

#include "absl/strings/str_cat.h"

namespace kappa::cli::doctor {
namespace {

using operators::NodeId;
using operators::Plan;

void add_topics(const Plan& plan, NodeId id, std::set<std::string>* topics) {
  const operators::PlanNode& node = plan.node(id);
  if (const auto* source = std::get_if<operators::SourceNode>(&node.op)) {
    topics->insert(plan.sources[static_cast<size_t>(source->source)].topic);
  }
  for (const NodeId input : node.inputs) add_topics(plan, input, topics);
}

}  // namespace

int64_t ExaminedTopic::records() const {
  if (counted) return *counted;
  int64_t records = 0;
  for (const log::PartitionRange& range : partitions) {
    records += range.end.value - range.start.value;
  }
  return records;
}

int64_t ExaminedTopic::ever_appended() const {
  int64_t records = 0;
  for (const log::PartitionRange& range : partitions) records += range.end.value;
  return records;
}

const ExaminedTopic* Examined::find(const std::string& topic) const {
  for (const ExaminedTopic& examined : topics) {
    if (examined.info.name == topic) return &examined;
  }
  return nullptr;
}

std::vector<KeyedTogether> keyed_together(const std::string& product, const Plan& plan) {
  std::vector<KeyedTogether> all;
  for (const operators::PlanNode& node : plan.nodes) {
    if (!operators::join_key(node)) continue;
    std::set<std::string> topics;
    add_topics(plan, node.id, &topics);
    if (topics.size() < 2) continue;
    all.push_back({absl::StrCat("a join of product ", product), {topics.begin(), topics.end()}});
  }
  return all;
}

}  // namespace kappa::cli::doctor
