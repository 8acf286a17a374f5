#include "operators/kept_frames.h"

#include <algorithm>
#include <limits>

#include "engine/types/hash.h"
#include "engine/types/time.h"
#include "operators/late_row.h"
#include "operators/table_rows.h"

namespace kappa::operators {
namespace {

ColumnRef one_value(Type type, int64_t value) {
  Column column(type, 1);
  column.values<int64_t>()[0] = value;
  return std::make_shared<const Column>(std::move(column));
}

}  // namespace

KeptFrames::KeptFrames(const Plan& plan, NodeId node)
    : node_(plan.node(node)),
      op_(std::get<SlidingNode>(node_.op)),
      input_schema_(plan.node(node_.inputs[0]).schema) {
  const auto type_of = [&](int column) { return input_schema_[static_cast<size_t>(column)].type; };
  std::vector<Type> key;
  for (int column : op_.partition) key.push_back(type_of(column));
  const uint64_t id = operator_id(plan, node);
  partitions_of_ =
      std::make_unique<state::Table>(state::TableId{id, 1}, state::RowLayout(key, {Type::bigint()}),
                                     state::TableOptions{.derived = true});
  key.push_back(Type::timestamptz());
  key.push_back(Type::bigint());
  std::vector<Type> values;
  const auto value_of = [&](int column) {
    const auto found = std::find(value_columns_.begin(), value_columns_.end(), column);
    if (found != value_columns_.end()) return found - value_columns_.begin();
    value_columns_.push_back(column);
    values.push_back(type_of(column));
    return static_cast<std::ptrdiff_t>(value_columns_.size()) - 1;
  };
  std::vector<std::pair<std::ptrdiff_t, std::ptrdiff_t>> places;
  for (const FrameCall& call : op_.calls) {
    places.emplace_back(call.argument >= 0 ? value_of(call.argument) : -1,
                        call.filter >= 0 ? value_of(call.filter) : -1);
    if (call.frame.unit == Frame::Unit::kRows) rows_max_ = std::max(rows_max_, call.frame.start);
  }
  table_ = std::make_unique<state::Table>(state::TableId{id, 0}, state::RowLayout(key, values));
  const auto field_at = [&](std::ptrdiff_t place) -> std::optional<state::RowField> {
    if (place < 0) return std::nullopt;
    return table_->layout().values()[static_cast<size_t>(place)];
  };
  std::vector<CallFields> fields;
  fields.reserve(places.size());
  for (const auto& [argument, filter] : places) {
    fields.push_back({field_at(argument), field_at(filter)});
  }
  answers_.emplace(op_, std::move(fields), *table_);
}

// ---- partitions -----------------------------------------------------------------------------

std::vector<ColumnRef> KeptFrames::partition_columns(const Batch& input) const {
  std::vector<ColumnRef> columns;
  for (int column : op_.partition) columns.push_back(input.columns[static_cast<size_t>(column)]);
  return columns;
}

KeptFrames::Partition& KeptFrames::partition_of(state::RowId key, bool created) {
  int64_t& index =
      state::Table::get<int64_t>(partitions_of_->row(key), partitions_of_->layout().values()[0]);
  if (created) {
    if (spare_.empty()) {
      spare_.push_back(partitions_.size());
      partitions_.emplace_back();
    }
    index = static_cast<int64_t>(spare_.back());
    spare_.pop_back();
    partitions_[static_cast<size_t>(index)].key = key;
  }
  return partitions_[static_cast<size_t>(index)];
}

state::RowId KeptFrames::store(const Batch& input, size_t row, int64_t time_us, int64_t number) {
  const uint32_t picked[] = {static_cast<uint32_t>(row)};
  std::vector<ColumnRef> key;
  for (const ColumnRef& column : partition_columns(input)) {
    key.push_back(std::make_shared<const Column>(column->gather(picked)));
  }
  key.push_back(one_value(Type::timestamptz(), time_us));
  key.push_back(one_value(Type::bigint(), number));
  std::vector<uint64_t> hashes;
  hash_columns(key, 1, &hashes);
  state::RowId id = state::kNoRow;
  table_->find_or_insert(key, hashes, {&id, 1}, nullptr);
  for (size_t v = 0; v < value_columns_.size(); ++v) {
    store_value(*table_, id, table_->layout().values()[v],
                *input.columns[static_cast<size_t>(value_columns_[v])], row);
  }
  return id;
}

TimedItem KeptFrames::insert(Partition& partition, const Batch& input, size_t row,
                             int64_t time_us) {
  const size_t index = partition.rows.before({time_us, std::numeric_limits<int64_t>::max()});
  int64_t number = 0;
  if (index > 0) {
    const TimedItem& before = partition.rows.at(index - 1);
    if (before.time_us == time_us) number = before.number + 1;
  }
  const TimedItem item{time_us, number, store(input, row, time_us, number)};
  partition.rows.insert(index, item, answers_->summary());
  return item;
}

size_t KeptFrames::expired(const Partition& partition, int64_t watermark_us) const {
  const int64_t oldest_us = saturating_add(watermark_us, -op_.horizon_us);
  if (partition.rows.empty() || partition.rows.at(0).time_us >= oldest_us) return 0;
  const size_t reached = partition.rows.before(watermark_us);
  const auto spared = static_cast<size_t>(rows_max_);
  const size_t beyond = reached > spared ? reached - spared : 0;
  return std::min(beyond, partition.rows.before(oldest_us));
}

void KeptFrames::evict(Partition& partition, int64_t watermark_us) {
  const size_t count = expired(partition, watermark_us);
  partition.rows.for_each(0, count, [&](const TimedItem& kept) {
    table_->erase(static_cast<state::RowId>(kept.item));
  });
  partition.rows.drop_front(count);
}

bool KeptFrames::kept(const std::byte* row, int64_t watermark_us) const {
  const auto& key = table_->layout().key();
  Row partition;
  for (size_t c = 0; c < op_.partition.size(); ++c) {
    partition.push_back(state::Table::value(row, key[c]));
  }
  const state::RowId id = partitions_of_->find_one(partition);
  if (id == state::kNoRow) return false;
  const auto index = static_cast<size_t>(
      state::Table::get<int64_t>(partitions_of_->row(id), partitions_of_->layout().values()[0]));
  const std::pair at(state::Table::get<int64_t>(row, key[key.size() - 2]),
                     state::Table::get<int64_t>(row, key.back()));
  return partitions_[index].rows.before(at) >= expired(partitions_[index], watermark_us);
}

void KeptFrames::remove_expired(int64_t watermark_us) {
  const size_t some = pace_.rows_to_look_at(partitions_.size() - spare_.size());
  for (size_t n = std::min(some, partitions_.size()); n > 0; --n) {
    if (cursor_ >= partitions_.size()) cursor_ = 0;
    Partition& partition = partitions_[cursor_];
    if (partition.key != state::kNoRow) {
      evict(partition, watermark_us);
      if (partition.rows.empty()) {
        partitions_of_->erase(partition.key);
        partition = {};
        spare_.push_back(cursor_);
      }
    }
    ++cursor_;
  }
  pace_.swept(partitions_.size() - spare_.size());
}

void KeptFrames::restored(int64_t /*watermark_us*/) {
  const auto& key = table_->layout().key();
  Arena arena;
  std::vector<std::pair<TimedItem, state::RowId>> all;  // and its partition
  for (state::RowId id = 0; id < table_->row_ids_end(); ++id) {
    if (!table_->live(id)) continue;
    const std::byte* row = table_->row(id);
    std::vector<ColumnRef> partition;
    for (size_t c = 0; c < op_.partition.size(); ++c) {
      Column column(key[c].type);
      state::Table::append_to(row, key[c], column, arena);
      partition.push_back(std::make_shared<const Column>(std::move(column)));
    }
    std::vector<uint64_t> hashes;
    hash_columns(partition, 1, &hashes);
    state::RowId found = state::kNoRow;
    std::vector<uint32_t> created;
    partitions_of_->find_or_insert(partition, hashes, {&found, 1}, &created);
    if (!created.empty()) partition_of(found, true);
    all.emplace_back(TimedItem{state::Table::get<int64_t>(row, key[key.size() - 2]),
                               state::Table::get<int64_t>(row, key.back()), id},
                     found);
  }
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a.first.position() < b.first.position(); });
  for (const auto& [item, id] : all) {
    auto& rows = partition_of(id, false).rows;
    rows.insert(rows.size(), item, answers_->summary());
  }
}

