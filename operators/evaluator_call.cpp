#include <algorithm>
#include <utility>

#include "operators/evaluator_node.h"
#include "operators/functions_kernel.h"

// Nodes that run a kernel.
namespace kappa::operators {
namespace {

// Ors the nulls of an argument into those of the result.
void add_nulls(const KernelArg& arg, Selection selection, Column& out) {
  if (!arg.column->has_nulls()) return;
  const uint8_t* from = arg.column->nulls().data();
  uint8_t* to = out.mutable_nulls().data();
  if (arg.constant) {
    const uint8_t null = from[0];
    for_selected(selection, [&](uint32_t row) { to[row] |= null; });
  } else {
    for_selected(selection, [&](uint32_t row) { to[row] |= from[row]; });
  }
}

template <typename T>
void zero_nulls(Selection selection, Column& out) {
  const uint8_t* nulls = out.nulls().data();
  T* values = out.values<T>().data();
  for_selected(selection, [&](uint32_t row) { values[row] = nulls[row] != 0 ? T{} : values[row]; });
}

class CallNode final : public EvalNode {
 public:
  CallNode(Type type, SqlPosition position, const ScalarFunction* function, ScalarKernel kernel,
           bool lenient, std::vector<EvalNodeRef> args)
      : EvalNode(type, position),
        kernel_(kernel),
        strict_(function == nullptr || function->strict),
        lenient_(lenient),
        args_(std::move(args)),
        values_(args_.size()) {
    const bool infallible = function != nullptr && function->infallible;
    eager_ = infallible && type.physical() != PhysicalType::kString &&
             std::all_of(args_.begin(), args_.end(), [](const EvalNodeRef& arg) {
               return arg->is_eager() && arg->type().physical() != PhysicalType::kString;
             });
    if (function == nullptr || function->prepare == nullptr) return;
    std::vector<const Value*> constants;
    for (const EvalNodeRef& arg : args_) constants.push_back(arg->constant());
    state_ = function->prepare(constants);
  }

  void compute(EvalContext& context, Selection selection, Column& out) override {
    bool constant_null = false;
    for (size_t i = 0; i < args_.size(); ++i) {
      values_[i] = args_[i]->evaluate(context, selection);
      // On one row a constant is a column like any other; so folding never shows a kernel
      // constants alone.
      if (context.rows == 1) values_[i].constant = false;
      if (!strict_) continue;
      add_nulls(values_[i], selection, out);
      constant_null |= values_[i].constant && values_[i].column->is_null(0);
    }
    if (constant_null) return;  // the nulls are set, the values zero
    context.errors.enter(position().line, position().column, lenient_);
    kernel_({values_, selection, out, context.arena, context.errors, state_.get()});
    if (strict_ && out.has_nulls()) {
      dispatch_physical(out.type().physical(),
                        [&]<typename T>() { zero_nulls<T>(selection, out); });
    }
    for (const uint32_t row : context.errors.failed()) out.set_null(row);
  }

  bool is_eager() const override { return eager_; }

 private:
  ScalarKernel kernel_;
  bool strict_;
  bool lenient_;
  bool eager_ = false;
  std::vector<EvalNodeRef> args_;
  std::vector<KernelArg> values_;
  std::unique_ptr<KernelState> state_;
};

}  // namespace

EvalNodeRef make_call_node(Type type, SqlPosition position, const ScalarFunction* function,
                           ScalarKernel kernel, bool lenient, std::vector<EvalNodeRef> args) {
  return std::make_unique<CallNode>(type, position, function, kernel, lenient, std::move(args));
}

}  // namespace kappa::operators
