#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/sql/aggregate_calls.h"
#include "engine/sql/coercion.h"
#include "engine/sql/over_calls.h"
#include "engine/sql/parser/tree.h"
#include "engine/sql/scope.h"
#include "engine/sql/source_text.h"
#include "operators/expression.h"
#include "operators/model.h"

namespace kappa::sql {

// Turns the expressions of one clause into typed ones. Columns are indexes into the scope; an
// aggregate, or a call with OVER, becomes the column behind them that its index names: scope.size()
// + index.
class ExpressionBinder {
 public:
  // All are borrowed. Without `aggregates`, an aggregate is refused: "… not allowed in <clause>";
  // without `over`, a call with OVER is.
  ExpressionBinder(const SourceText& text, const Scope& scope, std::string clause,
                   AggregateCalls* aggregates = nullptr, OverCalls* over = nullptr)
      : text_(text),
        scope_(scope),
        clause_(std::move(clause)),
        aggregates_(aggregates),
        over_(over) {}

  // An expression with a type of its own.
  absl::StatusOr<operators::ExprRef> bind(const Node& node) const;
  // A boolean one; `needed_by` names who needs it in faults: the clause if not given.
  absl::StatusOr<operators::ExprRef> bind_condition(const Node& node,
                                                    std::string_view needed_by = {}) const;
  // One whose surroundings may still decide on its type.
  absl::StatusOr<Operand> bind_operand(const Node& node) const;

 private:
  using Bound = absl::StatusOr<operators::ExprRef>;

  Bound bind_node(const Node& node) const;
  // expression_binder.cpp: PostgreSQL's operators and special forms
  Bound bind_operator(const Node& node) const;
  Bound bind_in(const Node& node) const;
  Bound bind_between(const Node& node) const;
  Bound bind_like(const Node& node) const;
  Bound bind_null_if(const Node& node) const;
  Bound bind_logic(const Node& node) const;
  Bound bind_case(const Node& node) const;
  Bound bind_null_test(const Node& node) const;
  Bound bind_truth_test(const Node& node) const;
  Bound bind_min_max(const Node& node) const;
  Bound bind_coalesce(const Node& node) const;
  Bound bind_cast(const Node& node) const;
  // function_call.cpp
  Bound bind_function(const Node& node) const;
  Bound bind_try_cast(const Node& node) const;
  // model_call.cpp
  Bound bind_predict(const Node& node) const;
  Bound bind_model_version(const Node& node) const;
  absl::StatusOr<operators::ModelRef> bind_model(const Node& node, std::string_view function) const;
  absl::Status check_feature(const Operand& operand, const operators::ModelFacts& model,
                             size_t place) const;
  // aggregate_binder.cpp
  Bound bind_aggregate(const Node& node, const AggregateSignature& signature) const;
  absl::Status check_aggregate(const Node& node, const AggregateSignature& signature) const;
  absl::Status bind_argument(const Node& node, AggregateExpr* aggregate) const;
  absl::Status bind_second(const Node& node, const AggregateSignature& signature,
                           AggregateExpr* aggregate) const;
  absl::Status bind_event_time(const Node& node, const AggregateSignature& signature,
                               AggregateExpr* aggregate) const;
  // over_binder.cpp
  Bound bind_over(const Node& node, const std::string& name) const;
  // row_number_binder.cpp
  Bound bind_row_number(const Node& node) const;
  absl::StatusOr<Ranking> bind_numbering(const Node& window) const;
  absl::Status bind_over_arguments(const Node& node, const std::string& name, OverExpr* over) const;
  absl::Status bind_window(const Node& call, OverExpr* over) const;
  absl::Status check_window_order(const Node& window, const Node& call) const;
  absl::StatusOr<const Node*> find_window(const Node& call) const;
  absl::Status refuse_name(const Node& node, const std::string& name) const;

  absl::StatusOr<std::vector<Operand>> bind_operands(std::span<const Node> nodes) const;
  operators::SqlPosition position(const Node& node) const { return text_.position(node.offset); }
  operators::ExprRef logic(operators::ExprKind kind, std::vector<operators::ExprRef> args,
                           const Node& node) const;

  const SourceText& text_;
  const Scope& scope_;
  std::string clause_;
  AggregateCalls* aggregates_;
  OverCalls* over_;
};

}  // namespace kappa::sql
