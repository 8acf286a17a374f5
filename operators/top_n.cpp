#include "operators/top_n.h"

#include <algorithm>

#include "engine/types/hash.h"

namespace kappa::operators {
namespace {

state::RowLayout rankings_layout(const Schema& input, const std::vector<int>& key) {
  std::vector<Type> types;
  types.reserve(key.size());
  for (int column : key) types.push_back(input[static_cast<size_t>(column)].type);
  return {types, {Type::bigint()}};
}

}  // namespace

TopN::TopN(const Plan& plan, NodeId node)
    : node_(plan.node(node)),
      op_(std::get<TopNNode>(node_.op)),
      limit_(static_cast<size_t>(op_.limit)),
      bounded_(!plan.node(node_.inputs[0]).changelog),
      rows_(operator_id(plan, node), plan.node(node_.inputs[0]).schema, op_) {
  const Schema& input = plan.node(node_.inputs[0]).schema;
  rankings_of_ = std::make_unique<state::Table>(state::TableId{operator_id(plan, node), 1},
                                                rankings_layout(input, op_.key),
                                                state::TableOptions{.derived = true});
}

// ---- rankings -------------------------------------------------------------------------------

// The ranking of each row, made if there is none.
std::vector<size_t> TopN::find_rankings(std::vector<ColumnRef> key, size_t rows) {
  std::vector<uint64_t> hashes;
  hash_columns(key, rows, &hashes);
  std::vector<state::RowId> ids(rows);
  std::vector<uint32_t> created;
  rankings_of_->find_or_insert(key, hashes, ids, &created);
  const auto index_of = [&](state::RowId id) -> int64_t& {
    return state::Table::get<int64_t>(rankings_of_->row(id), rankings_of_->layout().values()[0]);
  };
  for (const uint32_t row : created) {
    if (spare_.empty()) {
      spare_.push_back(rankings_.size());
      rankings_.emplace_back();
    }
    rankings_[spare_.back()].key = ids[row];
    index_of(ids[row]) = static_cast<int64_t>(spare_.back());
    spare_.pop_back();
  }
  std::vector<size_t> found(rows);
  for (size_t i = 0; i < rows; ++i) found[i] = static_cast<size_t>(index_of(ids[i]));
  return found;
}

void TopN::drop_if_empty(size_t ranking) {
  Ranking& dropped = rankings_[ranking];
  if (dropped.key == state::kNoRow || !dropped.top.empty()) return;
  rankings_of_->erase(dropped.key);
  dropped = {};
  spare_.push_back(ranking);
}

void TopN::restored(int64_t /*watermark_us*/) {
  const state::Table& table = rows_.table();
  std::vector<state::RowId> ids;
  std::vector<const std::byte*> images;
  for (state::RowId id = 0; id < table.row_ids_end(); ++id) {
    if (!table.live(id)) continue;
    ids.push_back(id);
    images.push_back(table.row(id));
  }
  Arena arena;
  std::vector<ColumnRef> key;
  for (size_t k = 0; k < op_.key.size(); ++k) {
    const state::RowField& field = table.layout().key()[k];
    Column column(field.type);
    state::Table::append_all(images, field, column, arena);
    key.push_back(std::make_shared<const Column>(std::move(column)));
  }
  const std::vector<size_t> found = find_rankings(std::move(key), ids.size());
  for (size_t i = 0; i < ids.size(); ++i) rankings_[found[i]].top.push_back(ids[i]);
  for (Ranking& ranking : rankings_) {
    std::sort(ranking.top.begin(), ranking.top.end(), Before{&rows_});
    if (ranking.top.size() <= limit_) continue;
    const auto behind = ranking.top.begin() + static_cast<std::ptrdiff_t>(limit_);
    ranking.rest = std::make_unique<Rest>(behind, ranking.top.end(), Before{&rows_});
    ranking.top.erase(behind, ranking.top.end());
  }
}

// ---- rows -----------------------------------------------------------------------------------

std::vector<uint32_t> TopN::candidates(const Batch& input,
                                       const std::vector<size_t>& rankings) const {
  std::vector<uint32_t> picked;
  for (uint32_t row = 0; row < input.rows; ++row) {
    const std::vector<state::RowId>& top = rankings_[rankings[row]].top;
    // Rows only ever get worse in place.
    const bool hopeless = bounded_ && top.size() == limit_ && !rows_.before(input, row, top.back());
    if (!hopeless) picked.push_back(row);
  }
  return picked;
}

void TopN::process(const Batch& input, const OperatorContext& context, std::vector<Batch>* out) {
  if (input.empty()) return;
  std::vector<ColumnRef> key;
  for (int column : op_.key) key.push_back(input.columns[static_cast<size_t>(column)]);
  const std::vector<size_t> rankings = find_rankings(std::move(key), input.rows);
  const std::vector<uint32_t> picked = candidates(input, rankings);
  if (picked.empty()) return;
  Batch some;
  if (picked.size() < input.rows) some = gather(input, picked);
  const Batch& rows = picked.size() < input.rows ? some : input;

  rows_.look_up(rows);
  RowChanges changes(node_.schema, rows, context.arena);
  for (size_t i = 0; i < rows.rows; ++i) {
    Ranking& ranking = rankings_[rankings[picked[i]]];
    if (rows.signs.empty() || rows.signs[i] > 0) {
      insert(ranking, i, changes);
    } else {
      remove(ranking, i, changes);
    }
  }
  rows_.sweep();
  if (!bounded_) {
    for (const size_t ranking : rankings) drop_if_empty(ranking);
  }
  if (!changes.empty()) out->push_back(changes.finish());
}

void TopN::change(state::RowId before, state::RowId after, size_t at, size_t row,
                  RowChanges& changes) {
  const auto rank = static_cast<int64_t>(at) + 1;
  const auto give = [&](state::RowId id, int8_t sign) {
    if (id == state::kNoRow) return;
    changes.add_stored(rows_.table().row(id), rows_.fields(), row, sign, rank);
  };
  give(before, -1);
  give(after, 1);
}

void TopN::insert(Ranking& ranking, size_t row, RowChanges& changes) {
  auto& top = ranking.top;
  const state::RowId id = rows_.add(row);
  const auto place = std::upper_bound(top.begin(), top.end(), id, Before{&rows_});
  if (place == top.end() && top.size() == limit_) {
    if (bounded_) return rows_.remove(id);
    return put_behind(ranking, id);
  }
  rows_.number(id, place == top.begin() ? std::nullopt : std::optional(*(place - 1)));
  const auto at = static_cast<size_t>(place - top.begin());
  top.insert(place, id);
  state::RowId displaced = state::kNoRow;
  if (top.size() > limit_) {
    displaced = top.back();
    top.pop_back();
  }
  if (op_.ranked) {
    for (size_t i = at; i < top.size(); ++i) {
      change(i + 1 < top.size() ? top[i + 1] : displaced, top[i], i, row, changes);
    }
  } else {
    change(displaced, id, at, row, changes);
  }
  if (displaced == state::kNoRow) return;
  if (bounded_) return rows_.remove(displaced);
  if (!ranking.rest) ranking.rest = std::make_unique<Rest>(Before{&rows_});
  ranking.rest->insert(displaced);
}

void TopN::put_behind(Ranking& ranking, state::RowId id) {
  if (!ranking.rest) ranking.rest = std::make_unique<Rest>(Before{&rows_});
  const auto place = ranking.rest->upper_bound(id);
  rows_.number(id, place == ranking.rest->begin() ? ranking.top.back() : *std::prev(place));
  ranking.rest->insert(place, id);
}

void TopN::remove(Ranking& ranking, size_t row, RowChanges& changes) {
  auto& top = ranking.top;
  const state::RowId id = rows_.last_equal(row);
  if (id == state::kNoRow) return;
  const auto place = std::lower_bound(top.begin(), top.end(), id, Before{&rows_});
  if (place == top.end()) {
    ranking.rest->erase(id);
    return rows_.remove(id);
  }
  const auto at = static_cast<size_t>(place - top.begin());
  top.erase(place);
  state::RowId next = state::kNoRow;
  if (ranking.rest && !ranking.rest->empty()) {
    next = *ranking.rest->begin();
    ranking.rest->erase(ranking.rest->begin());
    top.push_back(next);
  }
  if (op_.ranked) {
    state::RowId before = id;
    for (size_t i = at; i < top.size(); ++i) {
      change(before, top[i], i, row, changes);
      before = top[i];
    }
    if (next == state::kNoRow) change(before, state::kNoRow, top.size(), row, changes);
  } else {
    change(id, next, at, row, changes);
  }
  rows_.remove(id);
}

}  // namespace kappa::operators
