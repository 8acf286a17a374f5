#include "operators/picked_value.h"

#include <cstring>
#include <string_view>
#include <type_traits>

namespace kappa::operators {
namespace {

using state::Table;

void store(const Column& column, size_t i, state::RowId id, const state::RowField& field,
           Table& table) {
  std::byte* row = table.row(id);
  dispatch_physical(field.type.physical(), [&]<typename T>() {
    if constexpr (std::is_same_v<T, StringRef>) {
      table.set_string(id, field, column.values<T>()[i].view());
    } else {
      std::memcpy(row + field.offset, &column.values<T>()[i], sizeof(T));
    }
  });
  Table::set_null(row, field, column.is_null(i));
}

template <typename T>
auto value_in(const std::byte* row, const state::RowField& field) {
  if constexpr (std::is_same_v<T, StringRef>) {
    return Table::get_string(row, field);
  } else {
    return Table::get<T>(row, field);
  }
}

template <typename T>
auto value_in(std::span<const T> values, size_t i) {
  if constexpr (std::is_same_v<T, StringRef>) {
    return values[i].view();
  } else {
    return values[i];
  }
}

}  // namespace

void pick_values(const PickedValue& picked, const Batch& input, const AccumulatorRows& rows) {
  const Column& by = *input.columns[static_cast<size_t>(picked.by)];
  const Column& value = *input.columns[static_cast<size_t>(picked.value)];
  dispatch_physical(by.type().physical(), [&]<typename T>() {
    const auto values = by.values<T>();
    const auto takes_over = [&](const std::byte* row, size_t i) {
      if (Table::is_null(row, picked.by_field)) return true;
      const auto ours = value_in<T>(values, i);
      const auto best = value_in<T>(row, picked.by_field);
      if (picked.last_of_equals) {
        return picked.greatest ? !comes_before(ours, best) : !comes_before(best, ours);
      }
      return picked.greatest ? comes_before(best, ours) : comes_before(ours, best);
    };
    rows.for_each(input, picked.by, picked.filter, [&](std::byte* row, size_t i, int) {
      if (!takes_over(row, i)) return;
      store(by, i, rows.id(i), picked.by_field, rows.table);
      store(value, i, rows.id(i), picked.value_field, rows.table);
      if (!picked.number_field) return;
      Table::get<int64_t>(row, *picked.number_field) = rows.number(i);
      Table::set_null(row, *picked.number_field, false);
    });
  });
}

}  // namespace kappa::operators
