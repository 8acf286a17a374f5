#pragma once

#include <string>
#include <vector>

#include "test/runtime/model/draft.h"

namespace kappa::model {

// The branches of a UNION ALL: append-only rows.
struct Branches {
  std::vector<Relation> inputs = {};
  bool timed = false;  // all of them have an event time, and show it
  bool keyed = false;  // their keys are of the same types, and shown
};

bool same_key_types(const std::vector<Relation>& branches);

// Adds a view of SELECTs over the branches: by their key and the branch, by record, or the latest
// of a key. `options` are the statement's.
void add_union(Draft& draft, const Branches& branches, std::vector<std::string> options = {});
// The same as a query inside of another statement. Its rows have no key.
Query union_query(Draft& draft, const Branches& branches);

// The same of queries that have like columns and keys already, as they are.
void add_union_of_queries(Draft& draft, const std::vector<Query>& queries,
                          std::vector<std::string> options);

}  // namespace kappa::model
