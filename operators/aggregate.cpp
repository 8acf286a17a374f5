#include "operators/aggregate.h"

#include <algorithm>
#include <numeric>

#include "engine/types/hash.h"
#include "engine/types/invariant.h"
#include "engine/types/time.h"
#include "operators/group_sketches.h"
#include "operators/late_row.h"
#include "operators/windows.h"

namespace kappa::operators {
namespace {

std::vector<Type> key_types(const AggregateNode& op, const Schema& input) {
  std::vector<Type> types;
  for (int group : op.groups) types.push_back(input[static_cast<size_t>(group)].type);
  if (op.window) types.push_back(Type::timestamptz());
  return types;
}

bool sums_doubles(const AggregateNode& op, const Schema& input) {
  return std::any_of(op.calls.begin(), op.calls.end(), [&](const AggregateCall& call) {
    return (call.kind == AggregateKind::kSum || call.kind == AggregateKind::kAvg) &&
           input[static_cast<size_t>(call.argument)].type.id == TypeId::kDouble;
  });
}

// Whether a result depends on the order of the rows.
bool depends_on_order(const AggregateCall& call, const Schema& input) {
  switch (call.kind) {
    case AggregateKind::kSum:
    case AggregateKind::kAvg:
    case AggregateKind::kStddev:
    case AggregateKind::kStddevPop:
      return input[static_cast<size_t>(call.argument)].type.id == TypeId::kDouble;
    case AggregateKind::kFirst:
    case AggregateKind::kLast:
    case AggregateKind::kArgMin:
    case AggregateKind::kArgMax:
    case AggregateKind::kDecayedSum:
      return true;
    default:
      return false;
  }
}

}  // namespace

struct Aggregate::Keyed {
  const Batch* input = nullptr;  // borrowed, if all its rows are taken
  Batch some;                    // else those that are
  std::vector<ColumnRef> key;
  std::vector<uint64_t> hashes;
  std::vector<int64_t> windows;  // by name; empty without a window

  const Batch& batch() const { return input ? *input : some; }

