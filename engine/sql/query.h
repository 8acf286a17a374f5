#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "operators/plan.h"

namespace kappa::sql {

// A bound SELECT over views, as a tree. Run by engine/runtime/query_executor.
struct QueryNode;
using QueryNodeRef = std::unique_ptr<const QueryNode>;

struct ViewScan {
  operators::NodeId view;
  std::vector<int> columns;  // of the view's schema, ascending
  // If the filter above pins every key column to a constant: the key, so one row is read.
  std::optional<Row> point_key;
};
struct QueryFilter {
  operators::ExprRef predicate;
};
struct QueryProject {
  std::vector<operators::ExprRef> exprs;
};
struct QueryAggregate {
  operators::AggregateNode aggregate;  // without window
};
struct QueryDistinct {};
struct QueryUnionAll {};
struct QueryJoin {  // inner or left, equality of the key columns of both sides; then a filter above
  bool left = false;
  std::vector<int> left_keys;
  std::vector<int> right_keys;
};
struct SortKey {
  int column;
  bool descending = false;
  bool nulls_first = false;
};
struct QuerySort {
  std::vector<SortKey> keys;
};
struct QueryLimit {
  std::optional<int64_t> limit;
  int64_t offset = 0;
};
// VALUES-like single empty row, for SELECT without FROM.
struct QuerySingleRow {};

struct QueryNode {
  std::variant<ViewScan, QueryFilter, QueryProject, QueryAggregate, QueryDistinct, QueryUnionAll,
               QueryJoin, QuerySort, QueryLimit, QuerySingleRow>
      op;
  std::vector<QueryNodeRef> inputs;
  operators::Schema schema;
};

struct BoundQuery {
  QueryNodeRef root;
  std::vector<operators::NodeId> views;  // that it reads
  // EXPLAIN: the answer is how `root` would be run; or, without a root, how the one of `views` is
  // made.
  bool explains = false;
};

}  // namespace kappa::sql
