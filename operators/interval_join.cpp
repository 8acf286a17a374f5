#include "operators/interval_join.h"

#include <algorithm>
#include <utility>

#include "engine/types/hash.h"
#include "engine/types/time.h"
#include "operators/join_order.h"
#include "operators/late_row.h"
#include "operators/relink.h"

namespace kappa::operators {

using state::kNoRow;
using state::RowId;

namespace {

void append_cell(const Column& from, size_t row, Column& to) {
  to.resize(to.rows() + 1);
  if (from.is_null(row)) return to.set_null(to.rows() - 1);
  dispatch_physical(from.type().physical(),
                    [&]<typename T>() { to.values<T>().back() = from.values<T>()[row]; });
}

}  // namespace

// What is given out, one row at a time.
struct IntervalJoin::Pairs {
  std::vector<Column> columns;
  Batch batch;
  Arena& arena;
  bool tied = false;

  // The columns of a side.
  std::span<Column> of(const IntervalJoin& join, size_t side) {
    const size_t left = join.schemas_[kLeft]->size();
    return side == kLeft ? std::span(columns).first(left) : std::span(columns).subspan(left);
  }
  void end_row(RowPlace place, StringRef tie) {
    batch.places.push_back(place);
    batch.ties.push_back(tie);
    tied |= tie.size > 0;
    ++batch.rows;
  }
  Batch finish() {
    for (Column& column : columns) {
      batch.columns.push_back(std::make_shared<const Column>(std::move(column)));
    }
    if (!tied) batch.ties.clear();
    return std::move(batch);
  }
};

IntervalJoin::IntervalJoin(const Plan& plan, NodeId node)
    : node_(plan.node(node)),
      op_(std::get<IntervalJoinNode>(node_.op)),
      schemas_({&plan.node(node_.inputs[kLeft]).schema, &plan.node(node_.inputs[kRight]).schema}),
      timer_owner_(TimerOwner::of(plan, node)) {
  const uint64_t id = operator_id(plan, node);
  sides_[kLeft] = std::make_unique<TimedRows>(state::TableId{id, 0}, *schemas_[kLeft], op_.key.left,
                                              op_.left_time, op_.outer);
  sides_[kRight] = std::make_unique<TimedRows>(state::TableId{id, 1}, *schemas_[kRight],
                                               op_.key.right, op_.right_time, false);
  std::vector<Type> key;
  for (int column : op_.key.left) {
    key.push_back((*schemas_[kLeft])[static_cast<size_t>(column)].type);
  }
  series_ = std::make_unique<state::Table>(state::TableId{id, 2}, state::RowLayout(key, {}),
                                           state::TableOptions{.derived = true});
}

std::vector<state::Table*> IntervalJoin::tables() {
  return {&sides_[kLeft]->table(), &sides_[kRight]->table()};
}

int64_t IntervalJoin::due_us(size_t side, int64_t time_us) const {
  const int64_t last_us = saturating_add(time_us, side == kLeft ? op_.to_us : -op_.from_us);
  return saturating_add(saturating_add(last_us, op_.grace_us), 1);
}

void IntervalJoin::process_both(const Batch& left, const Batch& right,
                                const OperatorContext& context, std::vector<Batch>* out) {
  batches_ = {&left, &right};
  Pairs pairs{.columns = {}, .batch = {}, .arena = context.arena};
  for (const Field& field : node_.schema) pairs.columns.emplace_back(field.type);
  std::vector<Arrival> arrivals;
  std::vector<RowPlace> places;
  const int64_t watermark_us = context.watermark.back();
  for (const size_t side : {kLeft, kRight}) {
    find_series(side, *batches_[side]);
    // What comes in this batch may be due in it.
    for (size_t row = 0; row < batches_[side]->rows; ++row) {
      const int64_t due = due_us(side, sides_[side]->time_of(*batches_[side], row));
      if (due <= watermark_us) timers_.try_emplace(due);
    }
  }
  const auto collect = [&](size_t side) {
    return [&, side](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) {
        arrivals.push_back({side, row});
        places.push_back(batches_[side]->places[row]);
      }
    };
  };
  for_each_run(left, right, collect(kLeft), collect(kRight));
  run_timers(
      places, context.watermark,
      [&]() -> std::optional<int64_t> {
        if (timers_.empty() || timers_.begin()->first > watermark_us) return std::nullopt;
        return timers_.begin()->first;
      },
      [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) arrive(arrivals[i], context, pairs);
      },
      [&](RowPlace place) { fire(place, pairs); });
  drop_empty_series();
  if (pairs.batch.rows > 0) out->push_back(pairs.finish());
}

void IntervalJoin::find_series(size_t side, const Batch& batch) {
  keys_[side].clear();
  series_of_[side].assign(batch.rows, kNoRow);
  if (batch.empty()) return;
  keys_[side] = sides_[side]->key_of(batch);
  std::vector<uint64_t> hashes = batch.key_hashes;
  if (hashes.empty()) hash_columns(keys_[side], batch.rows, &hashes);
  series_->find_or_insert(keys_[side], hashes, series_of_[side], nullptr);
  seen_.insert(seen_.end(), series_of_[side].begin(), series_of_[side].end());
}

