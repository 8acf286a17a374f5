#pragma once

#include <optional>

#include "test/runtime/model/draft.h"

namespace kappa::model {

// What a SELECT reads from two relations joined: one that changes and one with a key, by equal
// columns and now and then a condition; or two append-only ones by equal columns and the distance
// of their event times. Inner or outer. std::nullopt: there are none that can be.
std::optional<Relation> random_relation_join(Draft& draft);
std::optional<Relation> random_interval_join(Draft& draft);

}  // namespace kappa::model
