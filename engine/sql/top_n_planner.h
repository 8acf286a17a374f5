#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/sql/plan_builder.h"
#include "engine/sql/relation.h"
#include "engine/sql/select.h"
#include "engine/sql/source_text.h"

// The first rows of each key. `ROW_NUMBER() OVER (…) AS rn` numbers the rows of a query in FROM or
// WITH; the query around it says with `WHERE rn <= 3` how far they are looked at. So the inner
// query is planned without a limit, and who reads it puts a limited TopN in its place.
namespace kappa::sql {

// The rows of a SELECT with ROW_NUMBER(), numbered. Its clauses read the columns of `input`.
Relation plan_numbered(PlanBuilder& builder, const BoundSelect& bound, operators::NodeId input);

// DISTINCT ON (outputs `key`) … ORDER BY `bound.ranking`: the first row of each key.
Relation plan_first(PlanBuilder& builder, const BoundSelect& bound, const std::vector<int>& key,
                    operators::NodeId input);

// What WHERE says about the numbers of the rows it reads: up to which they are wanted. That is
// taken out of `where`, whose columns are the relation's; null if nothing else is in it.
absl::StatusOr<int64_t> take_row_limit(const Relation& numbered, const SourceText& text,
                                       operators::ExprRef* where);

// Numbered rows, up to the limit. Without `ranked` nothing reads the number, and it is NULL.
operators::NodeId read_limited(PlanBuilder& builder, const Relation& numbered, int64_t limit,
                               bool ranked);

// The key of what a SELECT shows of numbered rows, in terms of its outputs: what they are
// partitioned by if there is one row of each, else that with the number, else the key of the rows
// themselves. With `adds_number` the number is no output yet.
struct LimitedKey {
  std::optional<std::vector<int>> key;
  bool adds_number = false;
  std::string missing;  // without a key: what is not selected
};
LimitedKey find_limited_key(const Relation& numbered, const BoundSelect& bound, int64_t limit);

// A TopN without a limit that the node reads, views apart, or nullptr.
const operators::TopNNode* find_unlimited(const PlanBuilder& builder, operators::NodeId node);

}  // namespace kappa::sql
