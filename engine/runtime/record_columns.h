#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/runtime/epoch.h"
#include "engine/runtime/order_reader.h"
#include "engine/types/arena.h"
#include "engine/types/column.h"
#include "schemas/record_column.h"

namespace kappa::runtime {

// Makes the column `kind` of the records of an epoch at `places`. What its type cannot hold (a key
// or headers beyond 16 MiB, a timestamp outside of the years 0001 to 9999) is NULL, as is what the
// record does not have. Strings point into the records or into `arena`.
Column record_column(schemas::RecordColumn kind, std::span<const uint32_t> places,
                     const Epoch& epoch, const OrderReader& reader, Arena& arena);

}  // namespace kappa::runtime
