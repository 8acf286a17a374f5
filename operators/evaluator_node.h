#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/types/arena.h"
#include "engine/types/batch.h"
#include "operators/expression.h"
#include "operators/functions.h"

// The compiled form of an expression. Internal to operators/evaluator*.cpp.
namespace kappa::operators {

// What one evaluation works with.
struct EvalContext {
  const std::vector<ColumnRef>& columns;
  size_t rows;
  Arena& arena;
  ErrorSink& errors;
};

// A node of the tree of kernels. Its values at the selected rows are right; a row that failed is
// null there and in the sink. Scratch columns are kept from batch to batch, so that evaluating
// allocates nothing once warm. One thread.
class EvalNode {
 public:
  EvalNode(Type type, SqlPosition position) : type_(type), position_(position) {}
  virtual ~EvalNode() = default;
  EvalNode(const EvalNode&) = delete;
  EvalNode& operator=(const EvalNode&) = delete;

  const Type& type() const { return type_; }
  SqlPosition position() const { return position_; }

  // The values at the selected rows: a column of the batch's rows, or a constant. Valid until the
  // next call.
  virtual KernelArg evaluate(EvalContext& context, Selection selection);
  // Writes the values into `out`, which is of this type, sized to the batch, zero and without
  // nulls.
  virtual void compute(EvalContext& context, Selection selection, Column& out) = 0;

  // Cannot fail and costs no more on all rows than on a few: need not be held back from rows that
  // do not ask for it.
  virtual bool is_eager() const { return false; }
  // The column of the batch that this is, if it is no more than that.
  virtual std::optional<int> column() const { return std::nullopt; }
  // The value, if it is a constant.
  virtual const Value* constant() const { return nullptr; }

 private:
  Type type_;
  SqlPosition position_;
  std::unique_ptr<Column> scratch_;
};

using EvalNodeRef = std::unique_ptr<EvalNode>;

EvalNodeRef make_column_node(const Expr& expr);
EvalNodeRef make_constant_node(Value value, SqlPosition position);
// Fails every row: what is left of a call whose constant arguments make it fail.
EvalNodeRef make_failure_node(Type type, RowError error);
// A function, or a cast (`function` null, `lenient` for try_cast).
EvalNodeRef make_call_node(Type type, SqlPosition position, const ScalarFunction* function,
                           ScalarKernel kernel, bool lenient, std::vector<EvalNodeRef> args);
EvalNodeRef make_case_node(Type type, SqlPosition position, std::vector<EvalNodeRef> args);
// AND (`conjunction`) and OR.
EvalNodeRef make_logic_node(SqlPosition position, bool conjunction, std::vector<EvalNodeRef> args);
EvalNodeRef make_not_node(SqlPosition position, EvalNodeRef arg);
EvalNodeRef make_is_null_node(SqlPosition position, EvalNodeRef arg);
EvalNodeRef make_coalesce_node(Type type, SqlPosition position, std::vector<EvalNodeRef> args);
EvalNodeRef make_predict_node(SqlPosition position, std::shared_ptr<const Model> model,
                              std::vector<EvalNodeRef> args);

// Compiles, folding what has no columns.
EvalNodeRef compile(const Expr& expr);

// Copies the selected rows of `from` into `out`, nulls too.
void copy_selected(const KernelArg& from, Selection selection, Column& out);

}  // namespace kappa::operators
