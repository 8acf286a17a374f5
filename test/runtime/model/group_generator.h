#pragma once

#include <optional>
#include <string>
#include <vector>

#include "test/runtime/model/draft.h"

namespace kappa::model {

// A SELECT with GROUP BY: columns and something computed of them, aggregates of every kind with and
// without FILTER, WHERE and HAVING. With `group` it is by that column of the input alone.
Query groups_query(Draft& draft, const Relation& input, std::optional<size_t> group = std::nullopt);

// The same over windows of a kind; grace, emission and retention are added to `options`, or there
// are none of these if it is null.
Query window_query(Draft& draft, const Relation& input, Window::Kind kind,
                   std::vector<std::string>* options);

}  // namespace kappa::model
