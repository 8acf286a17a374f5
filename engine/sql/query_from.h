#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "engine/sql/parser/tree.h"
#include "engine/sql/query.h"
#include "engine/sql/scope.h"

namespace kappa::sql {

// The FROM of a query, bound; the columns of a join are those of its left side, then those of its
// right side.
struct QueryFrom {
  enum class Kind : uint8_t { kNothing, kView, kRows, kJoin };
  Kind kind = Kind::kNothing;
  Scope scope;

  operators::NodeId view = operators::kNoNode;  // kView
  std::unique_ptr<QueryNode> rows;              // kRows: a subquery

  std::unique_ptr<QueryFrom> left;  // kJoin
  std::unique_ptr<QueryFrom> right;
  bool keeps_left = false;  // LEFT JOIN
  // What must be equal, over the left side's and over the right side's columns, of equal types.
  std::vector<std::pair<operators::ExprRef, operators::ExprRef>> equalities;
  operators::ExprRef right_filter;  // over the right side's columns; null: none
  operators::ExprRef residual;      // over the join's columns; null: none
};

// Rows of a FROM: its column i, if it was needed, is the node's column at.at(i).
struct FromRows {
  std::unique_ptr<QueryNode> node;
  std::map<int, int> at;
};

// The tree that makes the needed columns of `from`, which is used up. Views are scanned for no more
// columns than these and the joins need.
FromRows build_from(QueryFrom from, const std::set<int>& needed);

std::unique_ptr<QueryNode> make_query_node(decltype(QueryNode::op) op, operators::Schema schema,
                                           std::unique_ptr<QueryNode> input = nullptr);

}  // namespace kappa::sql
