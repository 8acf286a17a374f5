#pragma once

#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "operators/open_sessions.h"
#include "operators/operator.h"
#include "operators/plan.h"
#include "state/table.h"

namespace kappa::operators {

// Which session, while it is open: its group's number, and the time of the row that began it. No
// two sessions of a group ever have that time in common.
using SessionName = std::pair<uint32_t, int64_t>;

// The values that open sessions have seen, for count(distinct); a closed one needs them no more.
//
// State: a table a call, key = the group's columns, the session's origin, the value; no values.
class SessionValues {
 public:
  // Told how the count of a call changes: for which of the rows given, and by how much.
  using Counted = std::function<void(size_t call, size_t row, int64_t delta)>;

  SessionValues(const AggregateNode& op, const Schema& input, uint64_t operator_id);

  bool any() const { return !calls_.empty(); }
  std::vector<state::Table*> tables() const;

  // Input row rows[i] belongs to session sessions[i].
  void add(const Batch& input, std::span<const uint32_t> rows,
           std::span<const SessionName> sessions, const Counted& counted);
  size_t values(SessionName session) const;
  // What one session has seen, another has now; told is how often both had seen it, negative.
  void move(SessionName from, SessionName to, const Counted& counted);
  void erase(SessionName session);
  // After the tables were loaded. Groups and sessions are there.
  void restored(OpenSessions& open);

 private:
  using Lists = std::vector<std::vector<state::RowId>>;  // by distinct call: rows of its table
  struct Call {
    size_t call;
    int argument;
    int filter;
    std::unique_ptr<state::Table> table;
  };

  std::vector<uint32_t> seen(const Call& call, const Batch& input,
                             std::span<const uint32_t> rows) const;
  Lists& lists(SessionName session);

  std::vector<int> groups_;
  std::vector<Call> calls_;
  absl::flat_hash_map<SessionName, Lists> sessions_;
};

}  // namespace kappa::operators
