#include <algorithm>
#include <optional>

#include "engine/runtime/query_rows.h"
#include "engine/runtime/query_stage.h"
#include "engine/types/status_macros.h"
#include "operators/aggregate.h"

namespace kappa::runtime {
namespace {

// A plan of the aggregate alone, over rows of its input.
operators::Plan plan_of(const sql::QueryNode& node) {
  operators::Plan plan;
  operators::PlanNode input;
  input.op = operators::SourceNode{};
  input.schema = node.inputs[0]->schema;
  plan.nodes.push_back(std::move(input));
  operators::PlanNode aggregate;
  aggregate.id = 1;
  aggregate.op = std::get<sql::QueryAggregate>(node.op).aggregate;
  aggregate.inputs = {0};
  aggregate.schema = node.schema;
  plan.nodes.push_back(std::move(aggregate));
  return plan;
}

// Runs the views' own aggregate operator, so that a read computes what a view would.
class AggregateStage final : public QueryStage {
 public:
  AggregateStage(const sql::QueryNode& node, QueryStageRef input, QueryRun& run)
      : plan_(plan_of(node)),
        schema_(node.schema),
        input_(std::move(input)),
        run_(run),
        aggregate_(plan_, 1, false) {
    if (operators::Aggregate::needs_order(plan_.node(1), plan_, false)) {
      ordered_.emplace(plan_.node(0).schema);
    }
  }

  absl::StatusOr<Batch> next() override {
    if (!done_) KAPPA_RETURN_IF_ERROR(aggregate());
    KAPPA_RETURN_IF_ERROR(run_.budget.check_deadline());
    arena_.reset();
    const state::Table& table = aggregate_.table();
    std::vector<const std::byte*> rows;
    for (; cursor_ < table.row_ids_end() && rows.size() < kQueryBatchRows; ++cursor_) {
      if (table.live(cursor_)) rows.push_back(table.row(cursor_));
    }
    Batch batch;
    batch.rows = rows.size();
    for (size_t c = 0; c < schema_.size() && !rows.empty(); ++c) {
      Column column(schema_[c].type);
      aggregate_.append_column(static_cast<int>(c), rows, column, arena_);
      batch.columns.push_back(std::make_shared<const Column>(std::move(column)));
    }
    return batch;
  }

 private:
  absl::Status aggregate() {
    done_ = true;
    aggregate_.make_single_group();
    while (true) {
      KAPPA_ASSIGN_OR_RETURN(Batch batch, input_->next());
      if (batch.empty()) break;
      if (ordered_) {
        ordered_->append(batch);
        KAPPA_RETURN_IF_ERROR(run_.budget.hold(ordered_->bytes(), &held_ordered_));
      } else {
        KAPPA_RETURN_IF_ERROR(apply(batch));
      }
    }
    return ordered_ ? apply_ordered() : absl::OkStatus();
  }

  // Sums of doubles depend on the order of their rows, and a scan has none: the rows' own order
  // makes equal views give equal answers.
  absl::Status apply_ordered() {
    std::vector<sql::SortKey> keys;
    for (size_t c = 0; c < plan_.node(0).schema.size(); ++c) {
      keys.push_back({static_cast<int>(c)});
    }
    const std::vector<uint32_t> order = ordered_->order(keys, ordered_->rows());
    const Batch rows = ordered_->take_rows();
    for (size_t begin = 0; begin < order.size(); begin += kQueryBatchRows) {
      const size_t end = std::min(begin + kQueryBatchRows, order.size());
      const std::vector<uint32_t> picked(order.begin() + static_cast<std::ptrdiff_t>(begin),
                                         order.begin() + static_cast<std::ptrdiff_t>(end));
      KAPPA_RETURN_IF_ERROR(apply(gather(rows, picked)));
    }
    return absl::OkStatus();
  }

  absl::Status apply(const Batch& batch) {
    KAPPA_RETURN_IF_ERROR(run_.budget.check_deadline());
    const operators::WatermarkTrack watermark{kNoEventTime.us};
    std::vector<operators::SideRow> side;
    const std::function<std::pair<const TopicPartition*, Offset>(uint32_t)> no_record;
    arena_.reset();
    std::vector<Batch> out;
    aggregate_.process(batch, {watermark, arena_, side, no_record}, &out);
    size_t bytes = 0;
    for (const state::Table* table : aggregate_.tables()) bytes += table->bytes();
    return run_.budget.hold(bytes, &held_groups_);
  }

  const operators::Plan plan_;
  const operators::Schema& schema_;
  QueryStageRef input_;
  QueryRun& run_;
  operators::Aggregate aggregate_;
  std::optional<QueryRows> ordered_;
  Arena arena_;
  state::RowId cursor_ = 0;
  size_t held_ordered_ = 0;
  size_t held_groups_ = 0;
  bool done_ = false;
};

}  // namespace

QueryStageRef make_aggregate(const sql::QueryNode& node, QueryStageRef input, QueryRun& run) {
  return std::make_unique<AggregateStage>(node, std::move(input), run);
}

}  // namespace kappa::runtime
