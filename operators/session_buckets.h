#pragma once

#include <memory>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "operators/quantile_rank.h"
#include "operators/session_side.h"

namespace kappa::operators {

// How many values open sessions have in each bucket, for approx_quantile.
//
// State: a table, key = the group's columns, the session's origin, the bucket; value = its times.
class SessionBuckets final : public SessionSide {
 public:
  // As SessionValues.
  SessionBuckets(state::TableId id, std::vector<Type> key, const std::vector<int>& groups,
                 int argument, int filter, state::Table& sessions);

  bool is_of(int argument, int filter) const { return argument_ == argument && filter_ == filter; }
  // A call that it serves. The fields are the sessions' rows'.
  void keep_quantile(const QuantileRank& quantile) { quantiles_.push_back(quantile); }

  state::Table& table() override { return *table_; }
  void add(const SessionRows& rows) override;
  size_t size(SessionName session) const override;
  void merge(const SessionMerge& merge) override;
  void erase(SessionName session) override;
  void restored(OpenSessions& open) override;

 private:
  // Rows of the table by their buckets' numbers.
  using Buckets = absl::btree_map<int32_t, state::RowId>;
  // As QuantileRank goes through them.
  struct Ordered;

  int64_t& times(state::RowId bucket) const;
  int32_t number(state::RowId bucket) const;
  void move_quantiles(const Buckets& buckets, state::RowId session, int32_t changed, int64_t by);

  std::vector<int> groups_;
  int argument_;
  int filter_;
  state::Table& sessions_;
  std::unique_ptr<state::Table> table_;
  std::vector<QuantileRank> quantiles_;
  absl::flat_hash_map<SessionName, Buckets> buckets_;
};

}  // namespace kappa::operators
