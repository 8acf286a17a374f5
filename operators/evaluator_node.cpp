#include "operators/evaluator_node.h"

#include <cstring>
#include <utility>

#include "operators/functions_kernel.h"

namespace kappa::operators {
namespace {

class ColumnNode final : public EvalNode {
 public:
  ColumnNode(Type type, SqlPosition position, int column)
      : EvalNode(type, position), column_(column) {}

  KernelArg evaluate(EvalContext& context, Selection) override { return {&at(context), false}; }
  void compute(EvalContext& context, Selection selection, Column& out) override {
    copy_selected({&at(context), false}, selection, out);
  }
  bool is_eager() const override { return true; }
  std::optional<int> column() const override { return column_; }

 private:
  const Column& at(EvalContext& context) const {
    const auto index = static_cast<size_t>(column_);
    KAPPA_INVARIANT(index < context.columns.size(), "column of the batch");
    return *context.columns[index];
  }

  int column_;
};

class ConstantNode final : public EvalNode {
 public:
  ConstantNode(Value value, SqlPosition position)
      : EvalNode(value.type, position), value_(std::move(value)), column_(value_.type) {
    Arena none;
    const bool is_string = std::holds_alternative<std::string>(value_.data);
    append_value(column_, is_string ? Value{value_.type, std::string()} : value_, none);
  }

  // Strings go to the arena each time, since results may point to them and outlive this node.
  KernelArg evaluate(EvalContext& context, Selection) override {
    if (const auto* text = std::get_if<std::string>(&value_.data)) {
      column_.values<StringRef>()[0] = context.arena.copy(*text);
    }
    return {&column_, true};
  }
  void compute(EvalContext& context, Selection selection, Column& out) override {
    copy_selected(evaluate(context, selection), selection, out);
  }
  bool is_eager() const override { return true; }
  const Value* constant() const override { return &value_; }

 private:
  Value value_;
  Column column_;
};

class FailureNode final : public EvalNode {
 public:
  FailureNode(Type type, RowError error)
      : EvalNode(type, {error.line, error.column}), error_(std::move(error)) {}

  void compute(EvalContext& context, Selection selection, Column& out) override {
    context.errors.enter(error_.line, error_.column, false);
    for_selected(selection, [&](uint32_t row) {
      context.errors.fail(row, error_.message);
      out.set_null(row);
    });
  }

 private:
  RowError error_;
};

template <typename T>
void copy_values(const KernelArg& from, Selection selection, Column& out) {
  const T* values = values_of<T>(from);
  T* to = out.values<T>().data();
  if (from.constant) {
    const T value = values[0];
    for_selected(selection, [&](uint32_t row) { to[row] = value; });
  } else if (selection.rows == nullptr) {
    if (selection.count > 0) std::memcpy(to, values, selection.count * sizeof(T));
  } else {
    for_selected(selection, [&](uint32_t row) { to[row] = values[row]; });
  }
}

}  // namespace

KernelArg EvalNode::evaluate(EvalContext& context, Selection selection) {
  if (scratch_ == nullptr) scratch_ = std::make_unique<Column>(type_);
  scratch_->resize(0);
  scratch_->resize(context.rows);
  compute(context, selection, *scratch_);
  return {scratch_.get(), false};
}

void copy_selected(const KernelArg& from, Selection selection, Column& out) {
  dispatch_physical(out.type().physical(),
                    [&]<typename T>() { copy_values<T>(from, selection, out); });
  const uint8_t* from_nulls = from.column->has_nulls() ? from.column->nulls().data() : nullptr;
  if (from_nulls == nullptr && !out.has_nulls()) return;
  uint8_t* nulls = out.mutable_nulls().data();
  const size_t stride = from.constant ? 0 : 1;
  for_selected(selection, [=](uint32_t row) {
    nulls[row] = from_nulls == nullptr ? uint8_t{0} : from_nulls[row * stride];
  });
}

EvalNodeRef make_column_node(const Expr& expr) {
  return std::make_unique<ColumnNode>(expr.type, expr.position, expr.column);
}

EvalNodeRef make_constant_node(Value value, SqlPosition position) {
  return std::make_unique<ConstantNode>(std::move(value), position);
}

EvalNodeRef make_failure_node(Type type, RowError error) {
  return std::make_unique<FailureNode>(type, std::move(error));
}

}  // namespace kappa::operators
