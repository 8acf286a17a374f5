#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "operators/operator.h"

namespace kappa::operators {

// OVER on one worker, by keeping the rows that some frame may still hold: it holds the partitions
// that fall to the worker. An answer goes through the rows of its frame, so it costs as much as the
// frame is long; a row costs its insertion.
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
  struct Kept {
    int64_t time_us;
    int64_t number;  // among those of one time
    state::RowId row;
    auto position() const { return std::pair(time_us, number); }
  };
  // The rows of a partition in order; those before `first` are gone.
  struct Partition {
    std::vector<Kept> rows;
    size_t first = 0;
    state::RowId key = state::kNoRow;  // in partitions_of_

    std::span<const Kept> kept() const { return std::span(rows).subspan(first); }
  };
  // A stretch of a partition's kept rows.
  struct Stretch {
    size_t begin = 0;
    size_t end = 0;
  };

  std::vector<ColumnRef> partition_columns(const Batch& input) const;
  Partition& partition_of(state::RowId key, bool created);
  // Inserts a row; its index in the partition's rows.
  size_t insert(Partition& partition, const Batch& input, size_t row, int64_t time_us);
  state::RowId store(const Batch& input, size_t row, int64_t time_us, int64_t number);
  // How many of the partition's first rows count no more.
  size_t expired(const Partition& partition, int64_t watermark_us) const;
  void evict(Partition& partition, int64_t watermark_us);

  void answer(const Partition& partition, const Kept& at, int64_t watermark_us,
              std::vector<Column>& results, Arena& arena);
  Stretch frame_of(const FrameCall& call, const Partition& partition, const Kept& at,
                   int64_t watermark_us) const;
  void append_result(size_t call, std::span<const Kept> rows, Column& result, Arena& arena);
  void append_lag(size_t call, const Partition& partition, const Kept& at, Stretch frame,
                  Column& result, Arena& arena) const;
  void append_best(size_t call, std::span<const std::byte* const> rows, Column& result,
                   Arena& arena) const;
  int64_t count_distinct(size_t call, std::span<const std::byte* const> rows);
  // The rows that a call sees: its argument is not null and its filter is true.
  void see(size_t call, std::span<const Kept> rows);

  const PlanNode& node_;
  const SlidingNode& op_;
  const Schema& input_schema_;
  int64_t rows_max_ = 0;            // that a frame of rows reaches back
  std::vector<int> value_columns_;  // of the input: arguments and filters
  struct CallFields {
    std::optional<state::RowField> argument;
    std::optional<state::RowField> filter;
  };
  std::vector<CallFields> fields_;  // by call
  std::unique_ptr<state::Table> table_;

  std::unique_ptr<state::Table> partitions_of_;  // partition columns → index into partitions_
  std::vector<Partition> partitions_;
  std::vector<size_t> spare_;  // indexes that no partition has
  size_t cursor_ = 0;
  std::vector<const std::byte*> seen_;  // scratch of an answer
  absl::flat_hash_set<std::string_view> distinct_;
};

}  // namespace kappa::operators
