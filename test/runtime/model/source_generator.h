#pragma once

#include "test/runtime/model/draft.h"

namespace kappa::model {

// Two or three random sources of the same columns.
void add_sources(Draft& draft);

}  // namespace kappa::model
