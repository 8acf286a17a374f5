#include "operators/row_order.h"

#include <cmath>
#include <string_view>

namespace kappa::operators {
namespace {

template <typename T>
std::weak_ordering order_of(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, double>) {
    const bool a_nan = std::isnan(a);
    const bool b_nan = std::isnan(b);
    if (a_nan || b_nan) return a_nan <=> b_nan;
  }
  if (a < b) return std::weak_ordering::less;
  return b < a ? std::weak_ordering::greater : std::weak_ordering::equivalent;
}

// A value of a batch or of a table's row, to be compared.
struct OfBatch {
  const Column& column;
  size_t row;

  bool is_null() const { return column.is_null(row); }
  template <typename T>
  auto value() const {
    if constexpr (std::is_same_v<T, StringRef>) {
      return column.values<StringRef>()[row].view();
    } else {
      return column.values<T>()[row];
    }
  }
};
struct OfTable {
  const std::byte* image;
  const state::RowField& field;

  bool is_null() const { return state::Table::is_null(image, field); }
  template <typename T>
  auto value() const {
    if constexpr (std::is_same_v<T, StringRef>) {
      return state::Table::get_string(image, field);
    } else {
      return state::Table::get<T>(image, field);
    }
  }
};

std::weak_ordering reversed_if(bool reverse, std::weak_ordering order) {
  return reverse ? 0 <=> order : order;
}

template <typename A, typename B, typename By>
std::weak_ordering compare_values(const A& a, const B& b, const By& by) {
  const bool a_null = a.is_null();
  const bool b_null = b.is_null();
  if (a_null || b_null) return reversed_if(by.nulls_first, a_null <=> b_null);
  const auto order = dispatch_physical(by.field.type.physical(), [&]<typename T>() {
    return order_of(a.template value<T>(), b.template value<T>());
  });
  return reversed_if(by.descending, order);
}

}  // namespace

RowOrder::RowOrder(const std::vector<TopNNode::Order>& order,
                   const std::vector<state::RowField>& field_of_column) {
  for (const TopNNode::Order& by : order) {
    const auto column = static_cast<size_t>(by.column);
    by_.push_back({column, field_of_column[column], by.descending, by.nulls_first});
  }
}

std::weak_ordering RowOrder::compare(const Batch& batch, size_t row,
                                     const std::byte* stored) const {
  for (const By& by : by_) {
    const auto order =
        compare_values(OfBatch{*batch.columns[by.column], row}, OfTable{stored, by.field}, by);
    if (order != 0) return order;
  }
  return std::weak_ordering::equivalent;
}

std::weak_ordering RowOrder::compare(const std::byte* a, const std::byte* b) const {
  for (const By& by : by_) {
    const auto order = compare_values(OfTable{a, by.field}, OfTable{b, by.field}, by);
    if (order != 0) return order;
  }
  return std::weak_ordering::equivalent;
}

}  // namespace kappa::operators
