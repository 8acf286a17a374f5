#include "operators/session_values.h"

#include "engine/types/hash.h"

namespace kappa::operators {

SessionValues::SessionValues(state::TableId id, std::vector<Type> key,
                             const std::vector<int>& groups, const Schema& input, int argument,
                             int filter, state::RowField result, state::Table& sessions)
    : groups_(groups), argument_(argument), filter_(filter), result_(result), sessions_(sessions) {
  key.push_back(input[static_cast<size_t>(argument)].type);
  table_ = std::make_unique<state::Table>(id, state::RowLayout(key, {}));
}

int64_t& SessionValues::count_of(state::RowId session) {
  return state::Table::get<int64_t>(sessions_.row(session), result_);
}

void SessionValues::add(const SessionRows& rows) {
  const std::vector<uint32_t> seen = rows_seen(rows, argument_, filter_);
  if (seen.empty()) return;
  std::vector<ColumnRef> key = session_key(rows, seen, groups_);
  key.push_back(std::make_shared<const Column>(argument_of(rows, seen, argument_)));
  std::vector<uint64_t> hashes;
  hash_columns(key, seen.size(), &hashes);
  std::vector<state::RowId> found(seen.size());
  std::vector<uint32_t> created;
  table_->find_or_insert(key, hashes, found, &created);
  for (const uint32_t i : created) {
    values_[rows.names[seen[i]]].push_back(found[i]);
    ++count_of(rows.sessions[seen[i]]);
  }
}

size_t SessionValues::size(SessionName session) const {
  const auto found = values_.find(session);
  return found == values_.end() ? 0 : found->second.size();
}

void SessionValues::merge(const SessionMerge& merge) {
  count_of(merge.joined) = count_of(merge.to_row);
  const auto moved = values_.find(merge.from);
  if (moved == values_.end()) return;
  const std::vector<state::RowId> old = std::move(moved->second);
  values_.erase(moved);
  Arena arena;
  const auto key = key_with_origin(*table_, old, groups_.size(), merge.to.second, arena);
  for (const state::RowId id : old) table_->erase(id);
  std::vector<uint64_t> hashes;
  hash_columns(key, old.size(), &hashes);
  std::vector<state::RowId> found(old.size());
  std::vector<uint32_t> created;
  table_->find_or_insert(key, hashes, found, &created);
  std::vector<state::RowId>& values = values_[merge.to];
  for (const uint32_t i : created) values.push_back(found[i]);
  count_of(merge.joined) += static_cast<int64_t>(created.size());
}

void SessionValues::erase(SessionName session) {
  const auto found = values_.find(session);
  if (found == values_.end()) return;
  for (const state::RowId id : found->second) table_->erase(id);
  values_.erase(found);
}

void SessionValues::restored(OpenSessions& open) {
  values_.clear();
  for_each_of_sessions(*table_, groups_.size(), open, [&](SessionName session, state::RowId row) {
    values_[session].push_back(row);
  });
}

}  // namespace kappa::operators
