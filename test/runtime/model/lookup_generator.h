#pragma once

#include <optional>

#include "test/runtime/model/draft.h"

namespace kappa::model {

// What a SELECT reads from a stream's rows and one or two views in which they look rows up, inner
// or outer: keys that are bare or computed, further equalities, conditions on either side or both.
// Now and then a view is added that such lookups find something in. std::nullopt: there is none.
std::optional<Relation> random_lookup(Draft& draft);

}  // namespace kappa::model
