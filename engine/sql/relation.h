#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "operators/plan.h"

namespace kappa::sql {

// What a column says about when its row happened. Windows are taken over it only.
enum class TimeRole : uint8_t {
  kNone,
  kEventTime,    // it is the row's event time
  kWindowStart,  // of the window that the row sums up, whose event time is window_end - 1 µs
  kWindowEnd,
};

struct RelationColumn {
  std::string name;
  Type type;
  TimeRole role = TimeRole::kNone;
  int64_t window_size_us = 0;  // of a window's start: of that window
  bool hidden = false;         // SELECT * leaves it out
};

// Rows that a SELECT of the product can read or makes: a source, a view, or the result of a query
// that is about to become one.
struct Relation {
  std::string name;
  operators::NodeId node = operators::kNoNode;
  std::optional<int> source;  // a foreign table: its index, and the node is there once it is read
  std::vector<RelationColumn> columns;
  bool changelog = false;
  // Each row is that of a window of the statement under way, to which its options apply.
  bool windowed = false;
  // How far the watermark on such rows is behind the one that closes the windows.
  int64_t held_back_us = 0;
  // Each row is an insert that one record caused, so that record can be its key.
  bool by_records = false;
  // What tells its rows apart, if columns do, and what becomes of a second row of a key.
  std::optional<std::vector<int>> key;
  operators::ViewNode::Conflict conflict = operators::ViewNode::Conflict::kGrouped;
  // When its rows stop being part of it, if they are not taken back then; column -1: it depends on
  // one that is not shown.
  std::optional<operators::Expiry> expiry;
  // Where there is neither: why not, where in the text, and what would be right.
  std::string no_key_reason;
  std::string no_key_hint;
  size_t no_key_offset = 0;
  // Its rows are numbered by ROW_NUMBER(), and who reads them says how far: see top_n_planner.h.
  struct Numbered {
    int column;                                 // that is the number
    std::optional<std::vector<int>> partition;  // the columns of PARTITION BY, if all are there
    operators::SqlPosition position;
  };
  std::optional<Numbered> numbered;
  // For how long a view keeps them, if not for ever.
  std::optional<int64_t> retention_us;

  // The columns with the event time, and the first of them, if it still has one.
  std::vector<int> event_times() const;
  std::optional<int> event_time() const;
};

}  // namespace kappa::sql
