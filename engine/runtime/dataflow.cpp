#include "engine/runtime/dataflow.h"

#include <algorithm>
#include <tuple>

#include "engine/runtime/exchange.h"
#include "engine/types/hash.h"
#include "engine/types/status_macros.h"
#include "operators/aggregate.h"
#include "operators/distinct.h"
#include "operators/filter.h"
#include "operators/interval_join.h"
#include "operators/kept_frames.h"
#include "operators/lookup.h"
#include "operators/output.h"
#include "operators/project.h"
#include "operators/relation_join.h"
#include "operators/reorder.h"
#include "operators/rule_match.h"
#include "operators/running_frames.h"
#include "operators/top_n.h"
#include "operators/top_one.h"
#include "operators/upsert_output.h"
#include "schemas/encoder.h"

namespace kappa::runtime {

using operators::AggregateNode;
using operators::NodeId;
using operators::OutputNode;
using operators::PlanNode;
using operators::ProjectNode;
using operators::SideRow;
using operators::SlidingNode;
using operators::TopNNode;
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

}  // namespace

Dataflow::Dataflow(const operators::Plan& plan, uint32_t workers)
    : plan_(plan),
      shape_(plan, workers),
      wanted_from_us_(plan.nodes.size(), operators::kAllWanted),
      parts_(workers) {}

absl::StatusOr<std::unique_ptr<Dataflow>> Dataflow::create(
    const operators::Plan& plan, const schemas::ProductFiles& files, uint32_t workers,
    std::function<void(NodeId, const Batch&)> on_output) {
  auto flow = std::unique_ptr<Dataflow>(new Dataflow(plan, workers));
  flow->on_output_ = std::move(on_output);
  KAPPA_RETURN_IF_ERROR(flow->make_operators(files));
  return flow;
}

std::unique_ptr<operators::Operator> Dataflow::make_frames(const PlanNode& node) const {
  if (operators::is_running(std::get<SlidingNode>(node.op), plan_.node(node.inputs[0]).schema)) {
    return std::make_unique<operators::RunningFrames>(plan_, node.id);
  }
  return std::make_unique<operators::KeptFrames>(plan_, node.id);
}

absl::StatusOr<std::unique_ptr<operators::Operator>> Dataflow::make_output(
    NodeId node, const schemas::ProductFiles& files) {
  if (on_output_) return std::make_unique<Observer>(node, on_output_);
  const schemas::Source& sink = operators::sink_of(plan_, node);
  KAPPA_ASSIGN_OR_RETURN(auto encoder, schemas::make_encoder(sink, files));
  if (sink.upsert) {
    return std::make_unique<operators::UpsertOutput>(plan_, node, std::move(encoder));
  }
  std::optional<operators::FinalOutput> final;
  for (const operators::FinalOutput& output : operators::final_outputs(plan_)) {
    if (output.output == node) final = output;
  }
  return std::make_unique<operators::Output>(plan_, node, std::move(encoder),
                                             &wanted_from_us_[node], std::move(final));
}

