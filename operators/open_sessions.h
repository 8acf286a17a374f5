#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "operators/plan.h"
#include "state/table.h"

namespace kappa::operators {

// A session that may still take rows.
struct OpenSession {
  int64_t start;
  int64_t last;      // the latest of its rows; it ends at last + gap
  int64_t origin;    // the time of the row that began it
  state::RowId row;  // in the table of sessions
  int64_t number;    // of the row that came last; 0 if rows are not numbered
};

// The open sessions of one group, ascending by time. More than a gap lies between two of them.
class GroupSessions {
 public:
  using Sessions = absl::InlinedVector<OpenSession, 1>;
  using iterator = Sessions::iterator;

  state::RowId group = state::kNoRow;  // its row in the table of groups; kNoRow: nobody's

  bool empty() const { return sessions_.empty(); }
  iterator begin() { return sessions_.begin(); }
  iterator end() { return sessions_.end(); }
  // Forgets those whose last row is before that time, which have closed.
  void close_before(int64_t last_us);
  // Those that a row of that time belongs to, for it is at most `gap_us` away: maybe several, which
  // it makes one. If there are none, both ends are where its own session is to be inserted.
  std::pair<iterator, iterator> around(int64_t time_us, int64_t gap_us);
  iterator find(int64_t start_us);
  iterator find_row(state::RowId row);
  void insert(iterator at, const OpenSession& session);
  void erase(iterator begin, iterator end);

  // The number of the group's row that came last: the largest of its sessions that are open. So it
  // follows from them, and the next row's, one more, is above those of all rows that its session
  // may yet have in common with others.
  int64_t last_number() const { return last_number_; }
  void number(iterator session, int64_t number);

 private:
  Sessions sessions_;
  int64_t last_number_ = 0;
};

// Every group's open sessions. It is made from the table of sessions, which is what is stored.
class OpenSessions {
 public:
  // The groups' columns are of these types.
  OpenSessions(state::TableId table, const std::vector<Type>& key);

  // For each row of the key the number of its group, made if there is none.
  void find_groups(std::span<const ColumnRef> key, std::span<const uint64_t> hashes,
                   std::vector<uint32_t>* groups);
  GroupSessions& group(uint32_t number) {
    return (*segments_[number / kSegment])[number % kSegment];
  }
  // Forgets a group, if it has no open session.
  void forget(uint32_t number);

 private:
  static constexpr uint32_t kSegment = 1024;
  using Segment = std::array<GroupSessions, kSegment>;

  state::Table numbers_;  // of the groups, by their columns
  // They grow by segments, since moving all of them would take a while.
  std::vector<std::unique_ptr<Segment>> segments_;
  uint32_t groups_ = 0;
  std::vector<uint32_t> free_;
  std::vector<state::RowId> rows_;  // scratch
  std::vector<uint32_t> created_;
};

}  // namespace kappa::operators
