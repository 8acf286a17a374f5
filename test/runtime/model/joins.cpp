#include "test/runtime/model/joins.h"

#include <algorithm>

#include "test/runtime/model/aggregates.h"

namespace kappa::model {
namespace {

Row together(const Row& left, const Row& right) {
  Row row = left;
  row.insert(row.end(), right.begin(), right.end());
  return row;
}

bool equal(const std::vector<std::pair<size_t, size_t>>& columns, const Row& left,
           const Row& right) {
  return std::all_of(columns.begin(), columns.end(), [&](const auto& pair) {
    const Value& l = left[pair.first];
    const Value& r = right[pair.second];
    return !l.is_null() && !r.is_null() && compare_values(l, r) == 0;
  });
}

std::vector<size_t> equal_columns(const std::vector<std::pair<size_t, size_t>>& equal,
                                  bool of_left) {
  std::vector<size_t> columns;
  for (const auto& [left, right] : equal) columns.push_back(of_left ? left : right);
  return columns;
}

Row nulls(const std::vector<Type>& types) {
  Row row;
  for (const Type& type : types) row.push_back(Value::null(type));
  return row;
}

int64_t time_of(const Row& row, size_t column) {
  return std::get<int64_t>(row[column].data);
}

bool match(const RelationJoinNode& op, const Row& left, const Row& right) {
  if (!equal(op.equal, left, right)) return false;
  if (!op.condition) return true;
  const auto holds = evaluate(*op.condition, together(left, right));
  return holds && !holds->is_null() && std::get<bool>(holds->data);
}

// Those of `rows` for which `matches`, by their key.
template <typename Matches>
std::vector<Row> matching(const std::vector<Row>& rows, const std::vector<size_t>& key,
                          Matches matches) {
  std::vector<Row> found;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(found), matches);
  const auto key_of = [&](const Row& row) {
    Row values;
    for (const size_t column : key) values.push_back(row[column]);
    return values;
  };
  std::stable_sort(found.begin(), found.end(),
                   [&](const Row& a, const Row& b) { return RowLess()(key_of(a), key_of(b)); });
  return found;
}

}  // namespace

// A row takes the place of the one of its key that matches the same rows: a view may have forgotten
// that without taking it back.
std::vector<Change> JoinedBags::apply(const RelationJoinNode& op, bool of_left,
                                      const Change& given) {
  const auto& key = of_left ? op.left_key : op.right_key;
  Change change = given;
  change.row = kept_row(kept_row(change.row, key), equal_columns(op.equal, of_left));
  const auto key_of = [&](const Row& row) {
    Row values;
    for (const size_t column : key) values.push_back(row[column]);
    for (const auto& [l, r] : op.equal) values.push_back(row[of_left ? l : r]);
    return values;
  };
  std::vector<Row>& rows = of_left ? left : right;
  const auto old = std::find_if(rows.begin(), rows.end(), [&](const Row& row) {
    return same_row(key_of(row), key_of(change.row));
  });
  if (change.sign < 0 || old == rows.end()) return apply_one(op, of_left, change);
  std::vector<Change> changes = apply_one(op, of_left, {-1, Row(*old)});
  const std::vector<Change> more = apply_one(op, of_left, change);
  changes.insert(changes.end(), more.begin(), more.end());
  return changes;
}

std::vector<Change> JoinedBags::apply_one(const RelationJoinNode& op, bool of_left,
                                          const Change& change) {
  const Row nothing = nulls(op.right_types);
  std::vector<Change> changes;
  std::vector<Row>& bag = of_left ? left : right;
  const auto remove = [&] {
    const auto at = find_row(bag, change.row);
    if (at != bag.end()) bag.erase(at);
  };
  const auto matches_of = [&](const Row& row) {
    return matching(right, op.right_key, [&](const Row& other) { return match(op, row, other); });
  };
  if (of_left) {
    const std::vector<Row> matches = matches_of(change.row);
    for (const Row& other : matches) {
      changes.push_back({change.sign, together(change.row, other)});
    }
    if (matches.empty() && op.outer) {
      changes.push_back({change.sign, together(change.row, nothing)});
    }
    change.sign > 0 ? bag.push_back(change.row) : remove();
    return changes;
  }
  if (change.sign < 0) remove();
  for (const Row& other :
       matching(left, op.left_key, [&](const Row& row) { return match(op, row, change.row); })) {
    // `right` is without the changed row: whether this is the only one.
    const bool only = op.outer && matches_of(other).empty();
    if (only && change.sign > 0) changes.push_back({-1, together(other, nothing)});
    changes.push_back({change.sign, together(other, change.row)});
    if (only && change.sign < 0) changes.push_back({1, together(other, nothing)});
  }
  if (change.sign > 0) bag.push_back(change.row);
  return changes;
}

