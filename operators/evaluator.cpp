#include "operators/evaluator.h"

#include <algorithm>
#include <utility>

#include "engine/types/invariant.h"
#include "operators/evaluator_node.h"

namespace kappa::operators {
namespace {

// One error a row, the first, ascending. Sorting is stable: a row's errors are in the order in
// which its expressions are evaluated.
void tidy(std::vector<RowError>* errors) {
  const auto by_row = [](const RowError& a, const RowError& b) { return a.row < b.row; };
  std::stable_sort(errors->begin(), errors->end(), by_row);
  const auto same_row = [](const RowError& a, const RowError& b) { return a.row == b.row; };
  errors->erase(std::unique(errors->begin(), errors->end(), same_row), errors->end());
}

void move_errors(std::vector<RowError>&& from, std::vector<RowError>* to) {
  to->insert(to->end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

struct Evaluator::Node {
  ExprRef expr;
  EvalNodeRef tree;
};

Evaluator::Evaluator(ExprRef expr) : root_(std::make_unique<Node>()) {
  KAPPA_INVARIANT(expr != nullptr, "an evaluator has an expression");
  root_->tree = compile(*expr);
  root_->expr = std::move(expr);
}

Evaluator::~Evaluator() = default;
Evaluator::Evaluator(Evaluator&&) noexcept = default;
Evaluator& Evaluator::operator=(Evaluator&&) noexcept = default;

const Type& Evaluator::type() const {
  return root_->expr->type;
}

ColumnRef Evaluator::evaluate(const Batch& batch, Arena& arena,
                              std::vector<RowError>* errors) const {
  EvalNode& tree = *root_->tree;
  if (const auto column = tree.column()) {
    const auto index = static_cast<size_t>(*column);
    KAPPA_INVARIANT(index < batch.columns.size(), "column of the batch");
    return batch.columns[index];
  }
  ErrorSink sink;
  EvalContext context{batch.columns, batch.rows, arena, sink};
  auto out = std::make_shared<Column>(tree.type(), batch.rows);
  tree.compute(context, Selection::all(batch.rows), *out);
  if (!sink.errors().empty()) {
    tidy(&sink.errors());
    for (const RowError& error : sink.errors()) out->set_null(error.row);
    move_errors(std::move(sink.errors()), errors);
  }
  return out;
}

void Evaluator::select(const Batch& batch, Arena& arena, std::vector<uint32_t>* rows,
                       std::vector<RowError>* errors) const {
  EvalNode& tree = *root_->tree;
  KAPPA_INVARIANT(tree.type().id == TypeId::kBoolean, "a predicate is a boolean");
  ErrorSink sink;
  EvalContext context{batch.columns, batch.rows, arena, sink};
  const KernelArg result = tree.evaluate(context, Selection::all(batch.rows));
  const int8_t* values = result.column->values<int8_t>().data();
  const size_t stride = result.constant ? 0 : 1;
  rows->resize(batch.rows);
  size_t count = 0;
  for (size_t row = 0; row < batch.rows; ++row) {  // a null's value is 0
    (*rows)[count] = static_cast<uint32_t>(row);
    count += values[row * stride] != 0 ? 1 : 0;
  }
  rows->resize(count);
  if (sink.errors().empty()) return;
  tidy(&sink.errors());
  const auto fails = [&](uint32_t row) {
    return std::binary_search(sink.errors().begin(), sink.errors().end(), RowError{row, 0, 0, {}},
                              [](const RowError& a, const RowError& b) { return a.row < b.row; });
  };
  std::erase_if(*rows, fails);
  move_errors(std::move(sink.errors()), errors);
}

absl::StatusOr<Value> evaluate_constant(const Expr& expr) {
  const EvalNodeRef tree = compile(expr);
  if (const Value* value = tree->constant()) return *value;
  Arena arena;
  ErrorSink sink;
  const std::vector<ColumnRef> no_columns;
  EvalContext context{no_columns, 1, arena, sink};
  Column out(expr.type, 1);
  tree->compute(context, Selection::all(1), out);
  KAPPA_INVARIANT(!sink.errors().empty(), "a constant expression folds or fails");
  return absl::InvalidArgumentError(sink.errors().front().message);
}

}  // namespace kappa::operators
