#pragma once

#include <string>
#include <utility>
#include <vector>

#include "test/runtime/model/plan.h"

namespace kappa::model {

// The aggregates and what their calls begin with in SQL: "sum(".
const std::vector<std::pair<Call, std::string>>& call_names();

// Whether there is a sum of such values.
bool summable(TypeId type);
// The type of a call over a column of a type.
Type result_type(Call call, Type argument);

// Whether such a call is refused, over rows that change or not, that have an event time or not; or
// whether the model does not have it.
bool is_refused(Call call, Type argument, bool changelog, bool event_time);

}  // namespace kappa::model
