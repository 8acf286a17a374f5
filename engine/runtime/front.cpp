#include "engine/runtime/front.h"

#include "engine/types/status_macros.h"
#include "operators/filter.h"
#include "operators/project.h"

namespace kappa::runtime {

using operators::NodeId;
using operators::PlanNode;
using operators::SourceNode;

Front::Front(const operators::Plan& plan, const DataflowShape& shape, uint32_t worker)
    : plan_(plan), shape_(shape), worker_(worker) {}

absl::StatusOr<std::unique_ptr<Front>> Front::create(const operators::Plan& plan,
                                                     const DataflowShape& shape,
                                                     const schemas::ProductFiles& files,
                                                     uint32_t worker) {
  auto front = std::unique_ptr<Front>(new Front(plan, shape, worker));
  front->sources_.resize(plan.sources.size());
  front->operators_.resize(plan.nodes.size());
  for (const PlanNode& node : plan.nodes) {
    if (!shape.front(node.id)) continue;
    auto& op = front->operators_[node.id];
    if (const auto* source = std::get_if<SourceNode>(&node.op)) {
      KAPPA_ASSIGN_OR_RETURN(front->sources_[static_cast<size_t>(source->source)],
                             SourceStep::create(plan, node.id, files));
    } else if (std::holds_alternative<operators::FilterNode>(node.op)) {
      op = std::make_unique<operators::Filter>(plan, node.id);
    } else if (std::holds_alternative<operators::ProjectNode>(node.op)) {
      op = std::make_unique<operators::Project>(plan, node.id);
    }
  }
  return front;
}

void Front::begin(Turn& turn) {
  for (std::vector<SentRows>& node : turn.sent[worker_]) {
    for (SentRows& rows : node) rows.clear();
  }
}

void Front::run(Turn& turn, size_t chunk, const OrderReader& reader, Watermarks& watermarks) {
  ChunkFlow& flow = turn.flow[chunk];
  flow.arena.reset();
  flow.side.clear();
  flow.out.resize(plan_.nodes.size());
  for (auto& out : flow.out) out.clear();
  decode(turn.epoch, chunk, reader, watermarks, &flow);

  // What keeps nothing has no use for the watermark, which is not known yet either.
  static const operators::WatermarkTrack kNoTrack;
  const std::function<std::pair<const TopicPartition*, Offset>(uint32_t)> record_at =
      [&](uint32_t place) {
        const EpochPlace at = turn.epoch.at(place);
        return std::pair(&reader.partition(at.partition), at.record->offset);
      };
  const operators::OperatorContext context{kNoTrack, flow.arena, flow.side, record_at};
  for (const PlanNode& node : plan_.nodes) {
    if (!shape_.front(node.id) || shape_.rests(node.id)) continue;
    run_node(node, context, &flow);
    deal_out(node.id, &flow, &turn.sent[worker_]);
  }
}

void Front::decode(const Epoch& epoch, size_t chunk, const OrderReader& reader,
                   Watermarks& watermarks, ChunkFlow* flow) {
  for (const auto& step : sources_) {
    if (!step || shape_.rests(step->node())) continue;
    const std::vector<RecordSpan>& records =
        epoch.chunk(chunk)[shape_.topic_of_source(step->source())];
    if (records.empty()) continue;
    Batch batch = step->decode(records, epoch, reader, flow->arena, &flow->side);
    if (!step->event_times_us().empty()) {
      watermarks.show(step->source(), step->places(), step->event_times_us());
    }
    if (!batch.empty()) flow->out[step->node()].push_back(std::move(batch));
  }
}

void Front::run_node(const PlanNode& node, const operators::OperatorContext& context,
                     ChunkFlow* flow) {
  std::vector<Batch>& out = flow->out[node.id];
  for (NodeId from : node.inputs) {
    for (const Batch& batch : flow->out[from]) {
      if (operators_[node.id]) {
        operators_[node.id]->process(batch, context, &out);
      } else {
        out.push_back(batch);
      }
    }
  }
}

void Front::deal_out(NodeId node, ChunkFlow* flow, Sent* sent) {
  for (NodeId user : shape_.users(node)) {
    if (!shape_.exchanged(user) || shape_.rests(user)) continue;
    dealer_.deal_out(flow->out[node], shape_.key_of(user), shape_.any_order(user), flow->arena,
                     &(*sent)[user]);
  }
}

}  // namespace kappa::runtime
