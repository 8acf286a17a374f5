#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/container/btree_set.h"
#include "state/table.h"

namespace kappa::operators {

// The values of each group in their order (NaN the largest): an index over the rows of a table,
// made from them and no state of its own. 8 bytes a value and what the tree adds. One thread.
class OrderedValues {
 public:
  struct Entry {
    state::RowId group;  // of the groups' table
    state::RowId value;  // of the values' table
  };
  // A place between a group's values: before those that are not below `bucket`.
  struct Bound {
    state::RowId group;
    int32_t bucket;
  };
  // Before all values of a group.
  struct Begin {
    state::RowId group;
  };

  // Rows are in the order of `field`. The table outlives this, and a row stays while it is here.
  OrderedValues(const state::Table& table, state::RowField field) : entries_(Less{&table, field}) {}

  void insert(state::RowId group, state::RowId value) { entries_.insert({group, value}); }
  void erase(state::RowId group, state::RowId value) { entries_.erase({group, value}); }
  void clear() { entries_.clear(); }

  struct Less {
    using is_transparent = void;
    const state::Table* table;
    state::RowField field;

    bool operator()(const Entry& a, const Entry& b) const;
    bool operator()(const Entry& a, const Bound& b) const;
    bool operator()(const Bound& a, const Entry& b) const { return !(*this)(b, a); }
    bool operator()(const Entry& a, const Begin& b) const { return a.group < b.group; }
    bool operator()(const Begin& a, const Entry& b) const { return a.group <= b.group; }
  };
  using Entries = absl::btree_set<Entry, Less>;
  using Iterator = Entries::const_iterator;

  // The values of a group are [begin, end).
  Iterator begin_of(state::RowId group) const { return entries_.lower_bound(Begin{group}); }
  Iterator end_of(state::RowId group) const { return entries_.lower_bound(Begin{group + 1}); }
  // The first that is not below a bucket, where the field is an integer; perhaps end_of().
  Iterator find(state::RowId group, int32_t bucket) const {
    return entries_.lower_bound(Bound{group, bucket});
  }

 private:
  Entries entries_;
};

}  // namespace kappa::operators
