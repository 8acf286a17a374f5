#include "engine/runtime/query_stage.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "engine/types/status_macros.h"
#include "operators/evaluator.h"

namespace kappa::runtime {
namespace {

class FilterStage final : public QueryStage {
 public:
  FilterStage(const sql::QueryFilter& filter, QueryStageRef input)
      : predicate_(filter.predicate), input_(std::move(input)) {}

  absl::StatusOr<Batch> next() override {
    while (true) {
      KAPPA_ASSIGN_OR_RETURN(Batch batch, input_->next());
      if (batch.empty()) return batch;
      arena_.reset();
      std::vector<uint32_t> rows;
      std::vector<operators::RowError> errors;
      predicate_.select(batch, arena_, &rows, &errors);
      KAPPA_RETURN_IF_ERROR(first_error(errors));
      if (rows.size() == batch.rows) return batch;
      if (!rows.empty()) return gather(batch, rows);
    }
  }

 private:
  operators::Evaluator predicate_;
  QueryStageRef input_;
  Arena arena_;
};

class ProjectStage final : public QueryStage {
 public:
  ProjectStage(const sql::QueryProject& project, QueryStageRef input) : input_(std::move(input)) {
    for (const operators::ExprRef& expr : project.exprs) exprs_.emplace_back(expr);
  }

  absl::StatusOr<Batch> next() override {
    KAPPA_ASSIGN_OR_RETURN(Batch batch, input_->next());
    Batch result;
    if (batch.empty()) return result;
    arena_.reset();
    result.rows = batch.rows;
    for (const operators::Evaluator& expr : exprs_) {
      std::vector<operators::RowError> errors;
      result.columns.push_back(expr.evaluate(batch, arena_, &errors));
      KAPPA_RETURN_IF_ERROR(first_error(errors));
    }
    return result;
  }

 private:
  std::vector<operators::Evaluator> exprs_;
  QueryStageRef input_;
  Arena arena_;
};

class LimitStage final : public QueryStage {
 public:
  LimitStage(const sql::QueryLimit& limit, QueryStageRef input)
      : skip_(limit.offset),
        left_(limit.limit.value_or(std::numeric_limits<int64_t>::max())),
        input_(std::move(input)) {}

  absl::StatusOr<Batch> next() override {
    while (left_ > 0) {
      KAPPA_ASSIGN_OR_RETURN(Batch batch, input_->next());
      if (batch.empty()) return batch;
      const auto rows = static_cast<int64_t>(batch.rows);
      const int64_t begin = std::min(skip_, rows);
      const int64_t end = begin + std::min(left_, rows - begin);
      skip_ -= begin;
      left_ -= end - begin;
      if (begin == 0 && end == rows) return batch;
      if (begin == end) continue;
      std::vector<uint32_t> picked;
      for (int64_t i = begin; i < end; ++i) picked.push_back(static_cast<uint32_t>(i));
      return gather(batch, picked);
    }
    return Batch();
  }

 private:
  int64_t skip_;
  int64_t left_;
  QueryStageRef input_;
};

class UnionStage final : public QueryStage {
 public:
  explicit UnionStage(std::vector<QueryStageRef> inputs) : inputs_(std::move(inputs)) {}

  absl::StatusOr<Batch> next() override {
    for (; present_ < inputs_.size(); ++present_) {
      KAPPA_ASSIGN_OR_RETURN(Batch batch, inputs_[present_]->next());
      if (!batch.empty()) return batch;
    }
    return Batch();
  }

 private:
  std::vector<QueryStageRef> inputs_;
  size_t present_ = 0;
};

class SingleRowStage final : public QueryStage {
 public:
  absl::StatusOr<Batch> next() override {
    Batch batch;
    batch.rows = done_ ? 0 : 1;
    done_ = true;
    return batch;
  }

 private:
  bool done_ = false;
};

// How many rows of its order a sort below this limit must give.
size_t rows_needed(const sql::QueryLimit& limit) {
  if (!limit.limit) return std::numeric_limits<size_t>::max();
  return static_cast<size_t>(*limit.limit) + static_cast<size_t>(limit.offset);
}

QueryStageRef make_sort_stage(const sql::QueryNode& node, size_t rows_max, QueryRun& run) {
  return make_sort(std::get<sql::QuerySort>(node.op), node.schema, rows_max,
                   make_stage(*node.inputs[0], run), run);
}

struct MakeStage {
  const sql::QueryNode& node;
  QueryRun& run;

  QueryStageRef input(size_t i = 0) const { return make_stage(*node.inputs[i], run); }

  QueryStageRef operator()(const sql::ViewScan& op) const {
    return make_scan(op, node.schema, run);
  }
  QueryStageRef operator()(const sql::QueryFilter& op) const { return make_filter(op, input()); }
  QueryStageRef operator()(const sql::QueryProject& op) const { return make_project(op, input()); }
  QueryStageRef operator()(const sql::QueryAggregate&) const {
    return make_aggregate(node, input(), run);
  }
  QueryStageRef operator()(const sql::QueryDistinct&) const {
    return make_distinct(node.schema, input(), run);
  }
  QueryStageRef operator()(const sql::QueryUnionAll&) const {
    std::vector<QueryStageRef> inputs;
    for (size_t i = 0; i < node.inputs.size(); ++i) inputs.push_back(input(i));
    return make_union(std::move(inputs));
  }
  QueryStageRef operator()(const sql::QueryJoin& op) const {
    return make_join(op, node.inputs[1]->schema, input(0), input(1), run);
  }
  QueryStageRef operator()(const sql::QuerySort&) const {
    return make_sort_stage(node, std::numeric_limits<size_t>::max(), run);
  }
  QueryStageRef operator()(const sql::QueryLimit& op) const {
    const sql::QueryNode& below = *node.inputs[0];
    const bool sorts = std::holds_alternative<sql::QuerySort>(below.op);
    return make_limit(op, sorts ? make_sort_stage(below, rows_needed(op), run) : input());
  }
  QueryStageRef operator()(const sql::QuerySingleRow&) const { return make_single_row(); }
};

}  // namespace

absl::Status first_error(const std::vector<operators::RowError>& errors) {
  if (errors.empty()) return absl::OkStatus();
  const operators::RowError& error = errors.front();
  return absl::InvalidArgumentError(
      absl::StrCat(error.line, ":", error.column, ": ", error.message));
}

QueryStageRef make_stage(const sql::QueryNode& node, QueryRun& run) {
  return std::visit(MakeStage{node, run}, node.op);
}

QueryStageRef make_filter(const sql::QueryFilter& filter, QueryStageRef input) {
  return std::make_unique<FilterStage>(filter, std::move(input));
}

QueryStageRef make_project(const sql::QueryProject& project, QueryStageRef input) {
  return std::make_unique<ProjectStage>(project, std::move(input));
}

QueryStageRef make_limit(const sql::QueryLimit& limit, QueryStageRef input) {
  return std::make_unique<LimitStage>(limit, std::move(input));
}

QueryStageRef make_union(std::vector<QueryStageRef> inputs) {
  return std::make_unique<UnionStage>(std::move(inputs));
}

QueryStageRef make_single_row() {
  return std::make_unique<SingleRowStage>();
}

}  // namespace kappa::runtime
