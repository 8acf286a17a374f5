#include "operators/group_side.h"

namespace kappa::operators {

std::vector<uint32_t> rows_seen(const Batch& input, int argument, int filter) {
  const Column& value = *input.columns[static_cast<size_t>(argument)];
  const Column* holds = filter >= 0 ? input.columns[static_cast<size_t>(filter)].get() : nullptr;
  std::vector<uint32_t> seen;
  seen.reserve(input.rows);
  for (uint32_t i = 0; i < input.rows; ++i) {
    if (value.is_null(i)) continue;
    if (holds && (holds->is_null(i) || holds->values<int8_t>()[i] == 0)) continue;
    seen.push_back(i);
  }
  return seen;
}

std::vector<ColumnRef> gather_columns(std::span<const ColumnRef> columns,
                                      const std::vector<uint32_t>& picked) {
  std::vector<ColumnRef> gathered;
  gathered.reserve(columns.size());
  for (const ColumnRef& column : columns) {
    gathered.push_back(std::make_shared<const Column>(column->gather(picked)));
  }
  return gathered;
}

}  // namespace kappa::operators
