#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "operators/group_side.h"
#include "operators/ordered_values.h"
#include "operators/plan.h"
#include "operators/quantile_rank.h"

namespace kappa::operators {

// How often each value of an argument is there in each group: a row a group and value, with its
// times. It is what count(DISTINCT), min and max of rows that are taken back, and approx_quantile,
// which counts buckets, are made of. The last three need the values in order too.
//
// Its results depend on what rows there are, not on their order.
class GroupValues final : public GroupSide {
 public:
  enum class Of : uint8_t { kValues, kBuckets };

  // `group_key`: types of the groups' key. `groups` outlives this.
  GroupValues(state::TableId id, const std::vector<Type>& group_key, Of of, const Schema& input,
              int argument, int filter, state::Table& groups);

  bool is_of(Of of, int argument, int filter) const {
    return of_ == of && argument_ == argument && filter_ == filter;
  }
  // Calls that it serves. The fields are the groups' rows'.
  void count_distinct(state::RowField result);
  void keep_extreme(bool greatest, state::RowField result);
  void keep_quantile(const QuantileRank& quantile);
  // Of groups of windows, which expire: called before there are rows, it makes erase_window() go
  // through the rows of that window only.
  void expect_expiry();

  state::Table& table() override { return *table_; }
  void find(const Batch& input, std::span<const ColumnRef> key) override;
  void apply(size_t begin, size_t end, std::span<const state::RowId> groups) override;
  void remove_empty() override;
  void erase_window(int64_t window_start, std::span<const state::RowId> groups) override;
  void restored() override;

 private:
  struct Extreme {
    bool greatest;
    state::RowField result;  // null if there is no value
  };
  // The buckets of a group as QuantileRank goes through them.
  struct Ordered;

  int64_t& times(state::RowId value) const;
  void order();
  // The rows that were made for a window; some may be gone, or be another window's by now.
  struct OfWindow {
    std::vector<state::RowId> rows;
    size_t sweep_at = 256;
  };

  int64_t window_of(state::RowId value) const;
  void note_window(state::RowId value);
  void sweep(int64_t window_start, OfWindow& of) const;
  void erase_rows_of(int64_t window_start);
  void order_again(std::span<const state::RowId> values);
  void store_extreme(const Extreme& extreme, state::RowId group) const;

  Of of_;
  int argument_;
  int filter_;
  state::Table& groups_;
  std::unique_ptr<state::Table> table_;
  std::vector<state::RowField> distinct_;
  std::vector<Extreme> extremes_;
  std::vector<QuantileRank> quantiles_;
  std::optional<OrderedValues> ordered_;  // those that are there
  // By window, where windows expire and nothing orders the values. 4 bytes a value.
  std::optional<absl::flat_hash_map<int64_t, OfWindow>> windows_;
  std::vector<uint32_t> created_;  // scratch
  // Of the batch found last: the value of each row, and whether it comes or goes.
  std::vector<state::RowId> found_;
  std::vector<int8_t> signs_;
};

}  // namespace kappa::operators
