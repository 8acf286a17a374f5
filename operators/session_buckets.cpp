#include "operators/session_buckets.h"

#include "engine/types/hash.h"
#include "operators/quantile_bucket.h"

namespace kappa::operators {

using state::Table;

struct SessionBuckets::Ordered {
  const SessionBuckets& side;
  const Buckets& buckets;

  Buckets::const_iterator end() const { return buckets.end(); }
  Buckets::const_iterator find(int32_t number) const { return buckets.lower_bound(number); }
  int64_t times(Buckets::const_iterator at) const { return side.times(at->second); }
  int32_t number(Buckets::const_iterator at) const { return at->first; }
};

SessionBuckets::SessionBuckets(state::TableId id, std::vector<Type> key,
                               const std::vector<int>& groups, int argument, int filter,
                               Table& sessions)
    : groups_(groups), argument_(argument), filter_(filter), sessions_(sessions) {
  key.push_back(Type::integer());
  table_ = std::make_unique<Table>(id, state::RowLayout(key, {Type::bigint()}));
}

int64_t& SessionBuckets::times(state::RowId bucket) const {
  return Table::get<int64_t>(table_->row(bucket), table_->layout().values()[0]);
}

int32_t SessionBuckets::number(state::RowId bucket) const {
  return Table::get<int32_t>(table_->row(bucket), table_->layout().key().back());
}

void SessionBuckets::move_quantiles(const Buckets& buckets, state::RowId session, int32_t changed,
                                    int64_t by) {
  for (const QuantileRank& quantile : quantiles_) {
    quantile.move(sessions_.row(session), changed, by, Ordered{*this, buckets});
  }
}

void SessionBuckets::add(const SessionRows& rows) {
  const std::vector<uint32_t> seen = rows_seen(rows, argument_, filter_);
  if (seen.empty()) return;
  std::vector<ColumnRef> key = session_key(rows, seen, groups_);
  key.push_back(
      std::make_shared<const Column>(quantile_buckets(argument_of(rows, seen, argument_))));
  std::vector<uint64_t> hashes;
  hash_columns(key, seen.size(), &hashes);
  std::vector<state::RowId> found(seen.size());
  table_->find_or_insert(key, hashes, found, nullptr);
  for (size_t i = 0; i < seen.size(); ++i) {
    Buckets& buckets = buckets_[rows.names[seen[i]]];
    if (times(found[i])++ == 0) buckets.emplace(number(found[i]), found[i]);
    move_quantiles(buckets, rows.sessions[seen[i]], number(found[i]), 1);
  }
}

size_t SessionBuckets::size(SessionName session) const {
  const auto found = buckets_.find(session);
  return found == buckets_.end() ? 0 : found->second.size();
}

void SessionBuckets::merge(const SessionMerge& merge) {
  for (const QuantileRank& quantile : quantiles_) {
    quantile.copy(sessions_.row(merge.joined), sessions_.row(merge.to_row));
  }
  const auto moved = buckets_.find(merge.from);
  if (moved == buckets_.end()) return;
  const Buckets old = std::move(moved->second);
  buckets_.erase(moved);
  std::vector<state::RowId> rows;
  std::vector<int64_t> came;
  for (const auto& [number, row] : old) {
    rows.push_back(row);
    came.push_back(times(row));
  }
  Arena arena;
  const auto key = key_with_origin(*table_, rows, groups_.size(), merge.to.second, arena);
  for (const state::RowId row : rows) table_->erase(row);
  std::vector<uint64_t> hashes;
  hash_columns(key, rows.size(), &hashes);
  table_->find_or_insert(key, hashes, rows, nullptr);
  Buckets& buckets = buckets_[merge.to];
  for (size_t i = 0; i < rows.size(); ++i) {
    times(rows[i]) += came[i];
    buckets.emplace(number(rows[i]), rows[i]);
    move_quantiles(buckets, merge.joined, number(rows[i]), came[i]);
  }
}

void SessionBuckets::erase(SessionName session) {
  const auto found = buckets_.find(session);
  if (found == buckets_.end()) return;
  for (const auto& [number, row] : found->second) table_->erase(row);
  buckets_.erase(found);
}

void SessionBuckets::restored(OpenSessions& open) {
  buckets_.clear();
  for_each_of_sessions(*table_, groups_.size(), open, [&](SessionName session, state::RowId row) {
    buckets_[session].emplace(number(row), row);
  });
}

}  // namespace kappa::operators
