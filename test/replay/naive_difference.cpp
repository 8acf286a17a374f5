#include "test/replay/naive_difference.h"

#include <algorithm>
#include <map>
#include <set>

#include <catch2/catch.hpp>

namespace kappa::replay {

using serve::ViewDifference;

namespace {

// As SQL orders them, nulls last.
struct RowLess {
  bool operator()(const Row& a, const Row& b) const {
    for (size_t c = 0; c < a.size(); ++c) {
      if (a[c].is_null() && b[c].is_null()) continue;
      if (a[c].is_null() || b[c].is_null()) return b[c].is_null();
      if (const int order = compare_values(a[c], b[c]); order != 0) return order < 0;
    }
    return false;
  }
};

bool same_row(const Row& a, const Row& b) {
  return !RowLess()(a, b) && !RowLess()(b, a);
}

Row key_of(const Row& row, size_t key_columns) {
  return {row.begin(), row.begin() + static_cast<int64_t>(key_columns)};
}

using Keyed = std::map<Row, Row, RowLess>;

Keyed keyed(const std::vector<Row>& rows, size_t key_columns) {
  Keyed by_key;
  for (const Row& row : rows) by_key[key_of(row, key_columns)] = row;
  REQUIRE(by_key.size() == rows.size());
  return by_key;
}

// That a sample shows rows that there are, and which differ as their kind says.
void check_sample(const ViewDifference::Sample& sample, const Keyed& before, const Keyed& after,
                  size_t key_columns) {
  REQUIRE((sample.before || sample.after));
  const Row key = key_of(sample.before ? *sample.before : *sample.after, key_columns);
  const auto former = before.find(key);
  const auto later = after.find(key);
  REQUIRE((former != before.end()) == sample.before.has_value());
  REQUIRE((later != after.end()) == sample.after.has_value());
  if (sample.before) CHECK(same_row(*sample.before, former->second));
  if (sample.after) CHECK(same_row(*sample.after, later->second));
  if (sample.before && sample.after) CHECK_FALSE(same_row(*sample.before, *sample.after));
}

// Numbers the samples' kinds in the order in which they come.
int kind_of(const ViewDifference::Sample& sample) {
  if (sample.before && sample.after) return 0;
  return sample.after ? 1 : 2;
}

}  // namespace

NaiveDifference naive_difference(const std::vector<Row>& before, const std::vector<Row>& after,
                                 size_t key_columns) {
  NaiveDifference found;
  const Keyed others = keyed(after, key_columns);
  size_t met = 0;
  for (const auto& [key, row] : keyed(before, key_columns)) {
    found.by_column.resize(row.size());
    const auto other = others.find(key);
    if (other == others.end()) {
      ++found.removed;
      continue;
    }
    ++met;
    if (same_row(row, other->second)) continue;
    ++found.changed;
    for (size_t c = 0; c < row.size(); ++c) {
      if (!same_row({row[c]}, {other->second[c]})) ++found.by_column[c];
    }
  }
  found.added = others.size() - met;
  return found;
}

void check_difference(const ViewDifference& found, const std::vector<Row>& before,
                      const std::vector<Row>& after, const std::vector<std::string>& names,
                      size_t key_columns, size_t samples_max) {
  const NaiveDifference naive = naive_difference(before, after, key_columns);
  CHECK(found.incomparable.empty());
  CHECK(found.rows_before == before.size());
  CHECK(found.rows_after == after.size());
  CHECK(found.changed == naive.changed);
  CHECK(found.added == naive.added);
  CHECK(found.removed == naive.removed);
  CHECK(found.sample_columns == names);
  std::vector<std::pair<std::string, uint64_t>> columns;
  for (size_t c = 0; c < naive.by_column.size(); ++c) {
    if (naive.by_column[c] > 0) columns.emplace_back(names[c], naive.by_column[c]);
  }
  CHECK(found.columns == columns);
  const bool equal = naive.changed == 0 && naive.added == 0 && naive.removed == 0;
  CHECK(found.equal() == equal);
  CHECK((found.checksum_before == found.checksum_after) == equal);

  const Keyed former = keyed(before, key_columns);
  const Keyed later = keyed(after, key_columns);
  std::vector<int> kinds;
  std::set<Row, RowLess> shown;
  for (const ViewDifference::Sample& sample : found.samples) {
    check_sample(sample, former, later, key_columns);
    kinds.push_back(kind_of(sample));
    CHECK(shown.insert(key_of(sample.before ? *sample.before : *sample.after, key_columns)).second);
  }
  CHECK(std::is_sorted(kinds.begin(), kinds.end()));
  const uint64_t of_kind[] = {naive.changed, naive.added, naive.removed};
  for (int kind = 0; kind < 3; ++kind) {
    CHECK(static_cast<uint64_t>(std::count(kinds.begin(), kinds.end(), kind)) ==
          std::min<uint64_t>(of_kind[kind], samples_max));
  }
}

}  // namespace kappa::replay