absl::StatusOr<std::unique_ptr<operators::Operator>> Dataflow::make_operator(
    const PlanNode& node, const schemas::ProductFiles& files) {
  if (is<operators::FilterNode>(node)) return std::make_unique<operators::Filter>(plan_, node.id);
  if (is<ProjectNode>(node)) return std::make_unique<operators::Project>(plan_, node.id);
  if (is<AggregateNode>(node)) {
    return operators::make_grouped_rows(plan_, node.id, shape_.emits(node.id));
  }
  if (is<operators::DistinctNode>(node)) {
    return std::make_unique<operators::Distinct>(plan_, node.id);
  }
  if (const auto* top = std::get_if<TopNNode>(&node.op)) {
    const bool one = top->limit == 1 && !plan_.node(node.inputs[0]).changelog;
    if (one) return std::make_unique<operators::TopOne>(plan_, node.id);
    return std::make_unique<operators::TopN>(plan_, node.id);
  }
  if (is<operators::ReorderNode>(node)) return std::make_unique<operators::Reorder>(plan_, node.id);
  if (is<SlidingNode>(node)) return make_frames(node);
  if (is<ViewNode>(node) && !shape_.reads_aggregate(node)) {
    return std::make_unique<operators::ViewTable>(plan_, node.id, shape_.emits(node.id));
  }
  if (is<OutputNode>(node)) return make_output(node.id, files);
  if (is<operators::LookupNode>(node)) return std::make_unique<operators::Lookup>(plan_, node.id);
  if (is<operators::RulesNode>(node)) return std::make_unique<operators::RuleMatch>(plan_, node.id);
  if (is<operators::IntervalJoinNode>(node)) {
    return std::make_unique<operators::IntervalJoin>(plan_, node.id);
  }
  if (is<operators::RelationJoinNode>(node)) {
    return std::make_unique<operators::RelationJoin>(plan_, node.id);
  }
  return nullptr;  // unions, arranges, and views that read an aggregate's table
}

absl::Status Dataflow::make_operators(const schemas::ProductFiles& files) {
  for (const PlanNode& node : plan_.nodes) {
    const uint64_t id = operators::operator_id(plan_, node.id);
    if (const auto* aggregate = std::get_if<AggregateNode>(&node.op)) {
      group_columns_[id] = aggregate->groups.size();
    } else if (const auto* sliding = std::get_if<SlidingNode>(&node.op)) {
      group_columns_[id] = sliding->partition.size();
    } else if (const auto* top = std::get_if<TopNNode>(&node.op)) {
      group_columns_[id] = top->key.size();
    } else if (const auto* key = operators::join_key(node)) {
      group_columns_[id] = key->left.size();
    }
  }
  for (uint32_t w = 0; w < workers(); ++w) {
    Worker& worker = parts_[w];
    KAPPA_ASSIGN_OR_RETURN(worker.front, Front::create(plan_, shape_, files, w));
    worker.nodes.resize(plan_.nodes.size());
    worker.sent = make_sent();
    for (const PlanNode& node : plan_.nodes) {
      if (shape_.front(node.id)) continue;
      Instance& instance = worker.nodes[node.id];
      KAPPA_ASSIGN_OR_RETURN(instance.op, make_operator(node, files));
      instance.join = dynamic_cast<operators::JoinOperator*>(instance.op.get());
      // A key of no columns hashes to 0, which is the first worker's.
      auto* aggregate = dynamic_cast<operators::Aggregate*>(instance.op.get());
      if (aggregate && w == 0) aggregate->make_single_group();
    }
  }
  return absl::OkStatus();
}

// ---- a turn ---------------------------------------------------------------------------------

Sent Dataflow::make_sent() const {
  return {plan_.nodes.size(), std::vector<SentRows>(workers())};
}

Turn Dataflow::make_turn() const {
  return {{shape_.topics().size(), workers()}, {}, std::vector<Sent>(workers(), make_sent())};
}

void Dataflow::begin_prepare(uint32_t worker, Turn& turn) {
  parts_[worker].front->begin(turn);
}

void Dataflow::prepare(uint32_t worker, Turn& turn, size_t chunk, const OrderReader& reader,
                       Watermarks& watermarks) {
  parts_[worker].front->run(turn, chunk, reader, watermarks);
}

void Dataflow::begin(const Turn& turn, Watermarks& watermarks) {
  watermarks.compute(turn.epoch);
  for (Worker& worker : parts_) {
    worker.arena.reset();
    worker.side.clear();
    for (Instance& instance : worker.nodes) instance.out.clear();
  }
}

