#include "operators/reorder.h"

#include <algorithm>
#include <numeric>

#include "engine/types/hash.h"
#include "operators/late_row.h"
#include "operators/table_rows.h"

namespace kappa::operators {
namespace {

constexpr size_t kIdentityColumns = 4;

std::vector<Type> types_of(const Schema& schema) {
  std::vector<Type> types;
  for (const Field& field : schema) types.push_back(field.type);
  return types;
}

}  // namespace

Reorder::Reorder(const Plan& plan, NodeId node)
    : node_(plan.node(node)),
      op_(std::get<ReorderNode>(node_.op)),
      input_schema_(plan.node(node_.inputs[0]).schema),
      timer_owner_(TimerOwner::of(plan, node)) {
  const state::RowLayout layout({Type::text(), Type::integer(), Type::bigint(), Type::integer()},
                                types_of(input_schema_));
  table_ = std::make_unique<state::Table>(state::TableId{operator_id(plan, node), 0}, layout);
}

// The rows that are not late.
std::vector<uint32_t> Reorder::accept(const Batch& input, const OperatorContext& context) const {
  std::vector<uint32_t> accepted;
  if (input.empty()) return accepted;
  const auto times = input.columns[static_cast<size_t>(op_.event_time)]->values<int64_t>();
  for (uint32_t i = 0; i < input.rows; ++i) {
    if (times[i] < context.watermark[input.places[i].track_index()]) {
      context.side.push_back(late_row(input_schema_, input, i, node_.id));
    } else {
      accepted.push_back(i);
    }
  }
  return accepted;
}

void Reorder::wait(const Batch& input, const std::vector<ColumnRef>& key,
                   const std::vector<uint32_t>& rows) {
  if (rows.empty()) return;
  std::vector<ColumnRef> picked;
  picked.reserve(key.size());
  for (const ColumnRef& column : key) {
    picked.push_back(std::make_shared<const Column>(column->gather(rows)));
  }
  std::vector<uint64_t> hashes;
  hash_columns(picked, rows.size(), &hashes);
  std::vector<state::RowId> ids(rows.size());
  table_->find_or_insert(picked, hashes, ids, nullptr);
  const auto times = input.columns[static_cast<size_t>(op_.event_time)]->values<int64_t>();
  const auto& fields = table_->layout().values();
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t c = 0; c < fields.size(); ++c) {
      store_value(*table_, ids[i], fields[c], *input.columns[c], rows[i]);
    }
    waiting_.push({times[rows[i]], ids[i]});
  }
}

// The input's columns, then the identity, of what waits below the watermark.
std::vector<ColumnRef> Reorder::take_due(int64_t watermark_us, Arena& arena) {
  std::vector<state::RowId> ids;
  std::vector<const std::byte*> rows;
  while (!waiting_.empty() && waiting_.top().event_time < watermark_us) {
    ids.push_back(waiting_.top().row);
    rows.push_back(table_->row(ids.back()));
    waiting_.pop();
  }
  std::vector<ColumnRef> columns;
  const auto take = [&](const state::RowField& field) {
    Column column(field.type);
    state::Table::append_all(rows, field, column, arena);
    columns.push_back(std::make_shared<const Column>(std::move(column)));
  };
  for (const state::RowField& field : table_->layout().values()) take(field);
  for (const state::RowField& field : table_->layout().key()) take(field);
  for (const state::RowId id : ids) table_->erase(id);
  return columns;
}

Batch Reorder::in_order(std::vector<ColumnRef> columns, const OperatorContext& context) const {
  Batch batch;
  batch.columns = std::move(columns);
  const Column& time = *batch.columns[static_cast<size_t>(op_.event_time)];
  const auto times = time.values<int64_t>();
  batch.rows = time.rows();
  for (size_t i = 0; i < batch.rows; ++i) {
    Row identity;
    for (size_t c = input_schema_.size(); c < batch.columns.size(); ++c) {
      identity.push_back(value_at(*batch.columns[c], i));
    }
    std::string key;
    table_->encode_key(identity, &key);
    const int64_t due_us = times[i] + 1;
    batch.places.push_back(timer_place(context.watermark, due_us));
    batch.ties.push_back(context.arena.copy(timer_tie(timer_owner_, due_us, key)));
  }
  // One node's ties are ascending by event time, then by identity.
  std::vector<uint32_t> order(batch.rows);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    if (times[a] != times[b]) return times[a] < times[b];
    return batch.ties[a].view() < batch.ties[b].view();
  });
  return gather(batch, order);
}

void Reorder::process(const Batch& input, const OperatorContext& context, std::vector<Batch>* out) {
  const int64_t watermark_us = context.watermark.back();
  // What this batch brings and releases need not wait in the table.
  std::vector<uint32_t> passing;
  std::vector<uint32_t> staying;
  for (const uint32_t row : accept(input, context)) {
    const int64_t time = input.columns[static_cast<size_t>(op_.event_time)]->values<int64_t>()[row];
    (time < watermark_us ? passing : staying).push_back(row);
  }
  std::vector<ColumnRef> key;
  if (!input.empty()) key = record_columns(input, context);
  std::vector<ColumnRef> columns = take_due(watermark_us, context.arena);
  wait(input, key, staying);
  if (!passing.empty()) {
    const size_t width = input_schema_.size();
    for (size_t c = 0; c < columns.size(); ++c) {
      Column both(columns[c]->type());
      both.append(*columns[c]);
      both.append((c < width ? *input.columns[c] : *key[c - width]).gather(passing));
      columns[c] = std::make_shared<const Column>(std::move(both));
    }
  }
  if (columns.front()->rows() > 0) out->push_back(in_order(std::move(columns), context));
}

void Reorder::restored(int64_t /*watermark_us*/) {
  waiting_ = {};
  const state::RowField& time = table_->layout().values()[static_cast<size_t>(op_.event_time)];
  for (state::RowId id = 0; id < table_->row_ids_end(); ++id) {
    if (table_->live(id)) waiting_.push({state::Table::get<int64_t>(table_->row(id), time), id});
  }
}

}  // namespace kappa::operators
