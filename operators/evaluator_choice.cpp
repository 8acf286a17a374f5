#include <utility>

#include "operators/evaluator_node.h"
#include "operators/functions_kernel.h"

// CASE and COALESCE: each branch sees only the rows that come to it.
namespace kappa::operators {
namespace {

class CaseNode final : public EvalNode {
 public:
  CaseNode(Type type, SqlPosition position, std::vector<EvalNodeRef> args)
      : EvalNode(type, position), args_(std::move(args)) {}

  void compute(EvalContext& context, Selection selection, Column& out) override {
    if (taken_.size() < context.rows) taken_.resize(context.rows);
    if (open_.size() < context.rows) open_.resize(context.rows);
    Selection open = selection;
    for (size_t i = 0; i + 1 < args_.size() && open.count > 0; i += 2) {
      const KernelArg when = args_[i]->evaluate(context, open);
      const size_t count = split(when, open);
      if (count == 0) continue;  // and `open` stays as dense as it was
      const bool all = count == open.count && open.rows == nullptr;
      const Selection taken = all ? open : Selection{taken_.data(), count};
      copy_selected(args_[i + 1]->evaluate(context, taken), taken, out);
      open = {open_.data(), open.count - count};
    }
    if (open.count > 0) copy_selected(args_.back()->evaluate(context, open), open, out);
  }

 private:
  // Deals the open rows out to taken_ and open_; returns how many were taken. `open` may lie in
  // open_, whose first rows are then overwritten.
  size_t split(const KernelArg& when, Selection open) {
    const ArgReader<int8_t> values(when);
    size_t taken = 0;
    size_t left = 0;
    for (size_t i = 0; i < open.count; ++i) {
      const uint32_t row = open[i];
      const size_t is_true = values[row] != 0 ? 1 : 0;
      taken_[taken] = row;
      taken += is_true;
      open_[left] = row;
      left += 1 - is_true;
    }
    return taken;
  }

  std::vector<EvalNodeRef> args_;
  std::vector<uint32_t> taken_;
  std::vector<uint32_t> open_;
};

class CoalesceNode final : public EvalNode {
 public:
  CoalesceNode(Type type, SqlPosition position, std::vector<EvalNodeRef> args)
      : EvalNode(type, position), args_(std::move(args)) {}

  void compute(EvalContext& context, Selection selection, Column& out) override {
    args_[0]->compute(context, selection, out);
    if (rows_.size() < context.rows) rows_.resize(context.rows);
    Selection open = selection;
    for (size_t i = 1; i < args_.size(); ++i) {
      open = still_null(open, out);
      if (open.count == 0) return;
      copy_selected(args_[i]->evaluate(context, open), open, out);
    }
  }

 private:
  Selection still_null(Selection open, const Column& out) {
    if (!out.has_nulls()) return {nullptr, 0};
    const uint8_t* nulls = out.nulls().data();
    size_t count = 0;
    for (size_t i = 0; i < open.count; ++i) {
      const uint32_t row = open[i];
      rows_[count] = row;
      count += nulls[row] != 0 ? 1 : 0;
    }
    return {rows_.data(), count};
  }

  std::vector<EvalNodeRef> args_;
  std::vector<uint32_t> rows_;
};

}  // namespace

EvalNodeRef make_case_node(Type type, SqlPosition position, std::vector<EvalNodeRef> args) {
  return std::make_unique<CaseNode>(type, position, std::move(args));
}

EvalNodeRef make_coalesce_node(Type type, SqlPosition position, std::vector<EvalNodeRef> args) {
  return std::make_unique<CoalesceNode>(type, position, std::move(args));
}

}  // namespace kappa::operators
