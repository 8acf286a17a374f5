#include "test/runtime/model/top_n.h"

#include <algorithm>

namespace kappa::model {
namespace {

bool comes_before(const TopNNode& op, const Row& a, const Row& b) {
  for (const TopNNode::Order& by : op.order) {
    const Value& left = a[by.column];
    const Value& right = b[by.column];
    if (left.is_null() && right.is_null()) continue;
    if (left.is_null() || right.is_null()) return left.is_null() == by.nulls_first;
    const int order = compare_nulls_last(left, right);
    if (order != 0) return (order < 0) != by.descending;
  }
  return false;
}

}  // namespace

std::vector<Rankings::Arrived> Rankings::first_rows(const TopNNode& op, std::vector<Arrived> rows) {
  std::stable_sort(rows.begin(), rows.end(), [&](const Arrived& a, const Arrived& b) {
    return comes_before(op, a.second, b.second);
  });
  if (rows.size() > op.limit) rows.resize(op.limit);
  return rows;
}

std::vector<Rankings::Step> Rankings::apply(const TopNNode& op, int sign, const Row& given) {
  // Where more than the first row is kept, all of a row is what it is found by.
  Row row = given;
  if (op.limit > 1 || op.changelog) {
    for (Value& value : row) value = without_negative_zero(std::move(value));
  }
  Row key;
  for (const size_t column : op.key) key.push_back(row[column]);
  std::vector<Arrived>& rows = rows_[key];
  const std::vector<Arrived> before = first_rows(op, rows);
  if (sign > 0) {
    rows.emplace_back(arrivals_++, row);
  } else {
    const auto last = std::find_if(rows.rbegin(), rows.rend(),
                                   [&](const Arrived& kept) { return same_row(kept.second, row); });
    if (last != rows.rend()) rows.erase(std::next(last).base());
  }
  const std::vector<Arrived> after = first_rows(op, rows);

  std::vector<Step> steps;
  if (op.ranked) {
    // Number by number: who had it goes, who has it comes.
    const auto numbered = [](const Arrived& kept, size_t index) {
      Row shown = kept.second;
      shown.push_back(Value::bigint(static_cast<int64_t>(index) + 1));
      return shown;
    };
    for (size_t i = 0; i < std::max(before.size(), after.size()); ++i) {
      const bool stays = i < before.size() && i < after.size() && before[i].first == after[i].first;
      if (stays) continue;
      if (i < before.size()) steps.push_back({-1, numbered(before[i], i)});
      if (i < after.size()) steps.push_back({1, numbered(after[i], i)});
    }
    return steps;
  }
  const auto missing_in = [](const std::vector<Arrived>& others, const Arrived& kept) {
    return std::none_of(others.begin(), others.end(),
                        [&](const Arrived& other) { return other.first == kept.first; });
  };
  for (const Arrived& kept : before) {
    if (missing_in(after, kept)) steps.push_back({-1, kept.second});
  }
  for (const Arrived& kept : after) {
    if (missing_in(before, kept)) steps.push_back({1, kept.second});
  }
  return steps;
}

}  // namespace kappa::model