void Dataflow::deal_out(Worker& worker, NodeId id) {
  for (NodeId user : shape_.users(id)) {
    if (!shape_.exchanged(user) || shape_.rests(user)) continue;
    for (SentRows& rows : worker.sent[user]) rows.clear();
    worker.dealer.deal_out(worker.nodes[id].out, shape_.key_of(user), shape_.any_order(user),
                           worker.arena, &worker.sent[user]);
  }
}

namespace {

void add(std::span<const Batch> batches, std::vector<const Batch*>* to) {
  for (const Batch& batch : batches) to->push_back(&batch);
}

}  // namespace

// What a worker has of a node's output. Of the front's it has its own chunks.
std::vector<const Batch*> Dataflow::output_of(uint32_t index, NodeId id, const Turn& turn) const {
  std::vector<const Batch*> output;
  if (!shape_.front(id)) {
    add(parts_[index].nodes[id].out, &output);
    return output;
  }
  for (size_t c = index; c < turn.epoch.chunks(); c += workers())
    add(turn.flow[c].out[id], &output);
  return output;
}

// What a node takes in this turn: by key from everybody, or what is on its worker already.
std::vector<const Batch*> Dataflow::input_of(uint32_t index, NodeId id, const Turn& turn) const {
  std::vector<const Batch*> input;
  for (NodeId from : plan_.node(id).inputs) {
    if (!shape_.exchanged(id)) {
      const std::vector<const Batch*> output = output_of(index, from, turn);
      input.insert(input.end(), output.begin(), output.end());
    } else if (shape_.front(from)) {
      for (const Sent& sent : turn.sent) add(sent[id][index].batches(), &input);
    } else {
      for (const Worker& sender : parts_) add(sender.sent[id][index].batches(), &input);
    }
  }
  return input;
}

void Dataflow::run_union(uint32_t index, NodeId id, const Turn& turn) {
  Worker& worker = parts_[index];
  uint16_t branch = 0;
  for (NodeId from : plan_.node(id).inputs) {
    for (const Batch* batch : output_of(index, from, turn)) {
      worker.nodes[id].out.push_back(mark_branch(*batch, branch, worker.arena));
    }
    ++branch;
  }
}

// As with a union, what one record causes on either side comes in a fixed order: right, then left.
void Dataflow::run_join(uint32_t index, NodeId id, const Turn& turn,
                        const operators::OperatorContext& context) {
  Worker& worker = parts_[index];
  Instance& instance = worker.nodes[id];
  const auto& inputs = plan_.node(id).inputs;
  // A lookup gives out rows of its left side only, which have their order already.
  const bool lookup = operators::looks_up(plan_.node(id));
  const auto side = [&](size_t input, uint16_t branch) {
    Batch rows = merge_batches(output_of(index, inputs[input], turn));
    return workers() > 1 && !lookup ? mark_branch(rows, branch, worker.arena) : rows;
  };
  const Batch right = side(1, 0);
  if (lookup && right.empty()) {
    for (const Batch* left : output_of(index, inputs[0], turn)) {
      instance.join->process_both(*left, right, context, &instance.out);
    }
    return;
  }
  const Batch left = side(0, 1);
  instance.join->process_both(left, right, context, &instance.out);
}

void Dataflow::run_node(uint32_t index, NodeId id, const Turn& turn,
                        const operators::OperatorContext& context) {
  Instance& instance = parts_[index].nodes[id];
  if (instance.join) return run_join(index, id, turn, context);
  const std::vector<const Batch*> input = input_of(index, id, turn);
  if (is<operators::UnionNode>(plan_.node(id)) && workers() > 1) {
    run_union(index, id, turn);
  } else if (!instance.op) {
    if (shape_.users(id).empty()) return;
    for (const Batch* batch : input) instance.out.push_back(*batch);
  } else if (shape_.any_order(id)) {
    for (const Batch* batch : input) instance.op->process(*batch, context, &instance.out);
  } else if (input.size() == 1) {
    instance.op->process(*input.front(), context, &instance.out);
  } else {
    instance.op->process(merge_batches(input), context, &instance.out);
  }
}

