#include "operators/session_values.h"

#include <algorithm>

#include "engine/types/hash.h"

namespace kappa::operators {
namespace {

ColumnRef column_of(const state::RowField& field, std::span<const std::byte* const> rows,
                    Arena& arena) {
  Column column(field.type);
  state::Table::append_all(rows, field, column, arena);
  return std::make_shared<const Column>(std::move(column));
}

ColumnRef origin_column(std::span<const SessionName> sessions) {
  Column origins(Type::timestamptz(), sessions.size());
  for (size_t i = 0; i < sessions.size(); ++i) origins.values<int64_t>()[i] = sessions[i].second;
  return std::make_shared<const Column>(std::move(origins));
}

}  // namespace

SessionValues::SessionValues(const AggregateNode& op, const Schema& input, uint64_t operator_id)
    : groups_(op.groups) {
  for (size_t c = 0; c < op.calls.size(); ++c) {
    const AggregateCall& call = op.calls[c];
    const bool known = std::any_of(calls_.begin(), calls_.end(), [&](const Call& other) {
      return other.argument == call.argument && other.filter == call.filter;
    });
    if (call.kind != AggregateKind::kCountDistinct || known) continue;  // they share their count
    std::vector<Type> key;
    for (const int group : op.groups) key.push_back(input[static_cast<size_t>(group)].type);
    key.push_back(Type::timestamptz());
    key.push_back(input[static_cast<size_t>(call.argument)].type);
    const state::TableId id{operator_id, static_cast<uint8_t>(1 + c)};
    calls_.push_back({c, call.argument, call.filter,
                      std::make_unique<state::Table>(id, state::RowLayout(key, {}))});
  }
}

std::vector<state::Table*> SessionValues::tables() const {
  std::vector<state::Table*> tables;
  for (const Call& call : calls_) tables.push_back(call.table.get());
  return tables;
}

SessionValues::Lists& SessionValues::lists(SessionName session) {
  Lists& lists = sessions_[session];
  lists.resize(calls_.size());
  return lists;
}

// Which of the rows have a value that counts.
std::vector<uint32_t> SessionValues::seen(const Call& call, const Batch& input,
                                          std::span<const uint32_t> rows) const {
  const Column& value = *input.columns[static_cast<size_t>(call.argument)];
  const Column* filter =
      call.filter >= 0 ? input.columns[static_cast<size_t>(call.filter)].get() : nullptr;
  std::vector<uint32_t> seen;
  for (uint32_t i = 0; i < rows.size(); ++i) {
    if (value.is_null(rows[i])) continue;
    if (filter && (filter->is_null(rows[i]) || filter->values<int8_t>()[rows[i]] == 0)) continue;
    seen.push_back(i);
  }
  return seen;
}

void SessionValues::add(const Batch& input, std::span<const uint32_t> rows,
                        std::span<const SessionName> sessions, const Counted& counted) {
  for (size_t c = 0; c < calls_.size(); ++c) {
    const std::vector<uint32_t> seen = this->seen(calls_[c], input, rows);
    if (seen.empty()) continue;
    std::vector<uint32_t> picked;
    std::vector<SessionName> names;
    for (const uint32_t i : seen) {
      picked.push_back(rows[i]);
      names.push_back(sessions[i]);
    }
    std::vector<ColumnRef> key;
    const auto pick = [&](int column) {
      key.push_back(std::make_shared<const Column>(
          input.columns[static_cast<size_t>(column)]->gather(picked)));
    };
    for (const int group : groups_) pick(group);
    key.push_back(origin_column(names));
    pick(calls_[c].argument);
    std::vector<uint64_t> hashes;
    hash_columns(key, picked.size(), &hashes);
    std::vector<state::RowId> found(picked.size());
    std::vector<uint32_t> created;
    calls_[c].table->find_or_insert(key, hashes, found, &created);
    for (const uint32_t i : created) {
      lists(names[i])[c].push_back(found[i]);
      counted(calls_[c].call, seen[i], 1);
    }
  }
}

size_t SessionValues::values(SessionName session) const {
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) return 0;
  size_t values = 0;
  for (const auto& list : found->second) values += list.size();
  return values;
}

void SessionValues::move(SessionName from, SessionName to, const Counted& counted) {
  const auto moved = sessions_.find(from);
  if (moved == sessions_.end()) return;
  const Lists old = std::move(moved->second);
  sessions_.erase(moved);
  Lists& lists = this->lists(to);
  for (size_t c = 0; c < calls_.size(); ++c) {
    if (old[c].empty()) continue;
    state::Table& table = *calls_[c].table;
    std::vector<const std::byte*> rows;
    for (const state::RowId id : old[c]) rows.push_back(table.row(id));
    Arena arena;
    const std::vector<SessionName> names(rows.size(), to);
    std::vector<ColumnRef> key;
    for (const state::RowField& field : table.layout().key()) {
      key.push_back(column_of(field, rows, arena));
    }
    key[groups_.size()] = origin_column(names);
    for (const state::RowId id : old[c]) table.erase(id);
    std::vector<uint64_t> hashes;
    hash_columns(key, rows.size(), &hashes);
    std::vector<state::RowId> found(rows.size());
    std::vector<uint32_t> created;
    table.find_or_insert(key, hashes, found, &created);
    for (const uint32_t i : created) lists[c].push_back(found[i]);
    const auto both = static_cast<int64_t>(rows.size() - created.size());
    if (both > 0) counted(calls_[c].call, 0, -both);
  }
}

void SessionValues::erase(SessionName session) {
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) return;
  for (size_t c = 0; c < calls_.size(); ++c) {
    for (const state::RowId id : found->second[c]) calls_[c].table->erase(id);
  }
  sessions_.erase(found);
}

void SessionValues::restored(OpenSessions& open) {
  constexpr size_t kRowsAtOnce = 4096;
  sessions_.clear();
  for (size_t c = 0; c < calls_.size(); ++c) {
    const state::Table& table = *calls_[c].table;
    const auto& key = table.layout().key();
    state::RowId id = 0;
    while (id < table.row_ids_end()) {
      std::vector<state::RowId> ids;
      std::vector<const std::byte*> rows;
      for (; id < table.row_ids_end() && ids.size() < kRowsAtOnce; ++id) {
        if (!table.live(id)) continue;
        ids.push_back(id);
        rows.push_back(table.row(id));
      }
      Arena arena;
      std::vector<ColumnRef> group;
      for (size_t g = 0; g < groups_.size(); ++g) group.push_back(column_of(key[g], rows, arena));
      std::vector<uint64_t> hashes;
      hash_columns(group, rows.size(), &hashes);
      std::vector<uint32_t> numbers;
      open.find_groups(group, hashes, &numbers);
      for (size_t i = 0; i < rows.size(); ++i) {
        const int64_t origin = state::Table::get<int64_t>(rows[i], key[groups_.size()]);
        lists({numbers[i], origin})[c].push_back(ids[i]);
      }
    }
  }
}

}  // namespace kappa::operators