namespace {

bool match(const IntervalJoinNode& op, const Row& left, const Row& right) {
  const int64_t distance = time_of(right, op.right_time) - time_of(left, op.left_time);
  return equal(op.equal, left, right) && op.from_us <= distance && distance <= op.to_us;
}

Change pair_of(const IntervalJoinNode& op, const Row& left, const Row* right) {
  Row row = together(left, right ? *right : nulls(op.right_types));
  int64_t time = time_of(left, op.left_time);
  if (right) time = std::max(time, time_of(*right, op.right_time));
  row.push_back(Value::timestamptz(time));
  return {1, std::move(row)};
}

}  // namespace

std::vector<Change> TimedBags::apply(const IntervalJoinNode& op, bool of_left, const Row& row,
                                     int64_t watermark_us) {
  std::vector<Change> pairs;
  if (of_left) {
    std::vector<Row> matches;
    std::copy_if(right.begin(), right.end(), std::back_inserter(matches),
                 [&](const Row& other) { return match(op, row, other); });
    std::stable_sort(matches.begin(), matches.end(), [&](const Row& a, const Row& b) {
      return time_of(a, op.right_time) < time_of(b, op.right_time);
    });
    for (const Row& other : matches) pairs.push_back(pair_of(op, row, &other));
    const bool hopeless = time_of(row, op.left_time) + op.to_us < watermark_us ||
                          std::any_of(op.equal.begin(), op.equal.end(), [&](const auto& columns) {
                            return row[columns.first].is_null();
                          });
    const bool alone = matches.empty() && hopeless;
    if (alone && op.outer) pairs.push_back(pair_of(op, row, nullptr));
    left.push_back({kept_row(row, equal_columns(op.equal, true)), !matches.empty() || alone});
    return pairs;
  }
  std::vector<Left*> matches;
  for (Left& other : left) {
    if (match(op, other.row, row)) matches.push_back(&other);
  }
  std::stable_sort(matches.begin(), matches.end(), [&](const Left* a, const Left* b) {
    return time_of(a->row, op.left_time) < time_of(b->row, op.left_time);
  });
  for (Left* other : matches) {
    other->done = true;
    pairs.push_back(pair_of(op, other->row, &row));
  }
  right.push_back(kept_row(row, equal_columns(op.equal, false)));
  return pairs;
}

std::vector<Change> TimedBags::give_up(const IntervalJoinNode& op, int64_t watermark_us) {
  std::vector<Left*> hopeless;
  for (Left& row : left) {
    if (!row.done && time_of(row.row, op.left_time) + op.to_us < watermark_us) {
      hopeless.push_back(&row);
    }
  }
  const auto position = [&](const Left* row) {
    Row values{row->row[op.left_time]};
    for (const auto& columns : op.equal) values.push_back(row->row[columns.first]);
    return values;
  };
  std::stable_sort(hopeless.begin(), hopeless.end(), [&](const Left* a, const Left* b) {
    return RowLess()(position(a), position(b));
  });
  std::vector<Change> changes;
  for (Left* row : hopeless) {
    row->done = true;
    changes.push_back(pair_of(op, row->row, nullptr));
    changes.back().cause.due_us = time_of(row->row, op.left_time) + op.to_us + op.grace_us + 1;
  }
  return changes;
}

}  // namespace kappa::model
