#include "engine/runtime/dataflow.h"

#include <algorithm>
#include <tuple>

#include "engine/runtime/exchange.h"
#include "engine/types/hash.h"
#include "engine/types/invariant.h"
#include "engine/types/status_macros.h"
#include "operators/filter.h"
#include "operators/output.h"
#include "operators/project.h"

namespace kappa::runtime {

using operators::AggregateNode;
using operators::NodeId;
using operators::OutputNode;
using operators::PlanNode;
using operators::ProjectNode;
using operators::SideRow;
using operators::SourceNode;
using operators::UnionNode;
using operators::ViewNode;

namespace {

template <typename T>
bool is(const PlanNode& node) {
  return std::holds_alternative<T>(node.op);
}

// Gives an output's rows to whoever asked for them.
class Observer final : public operators::Operator {
 public:
  Observer(NodeId node, std::function<void(NodeId, const Batch&)> callback)
      : node_(node), callback_(std::move(callback)) {}
  void process(const Batch& input, const operators::OperatorContext&,
               std::vector<Batch>*) override {
    if (!input.empty()) callback_(node_, input);
  }

 private:
  NodeId node_;
  std::function<void(NodeId, const Batch&)> callback_;
};

// The column of a projection's input that its column `column` passes on, or -1.
int passed_column(const ProjectNode& op, int column) {
  const operators::Expr& expr = *op.exprs[static_cast<size_t>(column)];
  return expr.kind == operators::ExprKind::kColumn ? expr.column : -1;
}

}  // namespace

Dataflow::Dataflow(const operators::Plan& plan, uint32_t workers)
    : plan_(plan), workers_(workers), users_(plan.nodes.size()) {
  for (const PlanNode& node : plan.nodes) {
    for (NodeId input : node.inputs) users_[input].push_back(node.id);
    if (const auto* source = std::get_if<SourceNode>(&node.op)) {
      topics_.push_back(plan.sources[static_cast<size_t>(source->source)].topic);
    }
  }
  std::sort(topics_.begin(), topics_.end());
  topics_.erase(std::unique(topics_.begin(), topics_.end()), topics_.end());
  for (const schemas::Source& source : plan.sources) {
    const auto topic = std::lower_bound(topics_.begin(), topics_.end(), source.topic);
    topic_of_source_.push_back(static_cast<size_t>(topic - topics_.begin()));
  }
}

absl::StatusOr<std::unique_ptr<Dataflow>> Dataflow::create(
    const operators::Plan& plan, const schemas::ProductFiles& files, uint32_t workers,
    std::function<void(NodeId, const Batch&)> on_output) {
  auto flow = std::unique_ptr<Dataflow>(new Dataflow(plan, workers));
  flow->on_output_ = std::move(on_output);
  flow->plan_stages();
  KAPPA_RETURN_IF_ERROR(flow->make_operators(files));
  return flow;
}

// ---- the plan's shape -----------------------------------------------------------------------

bool Dataflow::reads_aggregate(const PlanNode& view) const {
  if (std::get<ViewNode>(view.op).conflict != ViewNode::Conflict::kGrouped) return false;
  if (std::get<ViewNode>(view.op).by_record) return false;
  const PlanNode* input = &plan_.node(view.inputs[0]);
  if (const auto* project = std::get_if<ProjectNode>(&input->op)) {
    for (int c = 0; c < static_cast<int>(project->exprs.size()); ++c) {
      if (passed_column(*project, c) < 0) return false;
    }
    input = &plan_.node(input->inputs[0]);
  }
  return is<AggregateNode>(*input);
}

// Whether somebody takes the rows that a node gives out.
bool Dataflow::emits(NodeId id) const {
  return std::any_of(users_[id].begin(), users_[id].end(), [&](NodeId user) {
    const PlanNode& node = plan_.node(user);
    if (is<ViewNode>(node) && reads_aggregate(node)) return !users_[user].empty();
    if (is<ProjectNode>(node)) return emits(user);
    return true;
  });
}

std::vector<int> Dataflow::key_of(NodeId id) const {
  const PlanNode& node = plan_.node(id);
  if (const auto* aggregate = std::get_if<AggregateNode>(&node.op)) return aggregate->groups;
  return std::get<ViewNode>(node.op).key;
}

std::vector<int> Dataflow::partitioning(NodeId id) const {
  const PlanNode& node = plan_.node(id);
  if (const auto* aggregate = std::get_if<AggregateNode>(&node.op)) {
    std::vector<int> columns(aggregate->groups.size());
    for (size_t i = 0; i < columns.size(); ++i) columns[i] = static_cast<int>(i);
    return columns;
  }
  if (is<ViewNode>(node)) {
    const auto& op = std::get<ViewNode>(node.op);
    if (reads_aggregate(node)) return partitioning(node.inputs[0]);
    return op.by_record ? std::vector<int>{} : op.key;
  }
  if (is<operators::FilterNode>(node)) return partitioning(node.inputs[0]);
  if (const auto* project = std::get_if<ProjectNode>(&node.op)) {
    std::vector<int> columns;
    for (int inner : partitioning(node.inputs[0])) {
      int found = -1;
      for (int c = 0; c < static_cast<int>(project->exprs.size()); ++c) {
        if (passed_column(*project, c) == inner) found = c;
      }
      if (found < 0) return {};
      columns.push_back(found);
    }
    return columns;
  }
  return {};
}

void Dataflow::plan_stages() {
  stage_.assign(plan_.nodes.size(), 0);
  exchanged_.assign(plan_.nodes.size(), false);
  for (const PlanNode& node : plan_.nodes) {
    for (NodeId input : node.inputs) stage_[node.id] = std::max(stage_[node.id], stage_[input]);
    const bool keyed =
        is<AggregateNode>(node) ||
        (is<ViewNode>(node) && !std::get<ViewNode>(node.op).by_record && !reads_aggregate(node));
    if (workers_ == 1 || !keyed) continue;
    // An empty partitioning says nothing, unless the key is empty too.
    const std::vector<int> present = partitioning(node.inputs[0]);
    if (!present.empty() && present == key_of(node.id)) continue;
    exchanged_[node.id] = true;
    ++stage_[node.id];
  }
  for (uint32_t stage : stage_) stages_ = std::max(stages_, stage + 1);
}

std::unique_ptr<operators::Operator> Dataflow::make_operator(const PlanNode& node) {
  if (is<operators::FilterNode>(node)) return std::make_unique<operators::Filter>(plan_, node.id);
  if (is<ProjectNode>(node)) return std::make_unique<operators::Project>(plan_, node.id);
  if (is<AggregateNode>(node)) {
    return std::make_unique<operators::Aggregate>(plan_, node.id, emits(node.id));
  }
  if (is<ViewNode>(node) && !reads_aggregate(node)) {
    return std::make_unique<operators::ViewTable>(plan_, node.id, emits(node.id));
  }
  if (is<OutputNode>(node)) {
    if (on_output_) return std::make_unique<Observer>(node.id, on_output_);
    return std::make_unique<operators::Output>(plan_, node.id);
  }
  return nullptr;  // sources, unions, and views that read an aggregate's table
}

absl::Status Dataflow::make_operators(const schemas::ProductFiles& files) {
  for (const PlanNode& node : plan_.nodes) {
    const auto* aggregate = std::get_if<AggregateNode>(&node.op);
    if (aggregate)
      group_columns_[operators::operator_id(plan_, node.id)] = aggregate->groups.size();
  }
  parts_.resize(workers_);
  for (uint32_t w = 0; w < workers_; ++w) {
    Worker& worker = parts_[w];
    worker.nodes.resize(plan_.nodes.size());
    worker.sources.resize(plan_.sources.size());
    worker.sent.assign(plan_.nodes.size(), std::vector<std::vector<Batch>>(workers_));
    for (const PlanNode& node : plan_.nodes) {
      worker.nodes[node.id].op = make_operator(node);
      if (const auto* source = std::get_if<SourceNode>(&node.op)) {
        KAPPA_ASSIGN_OR_RETURN(worker.sources[static_cast<size_t>(source->source)],
                               SourceStep::create(plan_, node.id, files));
      }
      // A key of no columns hashes to 0, which is the first worker's.
      if (auto* aggregate = dynamic_cast<operators::Aggregate*>(worker.nodes[node.id].op.get());
          aggregate && w == 0) {
        aggregate->make_single_group();
      }
    }
  }
  return absl::OkStatus();
}

// ---- running --------------------------------------------------------------------------------

void Dataflow::decode(uint32_t index, const Epoch& epoch, Watermarks& watermarks) {
  Worker& worker = parts_[index];
  worker.arena.reset();
  worker.side.clear();
  for (Instance& instance : worker.nodes) instance.out.clear();
  for (size_t s = 0; s < worker.sources.size(); ++s) {
    SourceStep* step = worker.sources[s].get();
    if (!step) continue;
    const EpochRecords& records = epoch.records[index][topic_of_source_[s]];
    if (records.records.empty()) continue;
    Batch batch = step->decode(records, epoch, worker.arena, &worker.side);
    if (!step->event_times_us().empty()) {
      watermarks.show(step->source(), step->places(), step->event_times_us());
    }
    if (!batch.empty()) worker.nodes[step->node()].out.push_back(std::move(batch));
  }
}

void Dataflow::pass_on(Worker& worker, NodeId id) {
  for (NodeId user : users_[id]) {
    if (!exchanged_[user]) continue;
    for (const Batch& batch : worker.nodes[id].out) {
      std::vector<Batch> parts = split_by_key(batch, key_of(user), workers_);
      for (uint32_t w = 0; w < workers_; ++w) {
        if (!parts[w].empty()) worker.sent[user][w].push_back(std::move(parts[w]));
      }
    }
  }
}

void Dataflow::run_node(Worker& worker, uint32_t index, NodeId id,
                        const operators::OperatorContext& context) {
  const PlanNode& node = plan_.node(id);
  Instance& instance = worker.nodes[id];
  std::vector<Batch> input;
  if (exchanged_[id]) {
    for (Worker& sender : parts_) {
      auto& sent = sender.sent[id][index];
      input.insert(input.end(), std::make_move_iterator(sent.begin()),
                   std::make_move_iterator(sent.end()));
      sent.clear();
    }
  } else {
    for (NodeId from : node.inputs) {
      const auto& out = worker.nodes[from].out;
      input.insert(input.end(), out.begin(), out.end());
    }
  }
  if (!instance.op) {
    instance.out = std::move(input);
    return;
  }
  const bool stateless = is<operators::FilterNode>(node) || is<ProjectNode>(node);
  const bool any_order = stateless || (is<AggregateNode>(node) &&
                                       !operators::Aggregate::needs_order(node, plan_, emits(id)));
  if (any_order) {
    for (const Batch& batch : input) instance.op->process(batch, context, &instance.out);
  } else {
    instance.op->process(merge_batches(std::move(input)), context, &instance.out);
  }
}

void Dataflow::run_stage(uint32_t index, uint32_t stage, const OrderReader& reader,
                         const Epoch& epoch, const Watermarks& watermarks) {
  Worker& worker = parts_[index];
  const std::function<std::pair<const TopicPartition*, Offset>(uint32_t)> record_at =
      [&](uint32_t place) {
        const EpochPlace& at = epoch.places[place];
        return std::pair(&reader.partition(at.partition), Offset{at.offset});
      };
  for (const PlanNode& node : plan_.nodes) {
    if (stage_[node.id] != stage) continue;
    if (!is<SourceNode>(node)) {
      const operators::OperatorContext context{watermarks.input_track(node.id), worker.arena,
                                               worker.side, record_at};
      run_node(worker, index, node.id, context);
    }
    if (workers_ > 1) pass_on(worker, node.id);
  }
}

void Dataflow::run(const Epoch& epoch, const OrderReader& reader, Watermarks& watermarks,
                   WorkerPool& pool) {
  // Little work is done sooner by one thread than handed around.
  constexpr size_t kPlacesForThreads = 256;
  const bool together = epoch.size() >= kPlacesForThreads;
  watermarks.begin(epoch);
  pool.run([&](uint32_t worker) { decode(worker, epoch, watermarks); }, together);
  watermarks.compute(epoch);
  for (uint32_t stage = 0; stage < stages_; ++stage) {
    pool.run([&](uint32_t worker) { run_stage(worker, stage, reader, epoch, watermarks); },
             together);
  }
  collect_side();
}

void Dataflow::collect_side() {
  side_.clear();
  for (Worker& worker : parts_) {
    side_.insert(side_.end(), std::make_move_iterator(worker.side.begin()),
                 std::make_move_iterator(worker.side.end()));
  }
  std::stable_sort(side_.begin(), side_.end(), [](const SideRow& a, const SideRow& b) {
    return std::tie(a.place, a.node, a.tie) < std::tie(b.place, b.node, b.tie);
  });
}

// ---- between epochs -------------------------------------------------------------------------

std::vector<state::Table*> Dataflow::tables_of(NodeId node, uint32_t worker) const {
  operators::Operator* op = parts_[worker].nodes[node].op.get();
  return op ? op->tables() : std::vector<state::Table*>{};
}

std::vector<state::Table*> Dataflow::tables(uint32_t worker) const {
  std::vector<state::Table*> tables;
  for (const PlanNode& node : plan_.nodes) {
    for (state::Table* table : tables_of(node.id, worker)) tables.push_back(table);
  }
  return tables;
}

bool Dataflow::kept(NodeId node, uint32_t worker, const std::byte* row,
                    const Watermarks& watermarks) const {
  const auto* view = dynamic_cast<operators::ViewTable*>(parts_[worker].nodes[node].op.get());
  return !view || view->visible(row, watermarks.input_current(node));
}

uint32_t Dataflow::worker_of_key(state::TableId table, const Row& key) const {
  const auto grouped = group_columns_.find(table.operator_id);
  const size_t columns = grouped == group_columns_.end() ? key.size() : grouped->second;
  Arena arena;
  std::vector<ColumnRef> group;
  for (size_t i = 0; i < columns; ++i) {
    Column column(key[i].type);
    append_value(column, key[i], arena);
    group.push_back(std::make_shared<const Column>(std::move(column)));
  }
  std::vector<uint64_t> hash;
  hash_columns(group, 1, &hash);
  return worker_of(key_group_of(hash[0]), workers_);
}

Dataflow::ViewPart Dataflow::view_part(NodeId view, uint32_t worker) const {
  const PlanNode& node = plan_.node(view);
  const auto& nodes = parts_[worker].nodes;
  if (!reads_aggregate(node)) {
    return {nullptr, static_cast<const operators::ViewTable*>(nodes[view].op.get())};
  }
  NodeId aggregate = node.inputs[0];
  if (is<ProjectNode>(plan_.node(aggregate))) aggregate = plan_.node(aggregate).inputs[0];
  return {static_cast<const operators::Aggregate*>(nodes[aggregate].op.get()), nullptr};
}

void Dataflow::restored(const Watermarks& watermarks) {
  for (Worker& worker : parts_) {
    for (const PlanNode& node : plan_.nodes) {
      if (auto& op = worker.nodes[node.id].op) op->restored(watermarks.input_current(node.id));
    }
  }
}

void Dataflow::remove_expired(const Watermarks& watermarks) {
  constexpr size_t kRowsMax = 256;
  for (Worker& worker : parts_) {
    for (const PlanNode& node : plan_.nodes) {
      if (!is<ViewNode>(node) || reads_aggregate(node)) continue;
      static_cast<operators::ViewTable*>(worker.nodes[node.id].op.get())
          ->remove_expired(watermarks.input_current(node.id), kRowsMax);
    }
  }
}

}  // namespace kappa::runtime
