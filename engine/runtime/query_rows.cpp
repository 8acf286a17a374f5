#include "engine/runtime/query_rows.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <type_traits>

#include "engine/types/invariant.h"

namespace kappa::runtime {
namespace {

template <typename T>
int compare(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, StringRef>) {
    return a.view().compare(b.view());
  } else if constexpr (std::is_same_v<T, double>) {
    // NaN is equal to itself and above everything else, as in PostgreSQL.
    if (std::isnan(a) || std::isnan(b)) return static_cast<int>(std::isnan(a)) - std::isnan(b);
    return a < b ? -1 : static_cast<int>(b < a);
  } else {
    return a < b ? -1 : static_cast<int>(b < a);
  }
}

// Compares two non-null values of a column.
using Comparison = int (*)(const Column& column, uint32_t a, uint32_t b);

Comparison comparison_of(PhysicalType physical) {
  return dispatch_physical(physical, []<typename T>() -> Comparison {
    return [](const Column& column, uint32_t a, uint32_t b) {
      const auto values = column.values<T>();
      return compare(values[a], values[b]);
    };
  });
}

// Decides which of two rows comes first.
class RowOrder {
 public:
  RowOrder(const std::vector<Column>& columns, const std::vector<sql::SortKey>& keys) {
    for (const sql::SortKey& key : keys) {
      const Column& column = columns[static_cast<size_t>(key.column)];
      terms_.push_back(
          {column, comparison_of(column.type().physical()), key.descending, key.nulls_first});
    }
  }

  bool operator()(uint32_t a, uint32_t b) const {
    for (const Term& term : terms_) {
      const int order = term.compare(a, b);
      if (order != 0) return order < 0;
    }
    return a < b;
  }

 private:
  struct Term {
    const Column& column;
    Comparison values;
    bool descending;
    bool nulls_first;

    int compare(uint32_t a, uint32_t b) const {
      const bool null_a = column.is_null(a);
      const bool null_b = column.is_null(b);
      if (null_a || null_b) {
        if (null_a == null_b) return 0;
        return null_a == nulls_first ? -1 : 1;
      }
      const int order = values(column, a, b);
      return descending ? -order : order;
    }
  };

  std::vector<Term> terms_;
};

}  // namespace

bool same_value(const Column& a, size_t row_a, const Column& b, size_t row_b) {
  const bool null_a = a.is_null(row_a);
  if (null_a || b.is_null(row_b)) return null_a == b.is_null(row_b);
  return dispatch_physical(a.type().physical(), [&]<typename T>() {
    return compare(a.values<T>()[row_a], b.values<T>()[row_b]) == 0;
  });
}

QueryRows::QueryRows(const operators::Schema& schema) {
  for (const operators::Field& field : schema) columns_.emplace_back(field.type);
}

void QueryRows::own_strings(Column& column, size_t from) {
  if (column.type().physical() != PhysicalType::kString) return;
  for (StringRef& text : column.values<StringRef>().subspan(from)) {
    text = text.size == 0 ? StringRef{} : arena_.copy(text.view());
  }
}

void QueryRows::append(const Batch& batch) {
  KAPPA_INVARIANT(batch.columns.size() == columns_.size(), "rows of another schema");
  for (size_t c = 0; c < columns_.size(); ++c) {
    columns_[c].append(*batch.columns[c]);
    own_strings(columns_[c], rows_);
  }
  rows_ += batch.rows;
}

void QueryRows::append(const Batch& batch, const std::vector<uint32_t>& picked) {
  append(picked.size() == batch.rows ? batch : gather(batch, picked));
}

size_t QueryRows::bytes() const {
  size_t bytes = arena_.bytes_reserved();
  for (const Column& column : columns_) {
    bytes += rows_ * width_of(column.type().physical()) + column.nulls().size();
  }
  return bytes;
}

std::vector<uint32_t> QueryRows::order(const std::vector<sql::SortKey>& keys,
                                       size_t rows_max) const {
  std::vector<uint32_t> rows(rows_);
  std::iota(rows.begin(), rows.end(), 0);
  const RowOrder before(columns_, keys);
  if (rows_max < rows.size()) {
    const auto end = rows.begin() + static_cast<std::ptrdiff_t>(rows_max);
    std::partial_sort(rows.begin(), end, rows.end(), before);
    rows.erase(end, rows.end());
  } else {
    std::sort(rows.begin(), rows.end(), before);
  }
  return rows;
}

void QueryRows::keep(const std::vector<uint32_t>& picked) {
  const Arena old = std::move(arena_);  // holds the strings until they are copied
  arena_ = Arena();
  for (Column& column : columns_) {
    column = column.gather(picked);
    own_strings(column, 0);
  }
  rows_ = picked.size();
}

Batch QueryRows::take_rows() {
  Batch batch;
  batch.rows = rows_;
  for (Column& column : columns_) {
    const Type type = column.type();
    batch.columns.push_back(std::make_shared<const Column>(std::move(column)));
    column = Column(type);
  }
  rows_ = 0;
  return batch;
}

void RowIndex::add(uint64_t hash) {
  hashes_.push_back(hash);
  next_.push_back(kNone);
  if (hashes_.size() * 2 > heads_.size()) return rehash();
  uint32_t& head = heads_[hash & (heads_.size() - 1)];
  next_.back() = head;
  head = static_cast<uint32_t>(hashes_.size() - 1);
}

void RowIndex::rehash() {
  heads_.assign(std::max<size_t>(1024, heads_.size() * 2), kNone);
  for (uint32_t row = 0; row < hashes_.size(); ++row) {
    uint32_t& head = heads_[hashes_[row] & (heads_.size() - 1)];
    next_[row] = head;
    head = row;
  }
}

uint32_t RowIndex::first(uint64_t hash) const {
  if (heads_.empty()) return kNone;
  return skip_others(heads_[hash & (heads_.size() - 1)], hash);
}

uint32_t RowIndex::skip_others(uint32_t row, uint64_t hash) const {
  while (row != kNone && hashes_[row] != hash) row = next_[row];
  return row;
}

size_t RowIndex::bytes() const {
  return hashes_.size() * (sizeof(uint64_t) + sizeof(uint32_t)) + heads_.size() * sizeof(uint32_t);
}

}  // namespace kappa::runtime
