#include "engine/runtime/exchange.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <tuple>

#include "engine/types/hash.h"

namespace kappa::runtime {
namespace {

// Rows of several batches, laid end to end: which row comes where.
class MergedOrder {
 public:
  MergedOrder(const std::vector<const Batch*>& batches, const std::vector<uint32_t>& first_row) {
    for (size_t b = 0; b < batches.size(); ++b) heads_.push_back({batches[b], 0, first_row[b]});
  }

  // Batches that have no places in common with others follow each other; only those that overlap
  // are compared row by row. (Chunks of one run of places do, those of others do not.)
  std::vector<uint32_t> find() {
    std::stable_sort(heads_.begin(), heads_.end(), [](const Head& a, const Head& b) {
      return a.batch->places.front() < b.batch->places.front();
    });
    for (auto begin = heads_.begin(); begin != heads_.end();) {
      RowPlace last = begin->batch->places.back();
      auto end = begin + 1;
      while (end != heads_.end() && end->batch->places.front() <= last) {
        last = std::max(last, end->batch->places.back());
        ++end;
      }
      // What is equal comes in the order in which the batches were given.
      std::sort(begin, end, [](const Head& a, const Head& b) { return a.first_row < b.first_row; });
      merge({begin, end});
      begin = end;
    }
    return std::move(order_);
  }

 private:
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

  void merge(std::vector<Head> heads) {
    while (!heads.empty()) {
      auto best = heads.begin();
      for (auto head = heads.begin() + 1; head != heads.end(); ++head) {
        if (head->before(*best)) best = head;
      }
      order_.push_back(best->first_row + static_cast<uint32_t>(best->row));
      if (++best->row == best->batch->rows) heads.erase(best);
    }
  }

  std::vector<Head> heads_;
  std::vector<uint32_t> order_;
};

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
  const std::vector<uint32_t> order = MergedOrder(filled, first_row).find();
  return std::is_sorted(order.begin(), order.end()) ? std::move(all) : gather(all, order);
}

namespace {

// Big-endian: ascending bytes are ascending numbers.
template <typename T>
void put_big_endian(T number, char* to) {
  for (size_t i = 0; i < sizeof(T); ++i) {
    to[i] = static_cast<char>(number >> (8 * (sizeof(T) - 1 - i)));
  }
}

StringRef longer(const StringRef& left, const StringRef& right, Arena& arena) {
  char* const bytes = arena.allocate(left.size + right.size);
  if (left.size > 0) std::memcpy(bytes, left.data, left.size);
  if (right.size > 0) std::memcpy(bytes + left.size, right.data, right.size);
  return {bytes, left.size + right.size};
}

StringRef tie_of(const Batch& batch, size_t row) {
  return batch.ties.empty() ? StringRef{} : batch.ties[row];
}

// The tie of a timer's row: what the timer gave it, the marks of the unions above, what tells apart
// the rows that came of it before them, and how long the last two are.
struct TimerTie {
  std::string_view own;
  std::string_view added;

  explicit TimerTie(std::string_view tie) {
    if (tie.size() < sizeof(uint16_t)) return;
    const std::string_view count = tie.substr(tie.size() - sizeof(uint16_t));
    const size_t bytes = static_cast<uint8_t>(count[0]) << 8 | static_cast<uint8_t>(count[1]);
    own = tie.substr(0, tie.size() - count.size() - bytes);
    added = tie.substr(own.size(), bytes);
  }

