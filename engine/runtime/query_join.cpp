#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/runtime/query_rows.h"
#include "engine/runtime/query_stage.h"
#include "engine/types/hash.h"
#include "engine/types/status_macros.h"

namespace kappa::runtime {
namespace {

std::vector<ColumnRef> pick_columns(const Batch& batch, const std::vector<int>& columns) {
  std::vector<ColumnRef> picked;
  picked.reserve(columns.size());
  for (int column : columns) picked.push_back(batch.columns[static_cast<size_t>(column)]);
  return picked;
}

bool any_null(const std::vector<ColumnRef>& columns, size_t row) {
  return std::any_of(columns.begin(), columns.end(),
                     [&](const ColumnRef& column) { return column->is_null(row); });
}

// A hash join: keeps the right side, streams the left one. Null keys never match.
class JoinStage final : public QueryStage {
 public:
  JoinStage(const sql::QueryJoin& join, const operators::Schema& right_schema, QueryStageRef left,
            QueryStageRef right, QueryRun& run)
      : join_(join),
        left_(std::move(left)),
        right_(std::move(right)),
        run_(run),
        build_(right_schema) {}

  absl::StatusOr<Batch> next() override {
    if (!built_) KAPPA_RETURN_IF_ERROR(build());
    left_rows_.clear();
    right_rows_.clear();
    while (left_rows_.empty()) {
      KAPPA_RETURN_IF_ERROR(run_.budget.check_deadline());
      if (probed_ == probe_.rows) {
        KAPPA_ASSIGN_OR_RETURN(probe_, left_->next());
        if (probe_.empty()) return Batch();
        KAPPA_RETURN_IF_ERROR(start_probe());
      }
      while (probed_ < probe_.rows && left_rows_.size() < kQueryBatchRows) probe_row();
    }
    return matched();
  }

 private:
  absl::Status build() {
    built_ = true;
    std::vector<uint64_t> hashes;
    while (true) {
      KAPPA_ASSIGN_OR_RETURN(Batch batch, right_->next());
      if (batch.empty()) break;
      const std::vector<ColumnRef> key = pick_columns(batch, join_.right_keys);
      hash_columns(key, batch.rows, &hashes);
      std::vector<uint32_t> kept;
      for (uint32_t i = 0; i < batch.rows; ++i) {
        if (any_null(key, i)) continue;
        kept.push_back(i);
        index_.add(hashes[i]);
      }
      build_.append(batch, kept);
      KAPPA_RETURN_IF_ERROR(run_.budget.hold(build_.bytes() + index_.bytes(), &held_bytes_));
    }
    right_batch_ = build_.take_rows();
    right_key_ = pick_columns(right_batch_, join_.right_keys);
    return absl::OkStatus();
  }

  absl::Status start_probe() {
    probed_ = 0;
    left_key_ = pick_columns(probe_, join_.left_keys);
    for (size_t k = 0; k < left_key_.size() && !right_batch_.empty(); ++k) {
      const Type& left = left_key_[k]->type();
      const Type& right = right_key_[k]->type();
      if (left.id == right.id && left.physical() == right.physical() && left.scale == right.scale) {
        continue;
      }
      return absl::InternalError(absl::StrCat("a join compares ", to_string(left), " with ",
                                              to_string(right), " without a cast"));
    }
    hash_columns(left_key_, probe_.rows, &hashes_);
    enter_row();
    return absl::OkStatus();
  }

  // Where the search for the present left row's matches begins.
  void enter_row() {
    matched_ = false;
    candidate_ = probed_ == probe_.rows || any_null(left_key_, probed_)
                     ? RowIndex::kNone
                     : index_.first(hashes_[probed_]);
  }

  // Takes the next match of the present left row, or goes on to the row after it.
  void probe_row() {
    const auto row = static_cast<uint32_t>(probed_);
    for (; candidate_ != RowIndex::kNone; candidate_ = index_.next(candidate_)) {
      if (!same_key(row, candidate_)) continue;
      left_rows_.push_back(row);
      right_rows_.push_back(candidate_);
      matched_ = true;
      candidate_ = index_.next(candidate_);
      return;
    }
    if (join_.left && !matched_) {
      left_rows_.push_back(row);
      right_rows_.push_back(RowIndex::kNone);
    }
    ++probed_;
    enter_row();
  }

  bool same_key(uint32_t left, uint32_t right) const {
    for (size_t k = 0; k < left_key_.size(); ++k) {
      if (!same_value(*left_key_[k], left, *right_key_[k], right)) return false;
    }
    return true;
  }

  Batch matched() const {
    Batch batch = gather(probe_, left_rows_);
    std::vector<uint32_t> present;  // right rows, without the places of missing ones
    for (uint32_t row : right_rows_) {
      if (row != RowIndex::kNone) present.push_back(row);
    }
    for (const ColumnRef& column : right_batch_.columns) {
      Column picked = column->gather(present);
      batch.columns.push_back(std::make_shared<const Column>(
          present.size() == right_rows_.size() ? std::move(picked) : spread(picked)));
    }
    return batch;
  }

  // The values of `present` where there is a right row, and null elsewhere.
  Column spread(const Column& present) const {
    Column out(present.type());
    out.resize(right_rows_.size());
    size_t next = 0;
    for (size_t i = 0; i < right_rows_.size(); ++i) {
      const bool missing = right_rows_[i] == RowIndex::kNone;
      const size_t from = missing ? 0 : next++;
      if (missing || present.is_null(from)) {
        out.set_null(i);
      } else {
        dispatch_physical(out.type().physical(),
                          [&]<typename T>() { out.values<T>()[i] = present.values<T>()[from]; });
      }
    }
    return out;
  }

  const sql::QueryJoin& join_;
  QueryStageRef left_;
  QueryStageRef right_;
  QueryRun& run_;

  QueryRows build_;  // holds the right side's strings
  Batch right_batch_;
  std::vector<ColumnRef> right_key_;
  RowIndex index_;
  size_t held_bytes_ = 0;
  bool built_ = false;

  Batch probe_;  // the present rows of the left side
  std::vector<ColumnRef> left_key_;
  std::vector<uint64_t> hashes_;
  size_t probed_ = 0;
  uint32_t candidate_ = RowIndex::kNone;
  bool matched_ = false;

  std::vector<uint32_t> left_rows_;
  std::vector<uint32_t> right_rows_;  // kNone: none, the row has no match
};

}  // namespace

QueryStageRef make_join(const sql::QueryJoin& join, const operators::Schema& right_schema,
                        QueryStageRef left, QueryStageRef right, QueryRun& run) {
  return std::make_unique<JoinStage>(join, right_schema, std::move(left), std::move(right), run);
}

}  // namespace kappa::runtime
