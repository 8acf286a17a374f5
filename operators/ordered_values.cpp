#include "operators/ordered_values.h"

#include <type_traits>

#include "engine/types/string_ref.h"
#include "operators/accumulator_rows.h"

namespace kappa::operators {

using state::Table;

bool OrderedValues::Less::operator()(const Entry& a, const Entry& b) const {
  if (a.group != b.group) return a.group < b.group;
  const std::byte* left = table->row(a.value);
  const std::byte* right = table->row(b.value);
  return dispatch_physical(field.type.physical(), [&]<typename T>() {
    if constexpr (std::is_same_v<T, StringRef>) {
      return Table::get_string(left, field) < Table::get_string(right, field);
    } else {
      return comes_before(Table::get<T>(left, field), Table::get<T>(right, field));
    }
  });
}

bool OrderedValues::Less::operator()(const Entry& a, const Bound& b) const {
  if (a.group != b.group) return a.group < b.group;
  return Table::get<int32_t>(table->row(a.value), field) < b.bucket;
}

}  // namespace kappa::operators
