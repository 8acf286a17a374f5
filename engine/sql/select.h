#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/sql/aggregate_calls.h"
#include "engine/sql/over_calls.h"
#include "engine/sql/parser/tree.h"
#include "engine/sql/scope.h"
#include "engine/sql/source_text.h"
#include "operators/expression.h"

namespace kappa::sql {

// A column of a result.
struct OutputColumn {
  std::string name;
  operators::ExprRef expr;
  const Node* node = nullptr;  // the expression's place in the text
  bool untyped = false;  // a bare text literal or NULL: another UNION branch may give it a type
};

// A GROUP BY column.
struct GroupColumn {
  operators::ExprRef expr;
  const Node* node = nullptr;
  std::string name;
  // Not named in GROUP BY but determined by it: window_end where window_start is.
  bool implied = false;
};

// FROM, WHERE, GROUP BY, HAVING and the list of a SELECT, bound. One meaning for views and queries.
//
// `where`, `groups` and `aggregates` read the columns of FROM. What comes after grouping reads the
// grouped row: groups first, then aggregates.
struct BoundSelect {
  operators::ExprRef where;  // null: none
  bool grouped = false;
  std::vector<GroupColumn> groups;
  std::vector<AggregateExpr> aggregates;
  operators::ExprRef having;       // null: none
  std::vector<OverExpr> overs;     // of a SELECT that is not grouped: columns behind those of FROM
  std::optional<Ranking> ranking;  // ROW_NUMBER(), or DISTINCT ON with ORDER BY
  std::optional<size_t> row_number;  // the output that ROW_NUMBER() is
  std::vector<OutputColumn> outputs;
};

// Binds the clauses of a SELECT over the columns of its FROM.
class SelectBinder {
 public:
  // Without `over`, OVER is refused. `event_time`: see AggregateCalls.
  SelectBinder(const SourceText& text, const Scope& scope, const Node& select,
               OverCalls* over = nullptr,
               std::optional<operators::ExprRef> event_time = std::nullopt)
      : text_(text),
        scope_(scope),
        select_(select),
        over_(over),
        aggregates_(std::move(event_time)) {}

  absl::StatusOr<BoundSelect> bind();

  // After bind(): a further expression over the same rows (for ORDER BY); it may use aggregates.
  absl::StatusOr<operators::ExprRef> bind_further(const Node& node, BoundSelect& bound);

 private:
  absl::Status bind_groups(BoundSelect& bound);
  absl::StatusOr<const Node*> group_target(const Node& item) const;
  absl::Status bind_outputs(BoundSelect& bound);
  absl::Status take_overs(BoundSelect& bound) const;
  absl::Status take_row_number(BoundSelect& bound) const;
  void add_implied_groups(BoundSelect& bound) const;
  // An expression over FROM's columns and aggregates, as one over the grouped row.
  absl::StatusOr<operators::ExprRef> over_groups(const operators::ExprRef& expr,
                                                 const BoundSelect& bound) const;

  const SourceText& text_;
  const Scope& scope_;
  const Node& select_;
  OverCalls* over_;
  AggregateCalls aggregates_;
};

// The name that PostgreSQL gives a column without AS.
std::string default_name(const Node& expression);

}  // namespace kappa::sql