// ---- rows -----------------------------------------------------------------------------------

void KeptFrames::process(const Batch& input, const OperatorContext& context,
                         std::vector<Batch>* out) {
  if (input.empty()) return;
  const std::vector<ColumnRef> key = partition_columns(input);
  std::vector<uint64_t> hashes;
  hash_columns(key, input.rows, &hashes);
  std::vector<state::RowId> ids(input.rows);
  std::vector<uint32_t> created;
  partitions_of_->find_or_insert(key, hashes, ids, &created);
  for (uint32_t row : created) partition_of(ids[row], true);
  std::vector<Column> results;
  for (const FrameCall& call : op_.calls) results.emplace_back(call.result);

  const auto times = input.columns[static_cast<size_t>(op_.event_time)]->values<int64_t>();
  std::vector<TimedItem> inserted;
  for (size_t begin = 0; begin < input.rows;) {
    // With emit = 'final' peers answer together; else each row for itself.
    size_t end = begin + 1;
    const auto same = [&](size_t row) {
      return times[row] == times[begin] && input.places[row] == input.places[begin];
    };
    while (op_.emit == Emit::kFinal && end < input.rows && same(end)) ++end;
    const int64_t watermark_us = context.watermark[input.places[begin].track_index()];
    inserted.clear();
    for (size_t row = begin; row < end; ++row) {
      Partition& partition = partition_of(ids[row], false);
      evict(partition, watermark_us);
      inserted.push_back(insert(partition, input, row, times[row]));
    }
    for (size_t row = begin; row < end; ++row) {
      Partition& partition = partition_of(ids[row], false);
      answers_->append(partition.rows, inserted[row - begin], watermark_us, results, context.arena);
      if (times[row] < watermark_us) evict(partition, watermark_us);
      if (op_.notes_late && times[row] < watermark_us) {
        context.side.push_back(late_row(input_schema_, input, row, node_.id));
      }
    }
    begin = end;
  }

  Batch answered = input;
  answered.key_hashes.clear();
  for (Column& result : results) {
    answered.columns.push_back(std::make_shared<const Column>(std::move(result)));
  }
  out->push_back(std::move(answered));
}

}  // namespace kappa::operators
