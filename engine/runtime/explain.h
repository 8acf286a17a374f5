#pragma once

#include <optional>
#include <string>
#include <vector>

#include "operators/plan.h"

namespace kappa::runtime {

// A node of a plan, told to people: what EXPLAIN shows.
struct ExplainedNode {
  std::string operation;  // "aggregate by store_id over tumble(…): count(*)"
  bool changelog = false;
  bool of_query = false;  // a stage of a query: its rows are no changes
  // The columns by which rows are dealt out to workers on their way in; without columns one worker
  // has them all. nullopt: they stay where they are. Of a join: those of its left side.
  std::optional<std::vector<std::string>> exchange;
  std::optional<std::vector<std::string>> right_exchange;  // of a join: those of its right side
  std::string state;  // what it keeps, and under which key; empty: nothing
  std::string late;   // what becomes of late rows; empty: it refuses none
  std::vector<ExplainedNode> inputs;
};

// A view or an output and what feeds it, down to sources and to other views, which are explained by
// themselves. `node` is a ViewNode or an OutputNode.
ExplainedNode explain(const operators::Plan& plan, operators::NodeId node);

// As a tree, a line an item, each ended by a line break.
std::string to_text(const ExplainedNode& node);

// An expression or an aggregate in SQL over the columns of `input`.
std::string to_sql(const operators::Expr& expr, const operators::Schema& input);
std::string to_sql(const operators::AggregateCall& call, const operators::Schema& input);
// Behind an item of ORDER BY: " NULLS FIRST", or nothing where that goes without saying.
std::string nulls_text(bool descending, bool nulls_first);

}  // namespace kappa::runtime
