#pragma once

#include <cstdint>
#include <optional>

#include "operators/plan.h"
#include "operators/sweep_pace.h"
#include "state/table.h"

namespace kappa::operators {

// When the rows of a table are no longer part of it, and their removal.
class RowExpiry {
 public:
  // `field`: where the table's rows have the expiry's column.
  RowExpiry(const Expiry& expiry, const state::RowField& field)
      : after_us_(expiry.after_us), field_(field) {}

  // The watermark at which the row expires; std::nullopt: never.
  std::optional<int64_t> at(const std::byte* row) const;
  bool has_passed(const std::byte* row, int64_t watermark_us) const {
    const std::optional<int64_t> expires = at(row);
    return expires && *expires <= watermark_us;
  }
  // Removes some of the rows that have expired, going round the table.
  void remove_some(state::Table& table, int64_t watermark_us);

 private:
  int64_t after_us_;
  state::RowField field_;
  state::RowId next_ = 0;
  SweepPace pace_;
};

}  // namespace kappa::operators