  StringRef with(std::string_view first, std::string_view second, Arena& arena) const {
    char count[sizeof(uint16_t)];
    put_big_endian(static_cast<uint16_t>(first.size() + second.size()), count);
    std::string tie(own);
    tie.append(first).append(second).append(count, sizeof(count));
    return arena.copy(tie);
  }
};

// The number is behind all that tells rows apart already.
StringRef with_number(bool timer, const StringRef& tie, const StringRef& number, Arena& arena) {
  if (!timer) return longer(tie, number, arena);
  const TimerTie parts(tie.view());
  return parts.with(parts.added, number.view(), arena);
}

// The branch decides before all that told rows apart within it.
StringRef with_mark(bool timer, const StringRef& tie, const StringRef& mark, Arena& arena) {
  if (!timer) return longer(mark, tie, arena);
  const TimerTie parts(tie.view());
  return parts.with(mark.view(), parts.added, arena);
}

// Numbers rows that have place and tie in common, in their ties. True if there are any.
bool number_rows(const Batch& batch, std::vector<StringRef>* ties, Arena& arena) {
  const auto same = [&](size_t a, size_t b) {
    return batch.places[a] == batch.places[b] && tie_of(batch, a).view() == tie_of(batch, b).view();
  };
  bool numbered = false;
  for (size_t begin = 0; begin < batch.rows;) {
    size_t end = begin + 1;
    while (end < batch.rows && same(begin, end)) ++end;
    if (end - begin > 1) {
      if (!numbered) *ties = batch.ties;
      numbered = true;
      ties->resize(batch.rows);
      for (size_t row = begin; row < end; ++row) {
        char number[4];
        put_big_endian(static_cast<uint32_t>(row - begin), number);
        (*ties)[row] = with_number(batch.places[row].is_timer(), (*ties)[row],
                                   {number, sizeof(number)}, arena);
      }
    }
    begin = end;
  }
  return numbered;
}

void split_by_key(const Batch& batch, const std::vector<int>& key,
                  std::vector<std::vector<Batch>>* parts) {
  const auto workers = static_cast<uint32_t>(parts->size());
  std::vector<ColumnRef> columns;
  columns.reserve(key.size());
  for (int column : key) columns.push_back(batch.columns[static_cast<size_t>(column)]);
  std::vector<uint64_t> hashes;
  hash_columns(columns, batch.rows, &hashes);
  if (workers == 1) {
    (*parts)[0].emplace_back(batch).key_hashes = std::move(hashes);
    return;
  }
  // Written without a question asked: which worker is next cannot be foretold.
  std::vector<std::vector<uint32_t>> picked(workers, std::vector<uint32_t>(batch.rows));
  std::vector<uint32_t*> next(workers);
  for (uint32_t w = 0; w < workers; ++w) next[w] = picked[w].data();
  for (uint32_t i = 0; i < batch.rows; ++i) {
    *next[worker_of(key_group_of(hashes[i]), workers)]++ = i;
  }
  for (uint32_t w = 0; w < workers; ++w) {
    picked[w].resize(static_cast<size_t>(next[w] - picked[w].data()));
    if (picked[w].empty()) continue;
    Batch& part = (*parts)[w].emplace_back(gather(batch, picked[w]));
    part.key_hashes.resize(part.rows);
    for (size_t i = 0; i < part.rows; ++i) part.key_hashes[i] = hashes[picked[w][i]];
  }
}

}  // namespace

void deal_out(const std::vector<Batch>& batches, const std::vector<int>& key, bool any_order,
              Arena& arena, std::vector<std::vector<Batch>>* parts) {
  if (any_order) {
    for (const Batch& batch : batches) split_by_key(batch, key, parts);
    return;
  }
  std::vector<const Batch*> all;
  all.reserve(batches.size());
  for (const Batch& batch : batches) all.push_back(&batch);
  Batch merged;
  if (all.size() > 1) merged = merge_batches(all);
  const Batch* batch = all.size() == 1 ? all.front() : &merged;
  std::vector<StringRef> ties;
  if (number_rows(*batch, &ties, arena)) {
    if (batch != &merged) merged = *batch;
    merged.ties = std::move(ties);
    batch = &merged;
  }
  if (!batch->empty()) split_by_key(*batch, key, parts);
}

Batch mark_branch(const Batch& batch, uint16_t branch, Arena& arena) {
  char number[2];
  put_big_endian(branch, number);
  const StringRef mark{number, sizeof(number)};
  Batch marked = batch;
  marked.ties.resize(batch.rows);
  for (size_t row = 0; row < batch.rows; ++row) {
    // A timer's tie says by itself where it belongs; what comes of one row comes branch by branch.
    marked.ties[row] = with_mark(batch.places[row].is_timer(), marked.ties[row], mark, arena);
  }
  return marked;
}

}  // namespace kappa::runtime
