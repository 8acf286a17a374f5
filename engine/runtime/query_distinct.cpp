#include "engine/runtime/query_rows.h"
#include "engine/runtime/query_stage.h"
#include "engine/types/hash.h"
#include "engine/types/status_macros.h"

namespace kappa::runtime {
namespace {

// Passes on the first of equal rows. Nulls are equal to each other.
class DistinctStage final : public QueryStage {
 public:
  DistinctStage(const operators::Schema& schema, QueryStageRef input, QueryRun& run)
      : columns_(schema.size()), input_(std::move(input)), run_(run), seen_(schema) {}

  absl::StatusOr<Batch> next() override {
    while (true) {
      KAPPA_ASSIGN_OR_RETURN(Batch batch, input_->next());
      if (batch.empty()) return batch;
      hash_columns(batch.columns, batch.rows, &hashes_);
      fresh_.clear();
      for (uint32_t i = 0; i < batch.rows; ++i) {
        if (seen(batch, i)) continue;
        fresh_.push_back(i);
        index_.add(hashes_[i]);
      }
      seen_.append(batch, fresh_);
      KAPPA_RETURN_IF_ERROR(run_.budget.hold(seen_.bytes() + index_.bytes(), &held_bytes_));
      if (fresh_.size() == batch.rows) return batch;
      if (!fresh_.empty()) return gather(batch, fresh_);
    }
  }

 private:
  // The index is ahead of the rows: those of this batch, in fresh_, are added at its end.
  bool seen(const Batch& batch, uint32_t row) const {
    for (uint32_t other = index_.first(hashes_[row]); other != RowIndex::kNone;
         other = index_.next(other)) {
      const bool kept = other < seen_.rows();
      const size_t at = kept ? other : fresh_[other - seen_.rows()];
      bool same = true;
      for (size_t c = 0; c < columns_ && same; ++c) {
        const Column& column = *batch.columns[c];
        same = same_value(column, row, kept ? seen_.column(static_cast<int>(c)) : column, at);
      }
      if (same) return true;
    }
    return false;
  }

  size_t columns_;
  QueryStageRef input_;
  QueryRun& run_;
  QueryRows seen_;
  RowIndex index_;
  std::vector<uint64_t> hashes_;
  std::vector<uint32_t> fresh_;
  size_t held_bytes_ = 0;
};

}  // namespace

QueryStageRef make_distinct(const operators::Schema& schema, QueryStageRef input, QueryRun& run) {
  return std::make_unique<DistinctStage>(schema, std::move(input), run);
}

}  // namespace kappa::runtime
