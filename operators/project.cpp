#include "operators/project.h"

#include <algorithm>

#include "operators/row_errors.h"

namespace kappa::operators {

Project::Project(const Plan& plan, NodeId node) : node_(node) {
  for (const ExprRef& expr : std::get<ProjectNode>(plan.node(node).op).exprs) {
    exprs_.emplace_back(expr);
  }
}

void Project::process(const Batch& input, const OperatorContext& context, std::vector<Batch>* out) {
  if (input.empty()) return;
  Batch result;
  result.rows = input.rows;
  result.places = input.places;
  result.signs = input.signs;
  result.ties = input.ties;
  std::vector<RowError> errors;
  for (const Evaluator& expr : exprs_) {
    result.columns.push_back(expr.evaluate(input, context.arena, &errors));
  }
  if (!errors.empty()) {
    // A row is reported once, for the first of its expressions that fails.
    std::stable_sort(errors.begin(), errors.end(),
                     [](const RowError& a, const RowError& b) { return a.row < b.row; });
    errors.erase(std::unique(errors.begin(), errors.end(),
                             [](const RowError& a, const RowError& b) { return a.row == b.row; }),
                 errors.end());
    report_errors(node_, input, errors, context);
    result = without_errors(result, errors);
  }
  if (!result.empty()) out->push_back(std::move(result));
}

}  // namespace kappa::operators
