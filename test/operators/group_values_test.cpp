#include "operators/group_values.h"

#include <map>
#include <random>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/types/hash.h"

// Values of windows that end, one after the other, while values of others come and go.
namespace kappa::operators {
namespace {

struct Change {
  int8_t sign;
  int64_t window;
  int64_t value;
};

// The groups of windows, one a window, and the distinct values that they count.
class Windows {
 public:
  Windows()
      : groups_({1, 0}, state::RowLayout({Type::timestamptz()}, {Type::bigint()})),
        values_({1, 1}, {Type::timestamptz()}, GroupValues::Of::kValues,
                {{"window", Type::timestamptz()}, {"x", Type::bigint()}}, 1, -1, groups_) {
    values_.count_distinct(groups_.layout().values()[0]);
    values_.expect_expiry();
  }

  void apply(const std::vector<Change>& changes) {
    Batch batch;
    batch.rows = changes.size();
    Column windows(Type::timestamptz(), changes.size());
    Column values(Type::bigint(), changes.size());
    for (size_t i = 0; i < changes.size(); ++i) {
      windows.values<int64_t>()[i] = changes[i].window;
      values.values<int64_t>()[i] = changes[i].value;
      batch.signs.push_back(changes[i].sign);
    }
    batch.columns = {std::make_shared<const Column>(std::move(windows)),
                     std::make_shared<const Column>(std::move(values))};
    const std::vector<ColumnRef> key{batch.columns[0]};
    std::vector<uint64_t> hashes;
    hash_columns(key, batch.rows, &hashes);
    std::vector<state::RowId> rows(batch.rows);
    groups_.find_or_insert(key, hashes, rows, nullptr);
    values_.find(batch, key);
    values_.apply(0, batch.rows, rows);
    values_.remove_empty();
  }
  void end(int64_t window) {
    const state::RowId group = groups_.find_one({Value::timestamptz(window)});
    values_.erase_window(window, {&group, 1});
    groups_.erase(group);
  }
  int64_t count(int64_t window) const {
    const state::RowId group = groups_.find_one({Value::timestamptz(window)});
    return state::Table::get<int64_t>(groups_.row(group), groups_.layout().values()[0]);
  }
  GroupValues& values() { return values_; }

 private:
  state::Table groups_;
  GroupValues values_;
};

}  // namespace

TEST_CASE("a window that ends takes its values along and no others, though rows change windows") {
  Windows windows;
  std::mt19937_64 random(2);
  std::map<int64_t, std::map<int64_t, int>> there;  // how often, by window and value
  for (int64_t step = 0; step < 400; ++step) {
    std::vector<Change> changes;
    for (int i = 0; i < 100; ++i) {
      const int64_t window = step / 20 + static_cast<int64_t>(random() % 5);
      const auto value = static_cast<int64_t>(random() % 200);
      int& times = there[window][value];
      const bool comes = times == 0 || random() % 2 == 0;
      times += comes ? 1 : -1;
      changes.push_back({static_cast<int8_t>(comes ? 1 : -1), window, value});
    }
    windows.apply(changes);
    if (step % 33 == 0) windows.values().restored();  // as after a restart
    if (step % 20 == 19) {
      windows.end(step / 20);
      there.erase(step / 20);
    }
    int64_t all = 0;
    for (const auto& [window, values] : there) {
      int64_t distinct = 0;
      for (const auto& [value, times] : values) distinct += times > 0 ? 1 : 0;
      REQUIRE(windows.count(window) == distinct);
      all += distinct;
    }
    REQUIRE(static_cast<int64_t>(windows.values().table().rows()) == all);
  }
}

}  // namespace kappa::operators
