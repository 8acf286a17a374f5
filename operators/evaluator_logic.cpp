#include <utility>

#include "operators/evaluator_node.h"
#include "operators/functions_kernel.h"

// AND, OR, NOT and IS NULL. A boolean's value under a null is 0, so with v its value and n its null
// byte: v says "true", v | n says "not false".
namespace kappa::operators {
namespace {

const uint8_t* nulls_or_null(const KernelArg& arg) {
  return arg.column->has_nulls() ? arg.column->nulls().data() : nullptr;
}

class LogicNode final : public EvalNode {
 public:
  LogicNode(SqlPosition position, bool conjunction, std::vector<EvalNodeRef> args)
      : EvalNode(Type::boolean(), position), conjunction_(conjunction), args_(std::move(args)) {}

  void compute(EvalContext& context, Selection selection, Column& out) override {
    args_[0]->compute(context, selection, out);
    Selection open = selection;
    for (size_t i = 1; i < args_.size(); ++i) {
      if (!args_[i]->is_eager()) {
        open = undecided(open, out);
        if (open.count == 0) return;
      }
      const KernelArg arg = args_[i]->evaluate(context, open);
      if (out.has_nulls() || arg.column->has_nulls()) {
        combine_with_nulls(arg, open, out);
      } else {
        combine(arg, open, out);
      }
    }
  }

  bool is_eager() const override {
    for (const EvalNodeRef& arg : args_) {
      if (!arg->is_eager()) return false;
    }
    return true;
  }

 private:
  // The rows that the arguments so far leave open. Reads `open`, which may be in rows_, in order.
  Selection undecided(Selection open, const Column& out) {
    const int8_t* values = out.values<int8_t>().data();
    const uint8_t* nulls = out.has_nulls() ? out.nulls().data() : nullptr;
    if (rows_.size() < open.count) rows_.resize(open.count);
    size_t count = 0;
    const size_t asked = open.count;
    for (size_t i = 0; i < asked; ++i) {
      const uint32_t row = open[i];
      const bool is_true = values[row] != 0;
      const bool is_null = nulls != nullptr && nulls[row] != 0;
      rows_[count] = row;
      count += conjunction_ ? (is_true | is_null) : !is_true;
    }
    return count == asked ? open : Selection{rows_.data(), count};
  }

  void combine(const KernelArg& arg, Selection open, Column& out) const {
    int8_t* __restrict values = out.values<int8_t>().data();
    const int8_t* __restrict other = values_of<int8_t>(arg);
    const size_t stride = arg.constant ? 0 : 1;
    if (conjunction_) {
      for_selected(open, [=](uint32_t row) { values[row] &= other[row * stride]; });
    } else {
      for_selected(open, [=](uint32_t row) { values[row] |= other[row * stride]; });
    }
  }

  void combine_with_nulls(const KernelArg& arg, Selection open, Column& out) const {
    uint8_t* nulls = out.mutable_nulls().data();
    int8_t* values = out.values<int8_t>().data();
    const ArgReader<int8_t> other(arg);
    const uint8_t* other_nulls = nulls_or_null(arg);
    for_selected(open, [&](uint32_t row) {
      const auto a = static_cast<uint8_t>(values[row]);
      const auto b = static_cast<uint8_t>(other[row]);
      const auto a_null = nulls[row];
      const auto b_null = other_nulls == nullptr ? uint8_t{0} : other_nulls[row * other.stride];
      const int is_true = conjunction_ ? a & b : a | b;
      const int not_false = conjunction_ ? (a | a_null) & (b | b_null) : a | b | a_null | b_null;
      values[row] = static_cast<int8_t>(is_true);
      nulls[row] = static_cast<uint8_t>(not_false & ~is_true);
    });
  }

  bool conjunction_;
  std::vector<EvalNodeRef> args_;
  std::vector<uint32_t> rows_;
};

class NotNode final : public EvalNode {
 public:
  NotNode(SqlPosition position, EvalNodeRef arg)
      : EvalNode(Type::boolean(), position), arg_(std::move(arg)) {}

  void compute(EvalContext& context, Selection selection, Column& out) override {
    const KernelArg arg = arg_->evaluate(context, selection);
    int8_t* values = out.values<int8_t>().data();
    const ArgReader<int8_t> other(arg);
    for_selected(selection,
                 [&](uint32_t row) { values[row] = static_cast<int8_t>(other[row] == 0); });
    const uint8_t* other_nulls = nulls_or_null(arg);
    if (other_nulls == nullptr) return;
    uint8_t* nulls = out.mutable_nulls().data();
    for_selected(selection, [&](uint32_t row) {
      nulls[row] = other_nulls[row * other.stride];
      values[row] = static_cast<int8_t>(values[row] & (nulls[row] == 0));
    });
  }
  bool is_eager() const override { return arg_->is_eager(); }

 private:
  EvalNodeRef arg_;
};

class IsNullNode final : public EvalNode {
 public:
  IsNullNode(SqlPosition position, EvalNodeRef arg)
      : EvalNode(Type::boolean(), position), arg_(std::move(arg)) {}

  void compute(EvalContext& context, Selection selection, Column& out) override {
    const KernelArg arg = arg_->evaluate(context, selection);
    const uint8_t* nulls = nulls_or_null(arg);
    if (nulls == nullptr) return;
    int8_t* values = out.values<int8_t>().data();
    const size_t stride = arg.constant ? 0 : 1;
    for_selected(selection, [=](uint32_t row) {
      values[row] = static_cast<int8_t>(nulls[row * stride] != 0);
    });
  }
  bool is_eager() const override { return arg_->is_eager(); }

 private:
  EvalNodeRef arg_;
};

}  // namespace

EvalNodeRef make_logic_node(SqlPosition position, bool conjunction, std::vector<EvalNodeRef> args) {
  return std::make_unique<LogicNode>(position, conjunction, std::move(args));
}

EvalNodeRef make_not_node(SqlPosition position, EvalNodeRef arg) {
  return std::make_unique<NotNode>(position, std::move(arg));
}

EvalNodeRef make_is_null_node(SqlPosition position, EvalNodeRef arg) {
  return std::make_unique<IsNullNode>(position, std::move(arg));
}

}  // namespace kappa::operators
