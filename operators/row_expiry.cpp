#include "operators/row_expiry.h"

#include <algorithm>

#include "engine/types/time.h"

namespace kappa::operators {

std::optional<int64_t> RowExpiry::at(const std::byte* row) const {
  if (state::Table::is_null(row, field_)) return std::nullopt;
  return saturating_add(state::Table::get<int64_t>(row, field_), after_us_);
}

void RowExpiry::remove_some(state::Table& table, int64_t watermark_us) {
  const state::RowId end = table.row_ids_end();
  for (size_t n = std::min<size_t>(pace_.rows_to_look_at(table.rows()), end); n > 0; --n) {
    if (next_ >= end) next_ = 0;
    const state::RowId id = next_++;
    const state::Table& rows = table;
    if (rows.live(id) && has_passed(rows.row(id), watermark_us)) table.erase(id);
  }
  pace_.swept(table.rows());
}

}  // namespace kappa::operators
