#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "operators/kept_answers.h"
#include "operators/operator.h"
#include "operators/sweep_pace.h"

namespace kappa::operators {

// OVER on one worker, by keeping the rows that some frame may still hold: it holds the partitions
// that fall to the worker. What a row and its answer cost: kept_answers.h.
//
// State: a row each, key = partition columns, event time, and a number that tells rows of one time
// apart in the order in which they came; values = what the calls read.
//
//   row arrives ─► rows that count for nobody any more go ─► it joins its partition ─► answer
//
// A row goes once its event time is below the watermark less the horizon, unless it is among the
// last ones below the watermark that a frame of rows may reach. That is judged by the watermark at
// the place of whoever looks, so that it does not matter when a row is removed.
class KeptFrames final : public Operator {
 public:
  KeptFrames(const Plan& plan, NodeId node);

  void process(const Batch& input, const OperatorContext& context,
               std::vector<Batch>* out) override;
  std::vector<state::Table*> tables() override { return {table_.get()}; }
  void restored(int64_t watermark_us) override;

  bool kept(const std::byte* row, int64_t watermark_us) const override;
  void remove_expired(int64_t watermark_us) override;

 private:
  struct Partition {
    KeptAnswers::Rows rows;
    state::RowId key = state::kNoRow;  // in partitions_of_
  };

  std::vector<ColumnRef> partition_columns(const Batch& input) const;
  Partition& partition_of(state::RowId key, bool created);
  TimedItem insert(Partition& partition, const Batch& input, size_t row, int64_t time_us);
  state::RowId store(const Batch& input, size_t row, int64_t time_us, int64_t number);
  // How many of the partition's first rows count no more.
  size_t expired(const Partition& partition, int64_t watermark_us) const;
  void evict(Partition& partition, int64_t watermark_us);

  const PlanNode& node_;
  const SlidingNode& op_;
  const Schema& input_schema_;
  int64_t rows_max_ = 0;            // that a frame of rows reaches back
  std::vector<int> value_columns_;  // of the input: arguments and filters
  std::unique_ptr<state::Table> table_;
  std::optional<KeptAnswers> answers_;

  std::unique_ptr<state::Table> partitions_of_;  // partition columns → index into partitions_
  std::vector<Partition> partitions_;
  std::vector<size_t> spare_;  // indexes that no partition has
  size_t cursor_ = 0;
  SweepPace pace_;
};

}  // namespace kappa::operators
