#include "replay/keyed_records.h"

#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "engine/types/status_macros.h"
#include "operators/filter.h"
#include "operators/project.h"
#include "operators/upsert_output.h"
#include "replay/changed_outputs.h"
#include "schemas/encoder.h"

namespace kappa::replay {

using operators::NodeId;
using operators::SideRow;
using runtime::Patience;
using runtime::with_patience;

namespace {

constexpr size_t kTopicBytesAtOnce = 1u << 20;

// The operators between a view and an output that reads it, the output's included, as they are in
// a dataflow.
class Chain {
 public:
  static absl::StatusOr<Chain> make(const Logic& logic, NodeId output) {
    const operators::Plan& plan = logic.plan;
    Chain chain;
    KAPPA_ASSIGN_OR_RETURN(auto encoder,
                           schemas::make_encoder(operators::sink_of(plan, output), logic.protos));
    chain.add(std::make_unique<operators::UpsertOutput>(plan, output, std::move(encoder)));
    for (NodeId id = plan.node(output).inputs[0];; id = plan.node(id).inputs[0]) {
      if (std::holds_alternative<operators::FilterNode>(plan.node(id).op)) {
        chain.add(std::make_unique<operators::Filter>(plan, id));
      } else if (std::holds_alternative<operators::ProjectNode>(plan.node(id).op)) {
        chain.add(std::make_unique<operators::Project>(plan, id));
      } else {
        return chain;
      }
    }
  }

  // What leaves for each of these rows, all of which are there and none of which was before.
  std::vector<SideRow> run(Batch rows, Arena& arena) const {
    for (uint32_t row = 0; row < rows.rows; ++row) rows.places.push_back(RowPlace::of_record(row));
    std::vector<SideRow> side;
    const operators::WatermarkTrack watermark{std::numeric_limits<int64_t>::min()};
    const operators::OperatorContext context{watermark, arena, side, nowhere_};
    std::vector<Batch> batches{std::move(rows)};
    for (auto op = from_output_.rbegin(); op != from_output_.rend(); ++op) {
      std::vector<Batch> out;
      for (const Batch& batch : batches) (*op)->process(batch, context, &out);
      batches = std::move(out);
    }
    return side;
  }

 private:
  void add(std::unique_ptr<operators::Operator> op) { from_output_.push_back(std::move(op)); }

  std::vector<std::unique_ptr<operators::Operator>> from_output_;
  std::function<std::pair<const TopicPartition*, Offset>(uint32_t)> nowhere_ = [](uint32_t) {
    return std::pair<const TopicPartition*, Offset>{nullptr, Offset{}};
  };
};

absl::Status read_partition(const log::Log& log, const TopicPartition& partition,
                            const Patience& patience, KeyedRecords* records) {
  KAPPA_ASSIGN_OR_RETURN(const log::PartitionRange range,
                         with_patience(patience, [&] { return log.range(partition); }));
  KAPPA_ASSIGN_OR_RETURN(const auto reader, log.open_reader(partition, range.start));
  const auto read_on = [&] { return reader->read_to(range.end, kTopicBytesAtOnce); };
  while (reader->position() < range.end) {
    KAPPA_ASSIGN_OR_RETURN(const RecordBlock block, with_patience(patience, read_on));
    if (block.empty()) break;
    for (const RecordView& record : block.records) {
      if (!record.key) continue;
      const std::string key(*record.key_view());
      if (record.value) {
        (*records)[key] = hash_wide(*record.value_view());
      } else {
        records->erase(key);
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status visit_records(const Logic& logic, NodeId output, runtime::Snapshot& rows,
                           const std::function<void(std::string key, std::string payload)>& visit) {
  const NodeId view = view_of_output(logic.plan, output);
  KAPPA_ASSIGN_OR_RETURN(const Chain chain, Chain::make(logic, output));
  std::vector<int> columns(logic.plan.node(view).schema.size());
  std::iota(columns.begin(), columns.end(), 0);
  KAPPA_RETURN_IF_ERROR(rows.rewind(view));
  Arena arena;
  while (true) {
    arena.reset();
    KAPPA_ASSIGN_OR_RETURN(Batch batch, rows.next(view, columns, arena));
    if (batch.empty()) return absl::OkStatus();
    for (SideRow& row : chain.run(std::move(batch), arena)) {
      if (row.kind != SideRow::Kind::kOutput) continue;  // it erred where it came up, too
      visit(*std::move(row.key), std::move(row.text));
    }
  }
}

absl::StatusOr<KeyedRecords> read_topic(const log::Log& log, const std::string& topic,
                                        const Patience& patience) {
  KeyedRecords records;
  const auto info = with_patience(patience, [&] { return log.topic(topic); });
  if (absl::IsNotFound(info.status())) return records;
  KAPPA_RETURN_IF_ERROR(info.status());
  for (int32_t p = 0; p < info->config.partitions; ++p) {
    KAPPA_RETURN_IF_ERROR(read_partition(log, {topic, p}, patience, &records));
  }
  return records;
}

}  // namespace kappa::replay
