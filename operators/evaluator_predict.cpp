#include <limits>
#include <utility>

#include "operators/evaluator_node.h"
#include "operators/functions_kernel.h"
#include "operators/model.h"

namespace kappa::operators {
namespace {

// Scores the selected rows with one call of the model. The scorer is this node's own, so workers
// share nothing.
class PredictNode final : public EvalNode {
 public:
  PredictNode(SqlPosition position, ModelRef model, std::vector<EvalNodeRef> args)
      : EvalNode(Type::double_precision(), position),
        model_(std::move(model)),
        scorer_(model_->make_scorer()),
        args_(std::move(args)) {}

  void compute(EvalContext& context, Selection selection, Column& out) override {
    gather(context, selection, out);
    if (selection.count == 0) return;
    scores_.resize(selection.count);
    const absl::Status status = scorer_->predict(features_, scores_);
    if (!status.ok()) return fail(context, selection, status, out);
    double* values = out.values<double>().data();
    for (size_t i = 0; i < selection.count; ++i) {
      const uint32_t row = selection[i];
      values[row] = out.is_null(row) ? 0 : scores_[i];
    }
  }

 private:
  // Makes the rows' features, row by row, and the nulls of the result.
  void gather(EvalContext& context, Selection selection, Column& out) {
    features_.resize(selection.count * args_.size());
    for (size_t feature = 0; feature < args_.size(); ++feature) {
      const KernelArg arg = args_[feature]->evaluate(context, selection);
      const ArgReader<double> values(arg);
      for (size_t i = 0; i < selection.count; ++i) {
        features_[i * args_.size() + feature] = values[selection[i]];
      }
      if (arg.column->has_nulls()) gather_nulls(arg, feature, selection, out);
    }
  }

  void gather_nulls(const KernelArg& arg, size_t feature, Selection selection, Column& out) {
    const bool taken = model_->facts().takes_nulls;
    for (size_t i = 0; i < selection.count; ++i) {
      const uint32_t row = selection[i];
      if (!is_null_at(arg, row)) continue;
      features_[i * args_.size() + feature] = std::numeric_limits<double>::quiet_NaN();
      if (!taken) out.set_null(row);
    }
  }

  void fail(EvalContext& context, Selection selection, const absl::Status& status, Column& out) {
    context.errors.enter(position().line, position().column, false);
    for_selected(selection, [&](uint32_t row) {
      context.errors.fail(row, std::string(status.message()));
      out.set_null(row);
    });
  }

  const ModelRef model_;
  const std::unique_ptr<Scorer> scorer_;
  std::vector<EvalNodeRef> args_;
  std::vector<double> features_;
  std::vector<double> scores_;
};

}  // namespace

EvalNodeRef make_predict_node(SqlPosition position, ModelRef model, std::vector<EvalNodeRef> args) {
  return std::make_unique<PredictNode>(position, std::move(model), std::move(args));
}

}  // namespace kappa::operators
