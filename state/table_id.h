#pragma once

#include <compare>
#include <cstdint>

namespace kappa::state {

// Which table a row belongs to, in storage. Operator ids derive from plan fingerprints, so equal
// logic finds equal state; `part` tells the tables of one operator apart.
struct TableId {
  uint64_t operator_id = 0;
  uint8_t part = 0;
  auto operator<=>(const TableId&) const = default;
};

}  // namespace kappa::state
