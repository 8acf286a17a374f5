#pragma once

#include "absl/status/statusor.h"
#include "engine/sql/nested_queries.h"
#include "engine/sql/parser/tree.h"
#include "engine/sql/relation.h"
#include "engine/sql/source_text.h"

namespace kappa::sql {

// apply_rules(rows, rules) in FROM: the rows, append-only ones with an event time, each with what
// the rules that are there at its place say about it, in the columns rule_ids, reason_codes and
// rule_weight behind its own. `rules` is a relation with the key rule_id. The result lives as long
// as `queries`.
absl::StatusOr<const Relation*> bind_apply_rules(const Node& call, NestedQueries& queries,
                                                 const SourceText& text);

}  // namespace kappa::sql
