#include <algorithm>

#include "engine/runtime/query_rows.h"
#include "engine/runtime/query_stage.h"
#include "engine/types/status_macros.h"

namespace kappa::runtime {
namespace {

class SortStage final : public QueryStage {
 public:
  SortStage(const sql::QuerySort& sort, const operators::Schema& schema, size_t rows_max,
            QueryStageRef input, QueryRun& run)
      : keys_(sort.keys), rows_max_(rows_max), input_(std::move(input)), run_(run), rows_(schema) {}

  absl::StatusOr<Batch> next() override {
    if (!done_) KAPPA_RETURN_IF_ERROR(sort());
    KAPPA_RETURN_IF_ERROR(run_.budget.check_deadline());
    const size_t end = std::min(given_ + kQueryBatchRows, order_.size());
    const std::vector<uint32_t> picked(order_.begin() + static_cast<std::ptrdiff_t>(given_),
                                       order_.begin() + static_cast<std::ptrdiff_t>(end));
    given_ = end;
    return picked.empty() ? Batch() : gather(sorted_, picked);
  }

 private:
  absl::Status sort() {
    done_ = true;
    while (true) {
      KAPPA_ASSIGN_OR_RETURN(Batch batch, input_->next());
      if (batch.empty()) break;
      rows_.append(batch);
      // Of a sort under a limit only the first rows are kept, now and then.
      if (rows_max_ < rows_.rows() && rows_.rows() - rows_max_ > rows_max_ + 16 * kQueryBatchRows) {
        rows_.keep(rows_.order(keys_, rows_max_));
      }
      KAPPA_RETURN_IF_ERROR(run_.budget.hold(rows_.bytes(), &held_bytes_));
    }
    KAPPA_RETURN_IF_ERROR(run_.budget.check_deadline());
    order_ = rows_.order(keys_, rows_max_);
    sorted_ = rows_.take_rows();
    return absl::OkStatus();
  }

  const std::vector<sql::SortKey>& keys_;
  size_t rows_max_;
  QueryStageRef input_;
  QueryRun& run_;
  QueryRows rows_;
  Batch sorted_;  // as they came; order_ says how they go
  std::vector<uint32_t> order_;
  size_t given_ = 0;
  size_t held_bytes_ = 0;
  bool done_ = false;
};

}  // namespace

QueryStageRef make_sort(const sql::QuerySort& sort, const operators::Schema& schema,
                        size_t rows_max, QueryStageRef input, QueryRun& run) {
  return std::make_unique<SortStage>(sort, schema, rows_max, std::move(input), run);
}

}  // namespace kappa::runtime
