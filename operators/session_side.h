#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "engine/types/batch.h"
#include "operators/open_sessions.h"
#include "state/table.h"

namespace kappa::operators {

// Which session, while it is open: its group's number, and the time of the row that began it. No
// two sessions of a group ever have that time in common.
using SessionName = std::pair<uint32_t, int64_t>;

// Rows of a batch that have been given their sessions: input row rows[i] belongs to session
// names[i], whose row, which is touched, is sessions[i].
struct SessionRows {
  const Batch& input;
  std::span<const uint32_t> rows;
  std::span<const SessionName> names;
  std::span<const state::RowId> sessions;
};

// Two sessions become one: what `from` has seen, `to` has now. `to_row` is the row with the results
// of `to`; the row `joined`, which is touched and may be that, is to have those of both.
struct SessionMerge {
  SessionName from;
  SessionName to;
  state::RowId to_row;
  state::RowId joined;
};

// What calls of a Session keep beside the rows of open sessions, in a table of its own whose key
// begins with the group's columns and the session's origin. It writes into a session's row what the
// calls' results are made of, so a closed session needs it no more.
class SessionSide {
 public:
  virtual ~SessionSide() = default;

  virtual state::Table& table() = 0;
  virtual void add(const SessionRows& rows) = 0;
  // How many rows of the table a session has.
  virtual size_t size(SessionName session) const = 0;
  virtual void merge(const SessionMerge& merge) = 0;
  virtual void erase(SessionName session) = 0;
  // After the table was loaded. Groups and sessions are there.
  virtual void restored(OpenSessions& open) = 0;
};

// Which of the rows a call sees, as indices of rows.rows: as rows_seen().
std::vector<uint32_t> rows_seen(const SessionRows& rows, int argument, int filter);

// The key of such a table for some of the rows, without what may follow: group and origin.
std::vector<ColumnRef> session_key(const SessionRows& rows, const std::vector<uint32_t>& some,
                                   const std::vector<int>& groups);

// A column of an argument for some of the rows.
Column argument_of(const SessionRows& rows, const std::vector<uint32_t>& some, int argument);

// The rows of such a table as a key, but with another origin: all of the key's fields.
std::vector<ColumnRef> key_with_origin(const state::Table& table,
                                       std::span<const state::RowId> rows, size_t groups,
                                       int64_t origin_us, Arena& arena);

// Calls f(name, row) for each row of such a table.
void for_each_of_sessions(const state::Table& table, size_t groups, OpenSessions& open,
                          const std::function<void(SessionName, state::RowId)>& f);

}  // namespace kappa::operators