void Dataflow::run_stage(uint32_t index, uint32_t stage, const Turn& turn,
                         const OrderReader& reader, const Watermarks& watermarks) {
  Worker& worker = parts_[index];
  const std::function<std::pair<const TopicPartition*, Offset>(uint32_t)> record_at =
      [&](uint32_t place) {
        const EpochPlace at = turn.epoch.at(place);
        return std::pair(&reader.partition(at.partition), at.record->offset);
      };
  for (const PlanNode& node : plan_.nodes) {
    if (shape_.stage(node.id) != stage || shape_.rests(node.id)) continue;
    const operators::OperatorContext context{watermarks.input_track(node.id), worker.arena,
                                             worker.side, record_at,
                                             watermarks.right_track(node.id)};
    run_node(index, node.id, turn, context);
    deal_out(worker, node.id);
  }
}

std::vector<SideRow> Dataflow::end(Turn& turn) {
  std::vector<SideRow> side;
  const auto take = [&](std::vector<SideRow>& rows) {
    side.insert(side.end(), std::make_move_iterator(rows.begin()),
                std::make_move_iterator(rows.end()));
    rows.clear();
  };
  for (size_t c = 0; c < turn.epoch.chunks(); ++c) take(turn.flow[c].side);
  for (Worker& worker : parts_) take(worker.side);
  std::stable_sort(side.begin(), side.end(), [](const SideRow& a, const SideRow& b) {
    return std::tie(a.place, a.node, a.tie) < std::tie(b.place, b.node, b.tie);
  });
  return side;
}

// ---- between turns --------------------------------------------------------------------------

operators::Operator* Dataflow::with_events(NodeId node, uint32_t worker) const {
  operators::Operator* op = parts_[worker].nodes[node].op.get();
  return op && op->events() ? op : nullptr;
}

std::vector<operators::Operator*> Dataflow::with_events(uint32_t worker) const {
  std::vector<operators::Operator*> found;
  for (const PlanNode& node : plan_.nodes) {
    if (operators::Operator* op = with_events(node.id, worker)) found.push_back(op);
  }
  return found;
}

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
  const operators::Operator* op = parts_[worker].nodes[node].op.get();
  return !op || op->kept(row, watermarks.expiry_current(node));
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
  return worker_of(key_group_of(hash[0]), workers());
}

Dataflow::ViewPart Dataflow::view_part(NodeId view, uint32_t worker) const {
  const PlanNode& node = plan_.node(view);
  const auto& nodes = parts_[worker].nodes;
  if (!shape_.reads_aggregate(node)) {
    return {nullptr, static_cast<const operators::ViewTable*>(nodes[view].op.get())};
  }
  NodeId aggregate = node.inputs[0];
  if (is<ProjectNode>(plan_.node(aggregate))) aggregate = plan_.node(aggregate).inputs[0];
  return {static_cast<const operators::GroupedRows*>(nodes[aggregate].op.get()), nullptr};
}

const operators::GroupedRows& Dataflow::grouped(NodeId node, uint32_t worker) const {
  return static_cast<const operators::GroupedRows&>(*parts_[worker].nodes[node].op);
}

void Dataflow::restored(const Watermarks& watermarks, bool resting_only) {
  for (Worker& worker : parts_) {
    for (const PlanNode& node : plan_.nodes) {
      if (resting_only && !shape_.rests(node.id)) continue;
      if (const auto& op = worker.nodes[node.id].op)
        op->restored(watermarks.expiry_current(node.id));
    }
  }
}

void Dataflow::remove_expired(const Watermarks& watermarks) {
  for (Worker& worker : parts_) {
    for (const PlanNode& node : plan_.nodes) {
      if (const auto& op = worker.nodes[node.id].op) {
        op->remove_expired(watermarks.expiry_current(node.id));
      }
    }
  }
}

}  // namespace kappa::runtime
