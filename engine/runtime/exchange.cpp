#include "engine/runtime/exchange.h"

#include <algorithm>
#include <tuple>

#include "engine/types/hash.h"

namespace kappa::runtime {
namespace {

// Rows of several batches, laid end to end: which row comes where.
std::vector<uint32_t> merged_order(const std::vector<const Batch*>& batches,
                                   const std::vector<uint32_t>& first_row) {
  struct Head {
    const Batch* batch;
    size_t row;
    uint32_t first_row;

    StringRef tie() const { return batch->ties.empty() ? StringRef{} : batch->ties[row]; }
    bool before(const Head& other) const {
      const RowPlace mine = batch->places[row];
      const RowPlace theirs = other.batch->places[other.row];
      if (mine != theirs) return mine < theirs;
      return tie().view() < other.tie().view();
    }
  };
  std::vector<Head> heads;
  size_t rows = 0;
  for (size_t b = 0; b < batches.size(); ++b) {
    heads.push_back({batches[b], 0, first_row[b]});
    rows += batches[b]->rows;
  }
  std::vector<uint32_t> order;
  order.reserve(rows);
  while (!heads.empty()) {
    auto best = heads.begin();
    for (auto head = heads.begin() + 1; head != heads.end(); ++head) {
      if (head->before(*best)) best = head;
    }
    order.push_back(best->first_row + static_cast<uint32_t>(best->row));
    if (++best->row == best->batch->rows) heads.erase(best);
  }
  return order;
}

Batch concatenate(const std::vector<const Batch*>& batches, std::vector<uint32_t>* first_row) {
  Batch all;
  const bool signs =
      std::any_of(batches.begin(), batches.end(), [](const Batch* b) { return !b->signs.empty(); });
  const bool ties =
      std::any_of(batches.begin(), batches.end(), [](const Batch* b) { return !b->ties.empty(); });
  std::vector<Column> columns;
  for (const ColumnRef& column : batches.front()->columns) {
    columns.emplace_back(column->type());
  }
  for (const Batch* each : batches) {
    const Batch& batch = *each;
    first_row->push_back(static_cast<uint32_t>(all.rows));
    for (size_t c = 0; c < columns.size(); ++c) columns[c].append(*batch.columns[c]);
    all.places.insert(all.places.end(), batch.places.begin(), batch.places.end());
    all.rows += batch.rows;
    if (signs) {
      all.signs.insert(all.signs.end(), batch.signs.begin(), batch.signs.end());
      all.signs.resize(all.rows, 1);
    }
    if (ties) {
      all.ties.insert(all.ties.end(), batch.ties.begin(), batch.ties.end());
      all.ties.resize(all.rows);
    }
  }
  for (Column& column : columns) {
    all.columns.push_back(std::make_shared<const Column>(std::move(column)));
  }
  return all;
}

// Whether each batch ends before the next begins, as chunks of an epoch do.
bool follow_each_other(const std::vector<const Batch*>& batches) {
  for (size_t b = 1; b < batches.size(); ++b) {
    if (batches[b - 1]->places.back() >= batches[b]->places.front()) return false;
  }
  return true;
}

}  // namespace

Batch merge_batches(const std::vector<const Batch*>& batches) {
  std::vector<const Batch*> filled;
  for (const Batch* batch : batches) {
    if (!batch->empty()) filled.push_back(batch);
  }
  if (filled.empty()) return {};
  if (filled.size() == 1) return *filled.front();
  std::vector<uint32_t> first_row;
  Batch all = concatenate(filled, &first_row);
  if (follow_each_other(filled)) return all;
  return gather(all, merged_order(filled, first_row));
}

void split_by_key(const Batch& batch, const std::vector<int>& key,
                  std::vector<std::vector<Batch>>* parts) {
  const auto workers = static_cast<uint32_t>(parts->size());
  std::vector<ColumnRef> columns;
  for (int column : key) columns.push_back(batch.columns[static_cast<size_t>(column)]);
  std::vector<uint64_t> hashes;
  hash_columns(columns, batch.rows, &hashes);
  std::vector<std::vector<uint32_t>> picked(workers);
  for (auto& rows : picked) rows.reserve(batch.rows);
  for (uint32_t i = 0; i < batch.rows; ++i) {
    picked[worker_of(key_group_of(hashes[i]), workers)].push_back(i);
  }
  for (uint32_t w = 0; w < workers; ++w) {
    if (picked[w].empty()) continue;
    Batch& part = (*parts)[w].emplace_back(gather(batch, picked[w]));
    part.key_hashes.reserve(part.rows);
    for (uint32_t row : picked[w]) part.key_hashes.push_back(hashes[row]);
  }
}

}  // namespace kappa::runtime