  Keyed slice(size_t begin, size_t end) const {
    std::vector<uint32_t> picked(end - begin);
    std::iota(picked.begin(), picked.end(), static_cast<uint32_t>(begin));
    Keyed part;
    part.some = gather(batch(), picked);
    for (const ColumnRef& column : key) {
      part.key.push_back(std::make_shared<const Column>(column->gather(picked)));
    }
    const auto from = static_cast<std::ptrdiff_t>(begin);
    const auto to = static_cast<std::ptrdiff_t>(end);
    part.hashes.assign(hashes.begin() + from, hashes.begin() + to);
    if (!windows.empty()) part.windows.assign(windows.begin() + from, windows.begin() + to);
    return part;
  }
};

Aggregate::Aggregate(const Plan& plan, NodeId node, bool emits)
    : plan_(plan),
      node_(plan.node(node)),
      op_(std::get<AggregateNode>(node_.op)),
      input_schema_(plan.node(node_.inputs[0]).schema),
      emits_(emits),
      retractions_(plan.node(node_.inputs[0]).changelog),
      timed_(op_.window && (op_.emit == Emit::kFinal || op_.retention_us)),
      timer_owner_(TimerOwner::of(plan, node)),
      single_(op_.groups.empty() && !op_.window),
      restarts_(retractions_ && sums_doubles(op_, input_schema_)),
      accumulators_(
          op_.calls, input_schema_,
          retractions_ ? AccumulatorSet::Rows::kRetracted : AccumulatorSet::Rows::kAppended) {
  if (op_.window && op_.window->step_us > 0) {
    constexpr int64_t kWindowedRows = 32'768;
    const int64_t rows = kWindowedRows / windows_of_a_time_max(*op_.window);
    rows_at_once_ = static_cast<size_t>(std::max<int64_t>(1, rows));
  }
  const std::vector<Type> key = key_types(op_, input_schema_);
  const uint64_t id = operator_id(plan, node);
  const state::RowLayout layout(key, accumulators_.field_types());
  accumulators_.bind(layout);
  table_ = std::make_unique<state::Table>(state::TableId{id, 0}, layout);
  add_sides(key, id);
}

// What calls need beside the groups' rows. The table of a call that comes first for it has the
// call's number.
void Aggregate::add_sides(const std::vector<Type>& key, uint64_t id) {
  for (size_t i = 0; i < op_.calls.size(); ++i) {
    const AggregateCall& call = op_.calls[i];
    const state::TableId table{id, static_cast<uint8_t>(1 + i)};
    const auto fields = accumulators_.side_fields(i);
    switch (call.kind) {
      case AggregateKind::kCountDistinct:
        values_of(GroupValues::Of::kValues, call, table, key).count_distinct(fields[0]);
        break;
      case AggregateKind::kMin:
      case AggregateKind::kMax:
        if (!retractions_) break;
        values_of(GroupValues::Of::kValues, call, table, key)
            .keep_extreme(call.kind == AggregateKind::kMax, fields[0]);
        break;
      case AggregateKind::kApproxQuantile:
        values_of(GroupValues::Of::kBuckets, call, table, key)
            .keep_quantile({call.quantile, fields[0], fields[1], fields[2]});
        break;
      case AggregateKind::kApproxCountDistinct:
        sides_.push_back(std::make_unique<GroupSketches>(table, key, call.argument, call.filter,
                                                         fields[0], *table_));
        break;
      default:
        break;
    }
  }
}

GroupValues& Aggregate::values_of(GroupValues::Of of, const AggregateCall& call, state::TableId id,
                                  const std::vector<Type>& key) {
  for (GroupValues* values : values_) {
    if (values->is_of(of, call.argument, call.filter)) return *values;
  }
  auto made = std::make_unique<GroupValues>(id, key, of, input_schema_, call.argument, call.filter,
                                            *table_);
  if (op_.retention_us) made->expect_expiry();
  values_.push_back(made.get());
  sides_.push_back(std::move(made));
  return *values_.back();
}

bool Aggregate::needs_order(const PlanNode& node, const Plan& plan, bool emits) {
  const auto& op = std::get<AggregateNode>(node.op);
  if (emits || (op.window && (op.emit == Emit::kFinal || op.retention_us))) return true;
  const PlanNode& input = plan.node(node.inputs[0]);
  return input.changelog || std::any_of(op.calls.begin(), op.calls.end(), [&](const auto& call) {
           return depends_on_order(call, input.schema);
         });
}

std::vector<state::Table*> Aggregate::tables() {
  std::vector<state::Table*> tables{table_.get()};
  for (const auto& side : sides_) tables.push_back(&side->table());
  return tables;
}

// ---- windows --------------------------------------------------------------------------------

int64_t Aggregate::closes_at(int64_t window) const {
  return operators::closes_at(*op_.window, window_end(*op_.window, window));
}

std::optional<int64_t> Aggregate::expires_at(int64_t window) const {
  if (!op_.window || !op_.retention_us) return std::nullopt;
  return operators::expires_at(*op_.window, window_end(*op_.window, window), *op_.retention_us);
}

int64_t Aggregate::window_of(const std::byte* row) const {
  return state::Table::get<int64_t>(row, table_->layout().key().back());
}

bool Aggregate::visible(const std::byte* row, int64_t watermark_us) const {
  if (!op_.window) return true;
  const int64_t window = window_of(row);
  if (op_.emit == Emit::kFinal && closes_at(window) > watermark_us) return false;
  const auto expires = expires_at(window);
  return !expires || *expires > watermark_us;
}

std::optional<int64_t> Aggregate::waits_for(const std::byte* row, int64_t watermark_us) const {
  const int64_t closes = closes_at(window_of(row));
  return closes > watermark_us ? std::optional(closes) : std::nullopt;
}

// Fills in the window of each row, which has one. True if some rows are late: then `kept` has the
// others, and `windows` theirs.
bool Aggregate::refuse_late(const Batch& input, const OperatorContext& context,
                            std::vector<int64_t>* windows, Batch* kept_rows) const {
  const Column& times = *input.columns[static_cast<size_t>(op_.window->event_time)];
  const auto event_times = times.values<int64_t>();
  windows->resize(input.rows);
  std::vector<uint32_t> late;
  int64_t start = 0;
  int64_t end = 0;  // of the last row's window: most rows fall into the same
  for (size_t i = 0; i < input.rows; ++i) {
    const int64_t time = event_times[i];
    if (time < start || time >= end) {
      start = floor_to_step(time, op_.window->size_us, op_.window->offset_us);
      end = window_end(*op_.window, start);
    }
    (*windows)[i] = start;
    if (saturating_add(end, op_.window->grace_us) <=
        context.watermark[input.places[i].track_index()]) {
      late.push_back(static_cast<uint32_t>(i));
    }
  }
  if (late.empty()) return false;

  std::vector<uint32_t> kept;
  std::vector<int64_t> kept_windows;
  size_t next_late = 0;
  for (uint32_t i = 0; i < input.rows; ++i) {
    if (next_late < late.size() && late[next_late] == i) {
      ++next_late;
      if (!input.signs.empty() && input.signs[i] < 0) continue;
      context.side.push_back(late_row(input_schema_, input, i, node_.id));
    } else {
      kept.push_back(i);
      kept_windows.push_back((*windows)[i]);
    }
  }
  *windows = std::move(kept_windows);
  *kept_rows = gather(input, kept);
  return true;
}

// Rows [begin, end) of the input, once for each of their windows that takes them.
void Aggregate::spread(const Batch& input, size_t begin, size_t end, const OperatorContext& context,
                       Keyed* keyed) const {
  WindowedRows open;
  WindowedRows closed;
  spread_over_windows(*op_.window, input, begin, end, context.watermark, &open, &closed);
  refuse_windows(*op_.window, input_schema_, input, closed, node_.id, context);
  keyed->some = gather(input, open.rows);
  if (!input.key_hashes.empty()) {
    for (const uint32_t row : open.rows) keyed->some.key_hashes.push_back(input.key_hashes[row]);
  }
  keyed->windows = std::move(open.names);
}

// ---- applying rows --------------------------------------------------------------------------

Aggregate::Keyed Aggregate::key_rows(const Batch& input, size_t begin, size_t end,
                                     const OperatorContext& context) {
  Keyed keyed;
  if (input.empty()) return keyed;
  if (op_.window && op_.window->step_us > 0) {
    spread(input, begin, end, context, &keyed);
  } else if (!op_.window || !refuse_late(input, context, &keyed.windows, &keyed.some)) {
    keyed.input = &input;
  }
  for (int group : op_.groups) {
    keyed.key.push_back(keyed.batch().columns[static_cast<size_t>(group)]);
  }
  // The exchange has hashed the group already.
  const bool hashed = !op_.groups.empty() && !keyed.batch().key_hashes.empty();
  if (hashed) keyed.hashes = keyed.batch().key_hashes;
  if (op_.window) {
    Column windows(Type::timestamptz(), keyed.batch().rows);
    std::copy(keyed.windows.begin(), keyed.windows.end(), windows.values<int64_t>().begin());
    keyed.key.push_back(std::make_shared<const Column>(std::move(windows)));
    if (hashed) hash_one_more(*keyed.key.back(), &keyed.hashes);
  }
  if (!hashed) hash_columns(keyed.key, keyed.batch().rows, &keyed.hashes);
  return keyed;
}

void Aggregate::note_windows(const Keyed& keyed) {
  if (!timed_) return;
  for (uint32_t i : created_) windows_[keyed.windows[i]].rows.push_back(ids_[i]);
}

void Aggregate::apply_sides(size_t begin, size_t end) {
  for (const auto& side : sides_) {
    side->apply(begin, end, std::span(ids_).subspan(begin, end - begin));
  }
}

void Aggregate::remove_empty_groups() {
  if (!retractions_) return;
  for (state::RowId id : ids_) {
    if (single_) break;
    if (table_->live(id) && accumulators_.group_rows(table_->row(id)) == 0) table_->erase(id);
  }
  for (const auto& side : sides_) side->remove_empty();
}

void Aggregate::apply(const Keyed& keyed, Emission* emission) {
  const size_t rows = keyed.batch().rows;
  if (rows == 0) return;
  ids_.resize(rows);
  table_->find_or_insert(keyed.key, keyed.hashes, ids_, &created_);
  for (uint32_t i : created_) accumulators_.start(table_->row(ids_[i]));
  note_windows(keyed);
  for (const auto& side : sides_) side->find(keyed.batch(), keyed.key);
  if (emission || restarts_) {
    apply_one_by_one(keyed, created_, emission);
  } else {
    accumulators_.apply(keyed.batch(), 0, rows, ids_, *table_);
    apply_sides(0, rows);
  }
  remove_empty_groups();
}

void Aggregate::apply_one_by_one(const Keyed& keyed, std::span<const uint32_t> created,
                                 Emission* emission) {
  size_t next_created = 0;
  for (size_t i = 0; i < keyed.batch().rows; ++i) {
    const bool first = next_created < created.size() && created[next_created] == i;
    if (first) ++next_created;
    std::byte* row = table_->row(ids_[i]);
    const RowPlace place = keyed.batch().places[i];
    const std::string_view tie =
        keyed.batch().ties.empty() ? std::string_view() : keyed.batch().ties[i].view();
    const bool existed = single_ || (retractions_ ? accumulators_.group_rows(row) > 0 : !first);
    if (emission && existed) emission->add(*this, row, place, -1, tie);
    accumulators_.apply(keyed.batch(), i, i + 1, std::span(ids_).subspan(i, 1), *table_);
    apply_sides(i, i + 1);
    const bool empty = retractions_ && accumulators_.group_rows(row) == 0;
    if (empty) accumulators_.reset(ids_[i], *table_);
    if (emission && (!empty || single_)) emission->add(*this, row, place, 1, tie);
  }
}

// ---- timers ---------------------------------------------------------------------------------

std::vector<Aggregate::Due> Aggregate::due_until(int64_t watermark_us) const {
  std::vector<Due> due;
  for (const auto& [name, window] : windows_) {
    if (closes_at(name) > watermark_us) break;
    if (op_.emit == Emit::kFinal && !window.fired) due.push_back({closes_at(name), false, name});
    const auto expires = expires_at(name);
    if (expires && *expires <= watermark_us) due.push_back({*expires, true, name});
  }
  std::sort(due.begin(), due.end());
  return due;
}

void Aggregate::fire(const Due& due, RowPlace place, Emission* emission) {
  Window& window = windows_[due.window];
  const bool inserts = !due.expires && op_.emit == Emit::kFinal;
  const bool retracts = due.expires && node_.changelog;
  if (inserts || due.expires) {
    const auto of_window = [&](const std::byte* row) { return window_of(row) == due.window; };
    const std::vector<TimerRow> rows = timer_rows(*table_, window.rows, of_window);
    std::vector<state::RowId> groups;
    groups.reserve(rows.size());
    for (const TimerRow& row : rows) groups.push_back(row.id);
    if (due.expires) {
      for (const auto& side : sides_) side->erase_window(due.window, groups);
    }
    for (const TimerRow& row : rows) {
      if (emission && (inserts || retracts)) {
        emission->add(*this, table_->row(row.id), place, inserts ? 1 : -1,
                      timer_tie(timer_owner_, due.time, row.key));
      }
      if (due.expires) table_->erase(row.id);
    }
  }
  if (due.expires) {
    windows_.erase(due.window);
  } else {
    window.fired = true;
  }
}

void Aggregate::apply_timed(const Keyed& keyed, const WatermarkTrack& track, int64_t until_us,
                            Emission* on_timers, Emission* on_rows) {
  // Windows that this batch opens may close in it.
  for (int64_t window : keyed.windows) windows_.try_emplace(window);
  const std::vector<Due> dues = due_until(until_us);
  size_t fired = 0;
  run_timers(
      keyed.batch().places, track,
      [&] { return fired < dues.size() ? std::optional(dues[fired].time) : std::nullopt; },
      [&](size_t begin, size_t end) {
        if (begin == 0 && end == keyed.batch().rows) return apply(keyed, on_rows);
        apply(keyed.slice(begin, end), on_rows);
      },
      [&](RowPlace place) { fire(dues[fired++], place, on_timers); });
}

// Gives out the first result of the group that is always there: with what totals below, which are
// there just as long, have announced. Returns the other rows.
Aggregate::Keyed Aggregate::announce(Keyed keyed, Emission& emission) {
  constexpr RowPlace kStart = RowPlace::of_timer(0);
  const std::vector<RowPlace>& places = keyed.batch().places;
  const auto announced =
      static_cast<size_t>(std::upper_bound(places.begin(), places.end(), kStart) - places.begin());
  const size_t rows = keyed.batch().rows;
  if (announced > 0) apply(keyed.slice(0, announced), nullptr);
  emission.add(*this, table_->row(table_->find_one({})), kStart, 1, {});
  announces_ = false;
  return announced == 0 ? std::move(keyed) : keyed.slice(announced, rows);
}

void Aggregate::process(const Batch& input, const OperatorContext& context,
                        std::vector<Batch>* out) {
  const bool changes = op_.emit == Emit::kChanges;
  std::optional<Emission> emission;
  if (emits_) emission.emplace(node_.schema, context.arena);
  Emission* emitted = emission ? &*emission : nullptr;
  Emission* on_rows = changes ? emitted : nullptr;

  size_t begin = 0;
  do {
    const size_t end = input.rows - begin > rows_at_once_ ? begin + rows_at_once_ : input.rows;
    Keyed keyed = key_rows(input, begin, end, context);
    if (announces_) keyed = announce(std::move(keyed), *emission);
    if (timed_) {
      // The watermark that the last of these rows meets, or the epoch's.
      const int64_t until_us = end < input.rows
                                   ? context.watermark[input.places[end - 1].track_index()]
                                   : context.watermark.back();
      apply_timed(keyed, context.watermark, until_us, emitted, on_rows);
    } else {
      apply(keyed, on_rows);
    }
    begin = end;
  } while (begin < input.rows);
  if (emission && !emission->empty()) out->push_back(emission->finish(node_.changelog));
}

void Aggregate::restored(int64_t watermark_us) {
  announces_ = false;
  for (const auto& side : sides_) side->restored();
  if (!timed_) return;
  for (state::RowId id = 0; id < table_->row_ids_end(); ++id) {
    if (table_->live(id)) windows_[window_of(table_->row(id))].rows.push_back(id);
  }
  for (auto& [name, window] : windows_) window.fired = closes_at(name) <= watermark_us;
}

void Aggregate::make_single_group() {
  if (!single_ || table_->rows() > 0) return;
  const uint64_t hash = 0;
  ids_.resize(1);
  table_->find_or_insert({}, {&hash, 1}, ids_, &created_);
  accumulators_.start(table_->row(ids_[0]));
  announces_ = emits_;
}

std::vector<int> Aggregate::key_columns() const {
  std::vector<int> columns(op_.groups.size());
  std::iota(columns.begin(), columns.end(), 0);
  if (op_.window) {
    const auto start = static_cast<int>(columns.size());
    columns.push_back(named_by_end(*op_.window) ? start + 1 : start);
  }
  return columns;
}

const std::byte* Aggregate::find(const Row& key, std::optional<state::Cut> cut) const {
  if (cut) return table_->find_image(key, *cut);
  const state::RowId id = table_->find_one(key);
  return id == state::kNoRow ? nullptr : table_->row(id);
}

// ---- results --------------------------------------------------------------------------------

void Aggregate::append_column(int column, std::span<const std::byte* const> rows, Column& out,
                              Arena& arena) const {
  const auto index = static_cast<size_t>(column);
  const size_t groups = op_.groups.size();
  const auto& key = table_->layout().key();
  if (index < groups) {
    for (const std::byte* row : rows) state::Table::append_to(row, key[index], out, arena);
  } else if (op_.window && index < groups + 2) {
    const auto bound = index == groups ? window_start : window_end;
    for (const std::byte* row : rows) {
      out.resize(out.rows() + 1);
      out.values<int64_t>().back() = bound(*op_.window, window_of(row));
    }
  } else {
    const size_t call = index - groups - (op_.window ? 2 : 0);
    for (const std::byte* row : rows) accumulators_.append_result(call, row, out, arena);
  }
}

}  // namespace kappa::operators
