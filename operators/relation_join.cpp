#include "operators/relation_join.h"

#include <algorithm>
#include <utility>

#include "engine/types/hash.h"
#include "operators/join_order.h"
#include "operators/relink.h"
#include "operators/row_errors.h"

namespace kappa::operators {

using state::kNoRow;
using state::RowId;

// Pairs on their way out, and the row of input that changes them.
struct RelationJoin::Changes {
  std::vector<Column> columns;
  Batch batch;
  const OperatorContext& context;
  RowPlace place = {};
  StringRef tie = {};
  bool tied = false;

  void cause(const Batch& input, size_t row) {
    place = input.places[row];
    tie = input.ties.empty() ? StringRef{} : input.ties[row];
    tied |= tie.size > 0;
  }

  void add(const RelationJoin& join, RowId left, RowId right, int8_t sign) {
    const std::span<Column> all(columns);
    join.sides_[kLeft]->append(left, all.first(join.left_width_), context.arena);
    join.sides_[kRight]->append(right, all.subspan(join.left_width_), context.arena);
    batch.places.push_back(place);
    batch.signs.push_back(sign);
    batch.ties.push_back(tie);
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

RelationJoin::RelationJoin(const Plan& plan, NodeId node)
    : node_(plan.node(node)), op_(std::get<RelationJoinNode>(node_.op)) {
  const Schema& left = plan.node(node_.inputs[kLeft]).schema;
  const Schema& right = plan.node(node_.inputs[kRight]).schema;
  left_width_ = left.size();
  const uint64_t id = operator_id(plan, node);
  sides_[kLeft] =
      std::make_unique<JoinRows>(state::TableId{id, 0}, left, op_.key.left, op_.left_id, op_.outer);
  sides_[kRight] =
      std::make_unique<JoinRows>(state::TableId{id, 1}, right, op_.key.right, op_.right_id, false);
  std::vector<Type> key;
  for (int column : op_.key.left) key.push_back(left[static_cast<size_t>(column)].type);
  buckets_ = std::make_unique<state::Table>(state::TableId{id, 2},
                                            state::RowLayout(key, {Type::bigint(), Type::bigint()}),
                                            state::TableOptions{.derived = true});
  if (op_.condition) condition_.emplace(op_.condition);
}

std::vector<state::Table*> RelationJoin::tables() {
  return {&sides_[kLeft]->table(), &sides_[kRight]->table()};
}

void RelationJoin::process_both(const Batch& left, const Batch& right,
                                const OperatorContext& context, std::vector<Batch>* out) {
  if (left.empty() && right.empty()) return;
  find(kLeft, left);
  find(kRight, right);
  Changes changes{.columns = {}, .batch = {}, .context = context};
  for (const Field& field : node_.schema) changes.columns.emplace_back(field.type);
  const auto apply_run = [&](size_t side, const Batch& batch) {
    return [&, side](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) apply(side, batch, row, changes);
    };
  };
  for_each_run(left, right, apply_run(kLeft, left), apply_run(kRight, right));
  for (const auto& side : sides_) side->drop_unlinked();
  drop_empty_buckets();
  if (changes.batch.rows > 0) out->push_back(changes.finish());
}

void RelationJoin::find(size_t side, const Batch& batch) {
  JoinRows& rows = *sides_[side];
  keys_[side].clear();
  bucket_of_[side].clear();
  if (batch.empty()) return rows.find({}, {});
  keys_[side] = rows.key_of(batch);
  std::vector<uint64_t> hashes = batch.key_hashes;
  if (hashes.empty()) hash_columns(keys_[side], batch.rows, &hashes);
  rows.find(batch, hashes);
  bucket_of_[side].resize(batch.rows);
  buckets_->find_or_insert(keys_[side], hashes, bucket_of_[side], nullptr);
}

bool RelationJoin::key_is_null(size_t side, size_t row) const {
  return std::any_of(keys_[side].begin(), keys_[side].end(),
                     [&](const ColumnRef& column) { return column->is_null(row); });
}

void RelationJoin::apply(size_t side, const Batch& batch, size_t row, Changes& changes) {
  JoinRows& rows = *sides_[side];
  const RowId id = rows.found(row);
  const RowId bucket = bucket_of_[side][row];
  const bool insert = batch.signs.empty() || batch.signs[row] > 0;
  changes.cause(batch, row);
  if (key_is_null(side, row)) {
    if (side != kLeft || !op_.outer) return;
    rows.store(id, batch, row);
    return changes.add(*this, id, kNoRow, insert ? 1 : -1);
  }
  if (rows.linked(id)) remove(side, id, bucket, changes);
  if (!insert) return;
  rows.store(id, batch, row);
  add(side, id, bucket, changes);
}

void RelationJoin::add(size_t side, RowId row, RowId bucket, Changes& changes) {
  match(side, row, bucket, changes);
  change_link(side, row, bucket, true);
  if (side == kLeft) {
    if (op_.outer) sides_[kLeft]->set_count(row, static_cast<int64_t>(matches_.size()));
    if (op_.outer && matches_.empty()) changes.add(*this, row, kNoRow, 1);
    for (RowId right : matches_) changes.add(*this, row, right, 1);
    return;
  }
  for (RowId left : matches_) {
    if (op_.outer) {
      const int64_t count = sides_[kLeft]->count(left);
      if (count == 0) changes.add(*this, left, kNoRow, -1);
      sides_[kLeft]->set_count(left, count + 1);
    }
    changes.add(*this, left, row, 1);
  }
}

void RelationJoin::remove(size_t side, RowId row, RowId bucket, Changes& changes) {
  match(side, row, bucket, changes);
  change_link(side, row, bucket, false);
  if (side == kLeft) {
    if (op_.outer && matches_.empty()) changes.add(*this, row, kNoRow, -1);
    for (RowId right : matches_) changes.add(*this, row, right, -1);
    return;
  }
  for (RowId left : matches_) {
    changes.add(*this, left, row, -1);
    if (!op_.outer) continue;
    const int64_t count = sides_[kLeft]->count(left) - 1;
    sides_[kLeft]->set_count(left, count);
    if (count == 0) changes.add(*this, left, kNoRow, 1);
  }
}

void RelationJoin::match(size_t side, RowId row, RowId bucket, Changes& changes) {
  const size_t other = 1 - side;
  sides_[other]->chain(first_of(other, bucket), &matches_);
  if (condition_ && !matches_.empty()) keep_those_that_meet_condition(side, row, changes);
}

// A pair whose condition fails is no match, and counted where it comes to be.
void RelationJoin::keep_those_that_meet_condition(size_t side, RowId row, Changes& changes) {
  Changes pairs{.columns = {}, .batch = {}, .context = changes.context};
  for (const Field& field : node_.schema) pairs.columns.emplace_back(field.type);
  pairs.place = changes.place;
  pairs.tie = changes.tie;
  pairs.tied = changes.tied;
  const int8_t sign = sides_[side]->linked(row) ? -1 : 1;
  for (RowId match : matches_) {
    pairs.add(*this, side == kLeft ? row : match, side == kLeft ? match : row, sign);
  }
  const Batch batch = pairs.finish();
  std::vector<uint32_t> met;
  std::vector<RowError> errors;
  condition_->select(batch, changes.context.arena, &met, &errors);
  report_errors(node_.id, batch, errors, changes.context);
  for (size_t i = 0; i < met.size(); ++i) matches_[i] = matches_[met[i]];
  matches_.resize(met.size());
}

// ---- buckets --------------------------------------------------------------------------------

RowId RelationJoin::first_of(size_t side, RowId bucket) const {
  const state::Table& buckets = *buckets_;
  const auto first =
      state::Table::get<int64_t>(buckets.row(bucket), buckets.layout().values()[side]);
  return first == 0 ? kNoRow : static_cast<RowId>(first - 1);
}

void RelationJoin::change_link(size_t side, RowId row, RowId bucket, bool into) {
  RowId first = first_of(side, bucket);
  if (into) {
    sides_[side]->link(row, &first);
  } else {
    sides_[side]->unlink(row, &first);
  }
  state::Table::get<int64_t>(buckets_->row(bucket), buckets_->layout().values()[side]) =
      first == kNoRow ? 0 : static_cast<int64_t>(first) + 1;
}

void RelationJoin::drop_empty_buckets() {
  for (const auto& buckets : bucket_of_) {
    for (RowId bucket : buckets) {
      if (!buckets_->live(bucket)) continue;
      if (first_of(kLeft, bucket) == kNoRow && first_of(kRight, bucket) == kNoRow) {
        buckets_->erase(bucket);
      }
    }
  }
}

void RelationJoin::restored(int64_t /*watermark_us*/) {
  for (const size_t side : {kLeft, kRight}) {
    relink(*sides_[side], *buckets_,
           [&](RowId row, RowId bucket) { change_link(side, row, bucket, true); });
  }
}

}  // namespace kappa::operators
