#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "operators/session_side.h"

namespace kappa::operators {

// The sketches of approx_count_distinct of open sessions: a row a session, whose value is the bytes
// of a DistinctSketch.
//
// State: a table, key = the group's columns, the session's origin; value = the sketch.
class SessionSketches final : public SessionSide {
 public:
  // As SessionValues; `estimate` is the field with the result.
  SessionSketches(state::TableId id, const std::vector<Type>& key, const std::vector<int>& groups,
                  int argument, int filter, state::RowField estimate, state::Table& sessions);

  state::Table& table() override { return *table_; }
  void add(const SessionRows& rows) override;
  size_t size(SessionName session) const override { return sketches_.contains(session) ? 1 : 0; }
  void merge(const SessionMerge& merge) override;
  void erase(SessionName session) override;
  void restored(OpenSessions& open) override;

 private:
  std::string_view sketch(state::RowId row) const;
  int64_t& estimate_of(state::RowId session);
  // The sketches of the rows `seen`; made if there are none. Those that are there are not touched.
  std::vector<state::RowId> rows_of(const SessionRows& rows, const std::vector<uint32_t>& seen);

  std::vector<int> groups_;
  int argument_;
  int filter_;
  state::RowField estimate_;
  state::Table& sessions_;
  std::unique_ptr<state::Table> table_;
  absl::flat_hash_map<SessionName, state::RowId> sketches_;
  std::string bytes_;  // scratch
};

}  // namespace kappa::operators
