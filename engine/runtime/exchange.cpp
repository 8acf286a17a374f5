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

// Rows [0, hashes.size()) by their worker, ascending: the first worker's and the second's. Which is
// next cannot be foretold, so no question is asked, and both ends stay in registers: one that was
// just written to memory is not there yet for the next row.
std::pair<size_t, size_t> pick_for_two(std::span<const uint64_t> hashes, uint32_t* first,
                                       uint32_t* second) {
  const uint32_t* const first_begin = first;
  const uint32_t* const second_begin = second;
  for (uint32_t i = 0; i < hashes.size(); ++i) {
    const uint32_t worker = worker_of(key_group_of(hashes[i]), 2);
    *first = i;
    *second = i;
    first += 1 - worker;
    second += worker;
  }
  return {first - first_begin, second - second_begin};
}

}  // namespace

// ---- what was sent --------------------------------------------------------------------------

size_t SentRows::add_batch() {
  if (used_ == batches_.size()) {
    batches_.emplace_back();
    columns_.emplace_back();
  }
  Batch& batch = batches_[used_];
  batch.rows = 0;
  batch.columns.clear();
  batch.places.clear();
  batch.signs.clear();
  batch.ties.clear();
  batch.key_hashes.clear();
  return used_++;
}

// Empty columns like those of another batch: the ones that were there before, unless somebody has
// kept them.
void SentRows::add_columns(size_t index, const Batch& like) {
  auto& columns = columns_[index];
  columns.resize(like.columns.size());
  for (size_t c = 0; c < columns.size(); ++c) {
    const Type& type = like.columns[c]->type();
    if (columns[c] && columns[c].use_count() == 1 && columns[c]->type() == type) {
      columns[c]->resize(0);
    } else {
      columns[c] = std::make_shared<Column>(type);
    }
    batches_[index].columns.push_back(columns[c]);
  }
}

void SentRows::share(const Batch& batch, std::span<const uint64_t> key_hashes) {
  const size_t index = add_batch();
  columns_[index].clear();
  batches_[index] = batch;
  batches_[index].key_hashes.assign(key_hashes.begin(), key_hashes.end());
}

namespace {

// As append_picked(), where no values mean that each is `none`.
template <typename T>
void append_picked_or(const T& none, const std::vector<T>& values, size_t rows_before,
                      std::span<const uint32_t> picked, std::vector<T>* to) {
  if (values.empty() && to->empty()) return;
  to->resize(rows_before, none);
  if (values.empty()) {
    to->resize(rows_before + picked.size(), none);
  } else {
    append_picked(values, picked, to);
  }
}

}  // namespace

void SentRows::append(const Batch& batch, std::span<const uint64_t> key_hashes,
                      std::span<const uint32_t> picked, bool any_order) {
  if (picked.empty()) return;
  const bool goes_on =
      used_ > 0 && (any_order || batches_[used_ - 1].places.back() < batch.places[picked.front()]);
  if (!goes_on) add_columns(add_batch(), batch);
  Batch& to = batches_[used_ - 1];
  const auto& columns = columns_[used_ - 1];
  for (size_t c = 0; c < columns.size(); ++c) columns[c]->append(*batch.columns[c], picked);
  append_picked(batch.places, picked, &to.places);
  append_picked_or(int8_t{1}, batch.signs, to.rows, picked, &to.signs);
  append_picked_or(StringRef{}, batch.ties, to.rows, picked, &to.ties);
  to.key_hashes.resize(to.rows + picked.size());
  uint64_t* const hashes = to.key_hashes.data() + to.rows;
  for (size_t i = 0; i < picked.size(); ++i) hashes[i] = key_hashes[picked[i]];
  to.rows += picked.size();
}

// ---- dealing out ----------------------------------------------------------------------------

// Which rows, by their hashes, are whose.
void Dealer::pick(uint32_t workers) {
  picked_.resize(workers);
  for (auto& picked : picked_) picked.resize(hashes_.size());
  if (workers == 2) {
    const auto [first, second] = pick_for_two(hashes_, picked_[0].data(), picked_[1].data());
    picked_[0].resize(first);
    picked_[1].resize(second);
    return;
  }
  std::vector<uint32_t*> next(workers);
  for (uint32_t w = 0; w < workers; ++w) next[w] = picked_[w].data();
  for (uint32_t i = 0; i < hashes_.size(); ++i) {
    *next[worker_of(key_group_of(hashes_[i]), workers)]++ = i;
  }
  for (uint32_t w = 0; w < workers; ++w) {
    picked_[w].resize(static_cast<size_t>(next[w] - picked_[w].data()));
  }
}

void Dealer::split_by_key(const Batch& batch, const std::vector<int>& key, bool any_order,
                          std::vector<SentRows>* sent) {
  key_columns_.clear();
  for (int column : key) key_columns_.push_back(batch.columns[static_cast<size_t>(column)]);
  hash_columns(key_columns_, batch.rows, &hashes_);
  key_columns_.clear();
  if (sent->size() == 1) return sent->front().share(batch, hashes_);
  pick(static_cast<uint32_t>(sent->size()));
  for (size_t w = 0; w < sent->size(); ++w) {
    (*sent)[w].append(batch, hashes_, picked_[w], any_order);
  }
}

void Dealer::deal_out(const std::vector<Batch>& batches, const std::vector<int>& key,
                      bool any_order, Arena& arena, std::vector<SentRows>* sent) {
  if (any_order) {
    for (const Batch& batch : batches) split_by_key(batch, key, any_order, sent);
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
  if (!batch->empty()) split_by_key(*batch, key, any_order, sent);
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
