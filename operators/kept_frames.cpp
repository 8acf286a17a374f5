#include "operators/kept_frames.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "engine/types/hash.h"
#include "engine/types/time.h"
#include "operators/frame_result.h"
#include "operators/late_row.h"
#include "operators/sums.h"
#include "operators/table_rows.h"

namespace kappa::operators {
namespace {

ColumnRef one_value(Type type, int64_t value) {
  Column column(type, 1);
  column.values<int64_t>()[0] = value;
  return std::make_shared<const Column>(std::move(column));
}

bool holds(const std::byte* row, const state::RowField& condition) {
  return !state::Table::is_null(row, condition) && state::Table::get<int8_t>(row, condition) != 0;
}

int128 whole_at(const std::byte* row, const state::RowField& field) {
  switch (field.type.physical()) {
    case PhysicalType::kInt32:
      return state::Table::get<int32_t>(row, field);
    case PhysicalType::kInt128:
      return state::Table::get<int128>(row, field);
    default:
      return state::Table::get<int64_t>(row, field);
  }
}

double number_at(const std::byte* row, const state::RowField& field) {
  if (field.type.id == TypeId::kDouble) return state::Table::get<double>(row, field);
  const auto whole = static_cast<double>(whole_at(row, field));
  return field.type.scale == 0 ? whole : whole / std::pow(10.0, field.type.scale);
}

template <typename T>
bool less(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, double>) {
    if (std::isnan(a)) return false;  // NaN is the largest, as in PostgreSQL
    if (std::isnan(b)) return true;
  }
  return a < b;
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
  for (const auto& [argument, filter] : places) {
    fields_.push_back({field_at(argument), field_at(filter)});
  }
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

size_t KeptFrames::insert(Partition& partition, const Batch& input, size_t row, int64_t time_us) {
  const auto from = partition.rows.begin() + static_cast<std::ptrdiff_t>(partition.first);
  const auto after =
      std::upper_bound(from, partition.rows.end(), time_us,
                       [](int64_t time, const Kept& kept) { return time < kept.time_us; });
  const bool peer = after != from && (after - 1)->time_us == time_us;
  const int64_t number = peer ? (after - 1)->number + 1 : 0;
  const auto at =
      partition.rows.insert(after, {time_us, number, store(input, row, time_us, number)});
  return static_cast<size_t>(at - partition.rows.begin());
}

size_t KeptFrames::expired(const Partition& partition, int64_t watermark_us) const {
  const std::span<const Kept> rows = partition.kept();
  const auto before = [&](int64_t time_us) {
    const auto at =
        std::lower_bound(rows.begin(), rows.end(), time_us,
                         [](const Kept& kept, int64_t time) { return kept.time_us < time; });
    return static_cast<size_t>(at - rows.begin());
  };
  const size_t reached = before(watermark_us);
  const auto spared = static_cast<size_t>(rows_max_);
  const size_t beyond = reached > spared ? reached - spared : 0;
  return std::min(beyond, before(saturating_add(watermark_us, -op_.horizon_us)));
}

void KeptFrames::evict(Partition& partition, int64_t watermark_us) {
  const size_t count = expired(partition, watermark_us);
  if (count == 0) return;
  for (const Kept& kept : partition.kept().first(count)) table_->erase(kept.row);
  partition.first += count;
  // The room of what has gone is used again once it is half of all.
  if (partition.first * 2 < partition.rows.size()) return;
  partition.rows.erase(partition.rows.begin(),
                       partition.rows.begin() + static_cast<std::ptrdiff_t>(partition.first));
  partition.first = 0;
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
  const std::span<const Kept> rows = partitions_[index].kept();
  const auto found = std::lower_bound(
      rows.begin(), rows.end(), at, [](const Kept& a, const auto& b) { return a.position() < b; });
  return static_cast<size_t>(found - rows.begin()) >= expired(partitions_[index], watermark_us);
}

void KeptFrames::remove_expired(int64_t watermark_us) {
  constexpr size_t kPartitionsMax = 256;
  for (size_t n = std::min(kPartitionsMax, partitions_.size()); n > 0; --n) {
    if (cursor_ >= partitions_.size()) cursor_ = 0;
    Partition& partition = partitions_[cursor_];
    if (partition.key != state::kNoRow) {
      evict(partition, watermark_us);
      if (partition.kept().empty()) {
        partitions_of_->erase(partition.key);
        partition = {};
        spare_.push_back(cursor_);
      }
    }
    ++cursor_;
  }
}

void KeptFrames::restored(int64_t /*watermark_us*/) {
  const auto& key = table_->layout().key();
  Arena arena;
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
    partition_of(found, !created.empty())
        .rows.push_back({state::Table::get<int64_t>(row, key[key.size() - 2]),
                         state::Table::get<int64_t>(row, key.back()), id});
  }
  for (Partition& partition : partitions_) {
    std::sort(partition.rows.begin(), partition.rows.end(),
              [](const Kept& a, const Kept& b) { return a.position() < b.position(); });
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
  std::vector<Kept> inserted;
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
      inserted.push_back(partition.rows[insert(partition, input, row, times[row])]);
    }
    for (size_t row = begin; row < end; ++row) {
      Partition& partition = partition_of(ids[row], false);
      answer(partition, inserted[row - begin], watermark_us, results, context.arena);
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

// ---- answers --------------------------------------------------------------------------------

KeptFrames::Stretch KeptFrames::frame_of(const FrameCall& call, const Partition& partition,
                                         const Kept& at, int64_t watermark_us) const {
  const std::span<const Kept> rows = partition.kept();
  const auto index_of = [&](auto found) { return static_cast<size_t>(found - rows.begin()); };
  const auto before = [](const Kept& kept, int64_t time) { return kept.time_us < time; };
  if (call.frame.unit == Frame::Unit::kRange) {
    const int64_t oldest = std::max(saturating_add(at.time_us, -call.frame.start),
                                    saturating_add(watermark_us, -op_.horizon_us));
    const int64_t behind = saturating_add(saturating_add(at.time_us, -call.frame.end), 1);
    const size_t begin = index_of(std::lower_bound(rows.begin(), rows.end(), oldest, before));
    const size_t end = index_of(std::lower_bound(rows.begin(), rows.end(), behind, before));
    return {begin, std::max(begin, end)};
  }
  const auto own = static_cast<int64_t>(
      index_of(std::lower_bound(rows.begin(), rows.end(), at.position(),
                                [](const Kept& a, const auto& b) { return a.position() < b; })));
  const int64_t end = own - call.frame.end + 1;
  if (end <= 0) return {};
  return {static_cast<size_t>(std::max<int64_t>(0, own - call.frame.start)),
          static_cast<size_t>(end)};
}

void KeptFrames::answer(const Partition& partition, const Kept& at, int64_t watermark_us,
                        std::vector<Column>& results, Arena& arena) {
  for (size_t call = 0; call < op_.calls.size(); ++call) {
    const Stretch frame = frame_of(op_.calls[call], partition, at, watermark_us);
    if (op_.calls[call].function == FrameFunction::kLag) {
      append_lag(call, partition, at, frame, results[call], arena);
    } else {
      append_result(call, partition.kept().subspan(frame.begin, frame.end - frame.begin),
                    results[call], arena);
    }
  }
}

namespace {

void append_null(Column& column) {
  column.resize(column.rows() + 1);
  column.set_null(column.rows() - 1);
}

}  // namespace

void KeptFrames::append_lag(size_t call, const Partition& partition, const Kept& at, Stretch frame,
                            Column& result, Arena& arena) const {
  const std::span<const Kept> rows = partition.kept();
  const auto own = static_cast<size_t>(
      std::lower_bound(rows.begin(), rows.end(), at.position(),
                       [](const Kept& a, const auto& b) { return a.position() < b; }) -
      rows.begin());
  const auto distance = static_cast<size_t>(op_.calls[call].distance);
  const bool there = own >= distance && own - distance >= frame.begin && own - distance < frame.end;
  if (!there) return append_null(result);
  state::Table::append_to(table_->row(rows[own - distance].row), *fields_[call].argument, result,
                          arena);
}

void KeptFrames::see(size_t call, std::span<const Kept> rows) {
  const auto& [argument, filter] = fields_[call];
  seen_.clear();
  for (const Kept& kept : rows) {
    const std::byte* row = table_->row(kept.row);
    if (argument && state::Table::is_null(row, *argument)) continue;
    if (filter && !holds(row, *filter)) continue;
    seen_.push_back(row);
  }
}

void KeptFrames::append_result(size_t call, std::span<const Kept> rows, Column& result,
                               Arena& arena) {
  const FrameFunction function = op_.calls[call].function;
  if (function == FrameFunction::kFirstValue || function == FrameFunction::kLastValue) {
    if (rows.empty()) return append_null(result);
    const Kept& kept = function == FrameFunction::kFirstValue ? rows.front() : rows.back();
    return state::Table::append_to(table_->row(kept.row), *fields_[call].argument, result, arena);
  }
  see(call, rows);
  const auto count = static_cast<int64_t>(seen_.size());
  if (function == FrameFunction::kCountStar || function == FrameFunction::kCount) {
    return append_number(result, count);
  }
  const state::RowField& argument = *fields_[call].argument;
  switch (function) {
    case FrameFunction::kCountDistinct:
      return append_number(result, count_distinct(call, seen_));
    case FrameFunction::kMin:
    case FrameFunction::kMax:
      return append_best(call, seen_, result, arena);
    case FrameFunction::kStddev:
    case FrameFunction::kStddevPop: {
      std::vector<double> values;
      values.reserve(seen_.size());
      for (const std::byte* row : seen_) values.push_back(number_at(row, argument));
      return append_double(result, standard_deviation(values, function == FrameFunction::kStddev));
    }
    default:
      break;
  }
  const bool average = function == FrameFunction::kAvg;
  if (argument.type.id == TypeId::kDouble) {
    double sum = 0;
    for (const std::byte* row : seen_) sum += state::Table::get<double>(row, argument);
    if (average) sum /= static_cast<double>(count);
    return append_double(result, count == 0 ? std::nullopt : std::optional(sum));
  }
  int128 sum = 0;
  for (const std::byte* row : seen_) add_to_sum(sum, whole_at(row, argument));
  if (average) return append_average(result, sum, count, argument.type.scale);
  append_sum(result, sum, count);
}

void KeptFrames::append_best(size_t call, std::span<const std::byte* const> rows, Column& result,
                             Arena& arena) const {
  if (rows.empty()) return append_null(result);
  const state::RowField& argument = *fields_[call].argument;
  const bool smallest = op_.calls[call].function == FrameFunction::kMin;
  const std::byte* best = rows[0];
  dispatch_physical(argument.type.physical(), [&]<typename T>() {
    const auto value = [&](const std::byte* row) {
      if constexpr (std::is_same_v<T, StringRef>) {
        return state::Table::get_string(row, argument);
      } else {
        return state::Table::get<T>(row, argument);
      }
    };
    for (const std::byte* row : rows.subspan(1)) {
      if (smallest ? less(value(row), value(best)) : less(value(best), value(row))) best = row;
    }
  });
  state::Table::append_to(best, argument, result, arena);
}

int64_t KeptFrames::count_distinct(size_t call, std::span<const std::byte* const> rows) {
  const state::RowField& argument = *fields_[call].argument;
  if (argument.type.id == TypeId::kDouble) {
    absl::flat_hash_set<uint64_t> values;
    for (const std::byte* row : rows) {
      double value = state::Table::get<double>(row, argument);
      if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
      values.insert(std::bit_cast<uint64_t>(value == 0.0 ? 0.0 : value));
    }
    return static_cast<int64_t>(values.size());
  }
  distinct_.clear();
  const bool text = argument.type.physical() == PhysicalType::kString;
  for (const std::byte* row : rows) {
    distinct_.insert(text ? state::Table::get_string(row, argument)
                          : std::string_view(reinterpret_cast<const char*>(row) + argument.offset,
                                             width_of(argument.type.physical())));
  }
  return static_cast<int64_t>(distinct_.size());
}

}  // namespace kappa::operators
