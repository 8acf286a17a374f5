#pragma once

#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "operators/session_side.h"

namespace kappa::operators {

// The values that open sessions have seen, for count(DISTINCT).
//
// State: a table, key = the group's columns, the session's origin, the value; no values.
class SessionValues final : public SessionSide {
 public:
  // `key`: types of the group's columns and the origin. `result` is the field of the sessions' rows
  // with the count. `sessions` outlives this.
  SessionValues(state::TableId id, std::vector<Type> key, const std::vector<int>& groups,
                const Schema& input, int argument, int filter, state::RowField result,
                state::Table& sessions);

  state::Table& table() override { return *table_; }
  void add(const SessionRows& rows) override;
  size_t size(SessionName session) const override;
  void merge(const SessionMerge& merge) override;
  void erase(SessionName session) override;
  void restored(OpenSessions& open) override;

 private:
  int64_t& count_of(state::RowId session);

  std::vector<int> groups_;
  int argument_;
  int filter_;
  state::RowField result_;
  state::Table& sessions_;
  std::unique_ptr<state::Table> table_;
  absl::flat_hash_map<SessionName, std::vector<state::RowId>> values_;  // rows of the table
};

}  // namespace kappa::operators
