#include "operators/session_sketches.h"

#include "engine/types/hash.h"
#include "operators/distinct_sketch.h"

namespace kappa::operators {

using state::Table;

SessionSketches::SessionSketches(state::TableId id, const std::vector<Type>& key,
                                 const std::vector<int>& groups, int argument, int filter,
                                 state::RowField estimate, Table& sessions)
    : groups_(groups),
      argument_(argument),
      filter_(filter),
      estimate_(estimate),
      sessions_(sessions),
      table_(std::make_unique<Table>(id, state::RowLayout(key, {Type::bytea()}))) {}

std::string_view SessionSketches::sketch(state::RowId row) const {
  return Table::get_string(table_->row(row), table_->layout().values()[0]);
}

int64_t& SessionSketches::estimate_of(state::RowId session) {
  return Table::get<int64_t>(sessions_.row(session), estimate_);
}

std::vector<state::RowId> SessionSketches::rows_of(const SessionRows& rows,
                                                   const std::vector<uint32_t>& seen) {
  std::vector<uint32_t> missing;
  for (const uint32_t i : seen) {
    if (sketches_.try_emplace(rows.names[i], state::kNoRow).second) missing.push_back(i);
  }
  const std::vector<ColumnRef> key = session_key(rows, missing, groups_);
  std::vector<uint64_t> hashes;
  hash_columns(key, missing.size(), &hashes);
  std::vector<state::RowId> made(missing.size());
  table_->find_or_insert(key, hashes, made, nullptr);
  for (size_t i = 0; i < missing.size(); ++i) sketches_[rows.names[missing[i]]] = made[i];
  std::vector<state::RowId> found;
  found.reserve(seen.size());
  for (const uint32_t i : seen) found.push_back(sketches_[rows.names[i]]);
  return found;
}

void SessionSketches::add(const SessionRows& rows) {
  const std::vector<uint32_t> seen = rows_seen(rows, argument_, filter_);
  if (seen.empty()) return;
  const std::vector<state::RowId> found = rows_of(rows, seen);
  const ColumnRef values[] = {std::make_shared<const Column>(argument_of(rows, seen, argument_))};
  std::vector<uint64_t> hashes;
  hash_columns(values, seen.size(), &hashes);
  for (size_t i = 0; i < seen.size(); ++i) {
    if (!DistinctSketch::add(sketch(found[i]), hashes[i], &bytes_)) continue;
    table_->touch(found[i]);
    table_->set_string(found[i], table_->layout().values()[0], bytes_);
    estimate_of(rows.sessions[seen[i]]) = DistinctSketch::estimate(bytes_);
  }
}

void SessionSketches::merge(const SessionMerge& merge) {
  estimate_of(merge.joined) = estimate_of(merge.to_row);
  const auto moved = sketches_.find(merge.from);
  if (moved == sketches_.end()) return;
  const state::RowId from = moved->second;
  sketches_.erase(moved);
  const auto [found, is_new] = sketches_.try_emplace(merge.to, state::kNoRow);
  if (is_new) {
    Arena arena;
    const auto key = key_with_origin(*table_, {&from, 1}, groups_.size(), merge.to.second, arena);
    std::vector<uint64_t> hashes;
    hash_columns(key, 1, &hashes);
    table_->find_or_insert(key, hashes, {&found->second, 1}, nullptr);
  }
  DistinctSketch::merge(sketch(found->second), sketch(from), &bytes_);
  table_->touch(found->second);
  table_->set_string(found->second, table_->layout().values()[0], bytes_);
  table_->erase(from);
  estimate_of(merge.joined) = DistinctSketch::estimate(bytes_);
}

void SessionSketches::erase(SessionName session) {
  const auto found = sketches_.find(session);
  if (found == sketches_.end()) return;
  table_->erase(found->second);
  sketches_.erase(found);
}

void SessionSketches::restored(OpenSessions& open) {
  sketches_.clear();
  for_each_of_sessions(*table_, groups_.size(), open,
                       [&](SessionName session, state::RowId row) { sketches_[session] = row; });
}

}  // namespace kappa::operators
