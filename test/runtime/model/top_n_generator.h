#pragma once

#include "test/runtime/model/draft.h"

namespace kappa::model {

// Adds a view of ROW_NUMBER() … <= n: by several keys and orders, with and without the number, with
// further conditions.
void add_top_n(Draft& draft, const Relation& input);

// Adds a view of DISTINCT ON … ORDER BY. False: nothing would order its rows, and it adds none.
bool add_first(Draft& draft, const Relation& input);

}  // namespace kappa::model
