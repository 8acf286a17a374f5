#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "operators/frame_summary.h"
#include "operators/plan.h"
#include "operators/time_tree.h"
#include "state/table.h"

namespace kappa::operators {

// The answers of a Sliding node's calls, from a partition's kept rows. An answer costs O(log n) of
// n rows, but for stddev, count(DISTINCT …) and sums that depend on the order (of doubles, and of
// decimals beyond 64 bits), which go through the rows of their frame.
class KeptAnswers {
 public:
  using Rows = TimeTree<FrameSummary>;

  // `table` has the rows, `fields` by call; `op` and `table` outlive this.
  KeptAnswers(const SlidingNode& op, std::vector<CallFields> fields, const state::Table& table);

  const FrameSummary& summary() const { return summary_; }
  // Appends the answers to the row `at`, one of `rows` unless it counts for nobody.
  void append(Rows& rows, const TimedItem& at, int64_t watermark_us, std::vector<Column>& results,
              Arena& arena);

 private:
  // A stretch of a partition's rows.
  struct Stretch {
    size_t begin = 0;
    size_t end = 0;
  };

  Stretch stretch_of(const Frame& frame, const Rows& rows, const TimedItem& at,
                     int64_t watermark_us) const;
  void append_result(size_t call, const Rows& rows, Stretch frame, Column& result, Arena& arena);
  void append_lag(size_t call, const Rows& rows, const TimedItem& at, Stretch frame, Column& result,
                  Arena& arena) const;
  void append_deviation(size_t call, Column& result) const;
  void append_double_sum(size_t call, Column& result) const;
  void append_whole_sum(size_t call, Column& result) const;
  int64_t count_distinct(size_t call);

  const SlidingNode& op_;
  const std::vector<CallFields> fields_;  // by call
  const state::Table& table_;
  FrameSummary summary_;
  // Calls of one frame share it, and what it sums up to.
  std::vector<Frame> frames_;
  std::vector<size_t> frame_of_call_;
  std::vector<bool> summed_up_;  // by frame: some call is answered by its summary

  std::vector<Stretch> stretches_;      // scratch of an answer: by frame
  std::vector<int64_t> sums_;           // by frame
  std::vector<const std::byte*> seen_;  // rows that a call sees
  absl::flat_hash_set<std::string_view> distinct_;
};

}  // namespace kappa::operators
