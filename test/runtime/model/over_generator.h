#pragma once

#include "test/runtime/model/draft.h"

namespace kappa::model {

// Whether OVER can stand over such rows: they do not change and have an event time.
bool takes_over(const Relation& input);

// Adds a view of a SELECT with OVER: calls over several frames and partitions, named and not, with
// FILTER, alone and in expressions, over rows that are filtered first; with either emission.
void add_over(Draft& draft, const Relation& input);

// Adds a view of such a SELECT twice, both final: a union in which equal rows are two. Nothing
// reads it.
void add_final_over_twice(Draft& draft, const Relation& input);

// A SELECT with OVER as a query inside of another statement.
Query over_query(Draft& draft, const Relation& input, bool final);

}  // namespace kappa::model
