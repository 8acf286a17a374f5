// What a pipeline tells about itself: statistics and the canonical dump.

#include <algorithm>
#include <chrono>
#include <set>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/runtime/live_pipeline.h"
#include "engine/types/hash.h"
#include "engine/types/status_macros.h"

namespace kappa::runtime {

using operators::NodeId;
using operators::PlanNode;

namespace {

// A view's own nodes: its node and those above it up to the next view or source, each once, though
// several branches may read it.
void collect_nodes(const operators::Plan& plan, NodeId id, std::set<NodeId>* nodes) {
  if (!nodes->insert(id).second) return;
  for (NodeId input : plan.node(id).inputs) {
    const PlanNode& node = plan.node(input);
    const bool own = !std::holds_alternative<operators::ViewNode>(node.op) &&
                     !std::holds_alternative<operators::SourceNode>(node.op);
    if (own) collect_nodes(plan, input, nodes);
  }
}

// What left the way at a view.
SideCounts counts_of(const operators::Plan& plan, const Place& state, NodeId view) {
  std::set<NodeId> nodes;
  collect_nodes(plan, view, &nodes);
  SideCounts sum;
  for (const NodeId id : nodes) {
    const auto counts = state.side.find(id);
    if (counts == state.side.end()) continue;
    sum.errors += counts->second.errors;
    sum.duplicates += counts->second.duplicates;
    sum.late += counts->second.late;
  }
  return sum;
}

}  // namespace

PipelineStats LivePipeline::collect_stats() const {
  PipelineStats stats;
  stats.epochs = epochs_;
  stats.records = state_.records;
  stats.follows = follows_;
  stats.stands_still = standing_ && !follows_;
  stats.rests = state_.rest.has_value();
  stats.checkpoints = checkpointer_->checkpoints();
  stats.last_checkpoint_ms = last_checkpoint_ms_;
  stats.checkpoint_seconds = checkpointer_->last_seconds();
  const uint64_t published_to = delivery_.mark().published_to;
  if (!follows_) stats.said_to = said_durably();
  if (!delivery_.muted() && published_to < state_.outbox_next) {
    stats.outbox_pending = state_.outbox_next - published_to;
  }
  stats.transaction_aborts = delivery_.transaction_aborts();
  stats.epoch_seconds = epoch_seconds_;
  if (running_) stats.busy_records = state_.records - records_at_start_;
  stats.busy_seconds = std::chrono::duration<double>(busy_).count();
  if (!held_.ok()) {
    const std::chrono::duration<double> held = std::chrono::steady_clock::now() - held_since_;
    stats.held = held_;
    stats.held_seconds = held.count();
  }
  for (uint32_t w = 0; w < pool_.workers(); ++w) {
    for (const state::Table* table : flow_->tables(w)) stats.state_bytes += table->bytes();
    for (operators::Operator* op : flow_->with_events(w))
      stats.state_bytes += op->events()->bytes();
  }
  for (NodeId id : plan_.views()) {
    ViewStats view;
    view.name = std::get<operators::ViewNode>(plan_.node(id).op).name;
    for (uint32_t w = 0; w < pool_.workers(); ++w) view.rows += views_[id]->table(w).rows();
    const SideCounts counts = counts_of(plan_, state_, id);
    view.late_records = counts.late;
    view.errors = counts.errors;
    view.duplicates = counts.duplicates;
    view.watermark = EventTime{watermarks_.current(id)};
    stats.views.push_back(std::move(view));
  }
  for (const PlanNode& node : plan_.nodes) {
    const auto* op = std::get_if<operators::SourceNode>(&node.op);
    if (!op) continue;
    const auto index = static_cast<size_t>(op->source);
    SourceStats source;
    source.topic = plan_.sources[index].topic;
    source.records = state_.source_records[index];
    if (const auto side = state_.side.find(node.id); side != state_.side.end()) {
      source.dead_letters = side->second.errors;
    }
    source.lag_records = reader_->lag_records(source.topic, applied_);
    for (size_t p = 0; p < reader_->partitions(); ++p) {
      if (reader_->partition(p).topic != source.topic) continue;
      source.partitions.push_back({reader_->partition(p).partition,
                                   reader_->partition_lag(p, applied_),
                                   reader_->headroom_records(p, applied_)});
    }
    source.watermark = EventTime{watermarks_.source_watermark(op->source)};
    stats.sources.push_back(std::move(source));
  }
  return stats;
}

PipelineStats LivePipeline::stats() const {
  auto stats = std::make_shared<PipelineStats>();
  const absl::Status collected =
      run_between_epochs([this, stats] { *stats = collect_stats(); },
                         std::chrono::steady_clock::now() + std::chrono::seconds(2));
  if (collected.ok()) return *stats;
  PipelineStats failed;
  failed.failure = failure();
  if (failed.failure.ok()) {
    failed.failure = collected;
  } else if (absl::IsDeadlineExceeded(failed.failure)) {
    // That code says that it is busy.
    failed.failure = absl::InternalError(failed.failure.message());
  }
  return failed;
}

void LivePipeline::dump_tables(operators::NodeId node, std::vector<std::string>* lines) const {
  std::string key;
  std::string value;
  const auto name_of = [](const state::TableId& id) {
    return absl::StrCat("row ", absl::Hex(id.operator_id, absl::kZeroPad16), " ",
                        static_cast<int>(id.part), " ");
  };
  for (uint32_t w = 0; w < pool_.workers(); ++w) {
    if (operators::Operator* op = flow_->with_events(node, w)) {
      const std::string name = name_of(op->events()->id());
      op->visit_events(watermarks_.input_current(node),
                       [&](const std::string& event_key, const std::string& event_value) {
                         lines->push_back(absl::StrCat(name, absl::BytesToHexString(event_key), " ",
                                                       absl::BytesToHexString(event_value)));
                       });
    }
    for (const state::Table* table : flow_->tables_of(node, w)) {
      const std::string name = name_of(table->id());
      for (state::RowId id = 0; id < table->row_ids_end(); ++id) {
        if (!table->live(id) || !flow_->kept(node, w, table->row(id), watermarks_)) continue;
        key.clear();
        value.clear();
        table->encode(table->row(id), &key, &value);
        lines->push_back(
            absl::StrCat(name, absl::BytesToHexString(key), " ", absl::BytesToHexString(value)));
      }
    }
  }
}

std::string LivePipeline::dump() const {
  std::vector<std::string> lines;
  for (const PlanNode& node : plan_.nodes) {
    dump_tables(node.id, &lines);
    lines.push_back(absl::StrCat("watermark ", node.id, " ", watermarks_.current(node.id)));
  }
  for (const auto& [node, counts] : state_.side) {
    lines.push_back(absl::StrCat("side ", node, " errors=", counts.errors,
                                 " duplicates=", counts.duplicates, " late=", counts.late,
                                 " outputs=", counts.outputs,
                                 " content=", absl::Hex(counts.content)));
  }
  for (size_t p = 0; p < applied_.partitions.size(); ++p) {
    if (reader_->is_carried(p)) continue;  // another plan's
    const TopicPartition& partition = reader_->partition(p);
    lines.push_back(absl::StrCat("place ", partition.topic, " ", partition.partition, " ",
                                 applied_.partitions[p].next.value));
  }
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const std::string& line : lines) absl::StrAppend(&text, line, "\n");
  absl::StrAppend(&text, "checksum ",
                  absl::Hex(hash_bytes(text.data(), text.size()), absl::kZeroPad16), "\n");
  return text;
}

absl::StatusOr<std::string> LivePipeline::canonical_dump() {
  auto text = std::make_shared<std::string>();
  KAPPA_RETURN_IF_ERROR(
      run_between_epochs([this, text] { *text = dump(); },
                         std::chrono::steady_clock::now() + std::chrono::minutes(10)));
  return *text;
}

}  // namespace kappa::runtime
