#include "operators/session_side.h"

#include <algorithm>
#include <memory>

#include "engine/types/hash.h"
#include "operators/table_rows.h"

namespace kappa::operators {
namespace {

ColumnRef share(Column column) {
  return std::make_shared<const Column>(std::move(column));
}

std::vector<uint32_t> input_rows(const SessionRows& rows, const std::vector<uint32_t>& some) {
  std::vector<uint32_t> picked;
  picked.reserve(some.size());
  for (const uint32_t i : some) picked.push_back(rows.rows[i]);
  return picked;
}

}  // namespace

std::vector<uint32_t> rows_seen(const SessionRows& rows, int argument, int filter) {
  const Column& value = *rows.input.columns[static_cast<size_t>(argument)];
  const Column* holds =
      filter >= 0 ? rows.input.columns[static_cast<size_t>(filter)].get() : nullptr;
  std::vector<uint32_t> seen;
  for (uint32_t i = 0; i < rows.rows.size(); ++i) {
    const uint32_t row = rows.rows[i];
    if (value.is_null(row)) continue;
    if (holds && (holds->is_null(row) || holds->values<int8_t>()[row] == 0)) continue;
    seen.push_back(i);
  }
  return seen;
}

std::vector<ColumnRef> session_key(const SessionRows& rows, const std::vector<uint32_t>& some,
                                   const std::vector<int>& groups) {
  const std::vector<uint32_t> picked = input_rows(rows, some);
  std::vector<ColumnRef> key;
  key.reserve(groups.size() + 1);
  for (const int group : groups) {
    key.push_back(share(rows.input.columns[static_cast<size_t>(group)]->gather(picked)));
  }
  Column origins(Type::timestamptz(), some.size());
  for (size_t i = 0; i < some.size(); ++i) {
    origins.values<int64_t>()[i] = rows.names[some[i]].second;
  }
  key.push_back(share(std::move(origins)));
  return key;
}

Column argument_of(const SessionRows& rows, const std::vector<uint32_t>& some, int argument) {
  return rows.input.columns[static_cast<size_t>(argument)]->gather(input_rows(rows, some));
}

std::vector<ColumnRef> key_with_origin(const state::Table& table,
                                       std::span<const state::RowId> rows, size_t groups,
                                       int64_t origin_us, Arena& arena) {
  std::vector<ColumnRef> key = key_columns(table, rows, table.layout().key().size(), arena);
  Column origins(Type::timestamptz(), rows.size());
  std::ranges::fill(origins.values<int64_t>(), origin_us);
  key[groups] = share(std::move(origins));
  return key;
}

void for_each_of_sessions(const state::Table& table, size_t groups, OpenSessions& open,
                          const std::function<void(SessionName, state::RowId)>& f) {
  constexpr size_t kRowsAtOnce = 4096;
  state::RowId id = 0;
  while (id < table.row_ids_end()) {
    std::vector<state::RowId> rows;
    for (; id < table.row_ids_end() && rows.size() < kRowsAtOnce; ++id) {
      if (table.live(id)) rows.push_back(id);
    }
    Arena arena;
    const std::vector<ColumnRef> group = key_columns(table, rows, groups, arena);
    std::vector<uint64_t> hashes;
    hash_columns(group, rows.size(), &hashes);
    std::vector<uint32_t> numbers;
    open.find_groups(group, hashes, &numbers);
    const state::RowField& origin = table.layout().key()[groups];
    for (size_t i = 0; i < rows.size(); ++i) {
      f({numbers[i], state::Table::get<int64_t>(table.row(rows[i]), origin)}, rows[i]);
    }
  }
}

}  // namespace kappa::operators