bool IntervalJoin::key_is_null(const Arrival& arrival) const {
  const auto& key = keys_[arrival.side];
  return std::any_of(key.begin(), key.end(),
                     [&](const ColumnRef& column) { return column->is_null(arrival.row); });
}

void IntervalJoin::arrive(const Arrival& arrival, const OperatorContext& context, Pairs& pairs) {
  const auto [side, row] = arrival;
  const Batch& batch = *batches_[side];
  const int64_t time_us = sides_[side]->time_of(batch, row);
  const int64_t watermark_us = context.watermark[batch.places[row].track_index()];
  if (time_us < saturating_add(watermark_us, -op_.grace_us)) {
    context.side.push_back(late_row(*schemas_[side], batch, row, node_.id));
    return;
  }
  const bool null = key_is_null(arrival);
  const bool found = !null && give_out_pairs(arrival, pairs);
  const int64_t due = due_us(side, time_us);
  if (!null && due > watermark_us) {
    const RowId series = series_of_[side][row];
    const RowId kept = sides_[side]->insert(series, batch, row);
    if (found && side == kLeft && op_.outer) sides_[kLeft]->set_matched(kept);
    timers_[due].push_back({side, series, kept});
  } else if (!found && side == kLeft && op_.outer) {
    const std::span<Column> columns = pairs.of(*this, kLeft);
    for (size_t c = 0; c < columns.size(); ++c) append_cell(*batch.columns[c], row, columns[c]);
    sides_[kRight]->append(kNoRow, pairs.of(*this, kRight), pairs.arena);
    pairs.end_row(batch.places[row], batch.ties.empty() ? StringRef{} : batch.ties[row]);
  }
}

bool IntervalJoin::give_out_pairs(const Arrival& arrival, Pairs& pairs) {
  const auto [side, row] = arrival;
  const size_t other = 1 - side;
  const Batch& batch = *batches_[side];
  const int64_t time_us = sides_[side]->time_of(batch, row);
  const int64_t from_us = saturating_add(time_us, side == kLeft ? op_.from_us : -op_.to_us);
  const int64_t to_us = saturating_add(time_us, side == kLeft ? op_.to_us : -op_.from_us);
  const auto matches = sides_[other]->range(series_of_[side][row], from_us, to_us);
  for (const TimedRows::Kept& match : matches) {
    const std::span<Column> columns = pairs.of(*this, side);
    for (size_t c = 0; c < columns.size(); ++c) append_cell(*batch.columns[c], row, columns[c]);
    sides_[other]->append(match.row, pairs.of(*this, other), pairs.arena);
    pairs.end_row(batch.places[row], batch.ties.empty() ? StringRef{} : batch.ties[row]);
    if (side == kRight && op_.outer) sides_[kLeft]->set_matched(match.row);
  }
  return !matches.empty();
}

// Rows that nothing can match any more: outer left ones that nothing did match are given out.
void IntervalJoin::fire(RowPlace place, Pairs& pairs) {
  const int64_t due = timers_.begin()->first;
  const std::vector<Timer> timers = std::move(timers_.begin()->second);
  timers_.erase(timers_.begin());
  std::vector<RowId> unmatched;
  for (const Timer& timer : timers) {
    const bool waits = op_.outer && timer.side == kLeft && !sides_[kLeft]->matched(timer.row);
    if (waits) unmatched.push_back(timer.row);
  }
  const auto any = [](const std::byte*) { return true; };
  for (const TimerRow& row : timer_rows(sides_[kLeft]->table(), unmatched, any)) {
    sides_[kLeft]->append(row.id, pairs.of(*this, kLeft), pairs.arena);
    sides_[kRight]->append(kNoRow, pairs.of(*this, kRight), pairs.arena);
    pairs.end_row(place, pairs.arena.copy(timer_tie(timer_owner_, due, row.key)));
  }
  for (const auto& [side, series, row] : timers) {
    // The first row of a series takes those of its time along.
    if (sides_[side]->table().live(row)) {
      sides_[side]->drop_until(series, sides_[side]->time_of(row));
    }
    seen_.push_back(series);
  }
}

void IntervalJoin::drop_empty_series() {
  for (RowId series : seen_) {
    if (!series_->live(series)) continue;
    if (sides_[kLeft]->empty(series) && sides_[kRight]->empty(series)) series_->erase(series);
  }
  seen_.clear();
}

void IntervalJoin::restored(int64_t /*watermark_us*/) {
  for (const size_t side : {kLeft, kRight}) {
    TimedRows& rows = *sides_[side];
    relink(rows, *series_, [&](RowId row, RowId series) {
      rows.link(series, row);
      timers_[due_us(side, rows.time_of(row))].push_back({side, series, row});
    });
    rows.sort_links();
  }
}

}  // namespace kappa::operators
