#include "state/table.h"

#include <string>
#include <unordered_map>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/types/hash.h"
#include "random_rows.h"

namespace kappa::state {
namespace {

// Finds or makes rows for bigint keys.
std::vector<RowId> insert(Table& table, const std::vector<int64_t>& keys,
                          std::vector<uint32_t>* created = nullptr) {
  Column column(Type::bigint(), keys.size());
  std::copy(keys.begin(), keys.end(), column.values<int64_t>().begin());
  const std::vector<ColumnRef> columns = {std::make_shared<const Column>(std::move(column))};
  std::vector<uint64_t> hashes;
  hash_columns(columns, keys.size(), &hashes);
  std::vector<RowId> rows(keys.size());
  table.find_or_insert(columns, hashes, rows, created);
  return rows;
}

const RowLayout& counters() {
  static const RowLayout kLayout({Type::bigint()}, {Type::bigint(), Type::text()});
  return kLayout;
}

int64_t& count(Table& table, RowId row) {
  return Table::get<int64_t>(table.row(row), counters().values()[0]);
}
int64_t count(const std::byte* image) {
  return Table::get<int64_t>(image, counters().values()[0]);
}

}  // namespace

TEST_CASE("a table counts right over many keys in large batches, with rows that come and go") {
  const uint64_t seed = GENERATE(range(1, 4));
  INFO("seed " << seed);
  RandomRows random(seed);
  Table table({1, 0}, counters());
  std::unordered_map<int64_t, int64_t> model;
  for (int batch = 0; batch < 25; ++batch) {
    std::vector<int64_t> keys(8192);
    for (int64_t& key : keys) key = static_cast<int64_t>(random.below(100'000));
    const std::vector<RowId> rows = insert(table, keys);
    for (size_t i = 0; i < keys.size(); ++i) {
      ++count(table, rows[i]);
      ++model[keys[i]];
    }
    for (int n = 0; n < 2000; ++n) {
      const auto key = static_cast<int64_t>(random.below(100'000));
      const RowId row = table.find_one({Value::bigint(key)});
      if ((row != kNoRow) != model.contains(key)) FAIL("key " << key);
      if (row != kNoRow) table.erase(row);
      model.erase(key);
    }
  }
  REQUIRE(table.rows() == model.size());
  // Ids of erased rows are given out again.
  REQUIRE(table.row_ids_end() < model.size() + 2000 + 8192);
  for (const auto& [key, expected] : model) {
    const RowId row = table.find_one({Value::bigint(key)});
    if (row == kNoRow || count(table, row) != expected) FAIL("key " << key);
  }
}

TEST_CASE("rows are not given out again while a pinned cut shows them") {
  Table table({1, 0}, counters());
  const RowId row = insert(table, {1})[0];
  count(table, row) = 5;
  const Cut cut = table.cut_and_pin();
  table.erase(row);
  const RowId other = insert(table, {2})[0];
  REQUIRE(other != row);
  REQUIRE(table.image(other, cut) == nullptr);
  REQUIRE(table.image(row, cut) != nullptr);
  REQUIRE(count(table.image(row, cut)) == 5);
  REQUIRE(table.find_image({Value::bigint(1)}, cut) == table.image(row, cut));
  REQUIRE(table.find_image({Value::bigint(2)}, cut) == nullptr);
  table.unpin(cut);
  REQUIRE(insert(table, {3})[0] == row);
}

TEST_CASE("a text stays as it was for who looks at an old cut") {
  Table table({1, 0}, counters());
  const RowField& text = counters().values()[1];
  const RowId row = insert(table, {1})[0];
  const std::string old_text = "a text that is too long to lie in the row";
  table.set_string(row, text, old_text);
  const size_t bytes = table.bytes();
  const Cut first = table.cut_and_pin();
  for (int n = 0; n < 1000; ++n) {
    insert(table, {1});
    table.set_string(row, text, std::string(100, static_cast<char>('a' + n % 26)));
  }
  const Cut second = table.cut_and_pin();
  insert(table, {1});
  table.set_string(row, text, "short");
  REQUIRE(Table::get_string(table.image(row, first), text) == old_text);
  REQUIRE(Table::get_string(table.image(row, second), text) == std::string(100, 'l'));
  REQUIRE(Table::get_string(table.row(row), text) == "short");
  // What nobody looks at is not kept.
  REQUIRE(table.bytes() < bytes + 1000);
  table.unpin(first);
  REQUIRE(Table::get_string(table.image(row, second), text) == std::string(100, 'l'));
  table.unpin(second);
}

TEST_CASE("what pinned cuts keep is freed when they are unpinned, whatever their order") {
  const bool oldest_first = GENERATE(true, false);
  Table table({1, 0}, counters());
  std::vector<int64_t> keys(20'000);
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = static_cast<int64_t>(i);
  insert(table, keys);
  const size_t bytes = table.bytes();
  std::vector<Cut> cuts;
  for (int n = 0; n < 5; ++n) {
    cuts.push_back(table.cut_and_pin());
    insert(table, keys);
  }
  REQUIRE(table.bytes() > bytes + 5 * keys.size() * counters().row_bytes());
  if (!oldest_first) std::reverse(cuts.begin(), cuts.end());
  for (Cut cut : cuts) table.unpin(cut);
  // The rest is freed by the way.
  for (int n = 0; n < 200; ++n) insert(table, {keys.begin(), keys.begin() + 1000});
  REQUIRE(table.bytes() < bytes + bytes / 4);
}

TEST_CASE("cuts without changes in between are one cut") {
  Table table({1, 0}, counters());
  insert(table, {1});
  const Cut first = table.cut_and_pin();
  const Cut second = table.cut_and_pin();
  REQUIRE(first == second);
  table.unpin(first);
  count(table, insert(table, {1})[0]) = 9;
  REQUIRE(count(table.image(0, second)) == 0);
  REQUIRE(table.cut_and_pin() != second);
}

TEST_CASE("created rows are listed once, in order, also within a batch") {
  Table table({1, 0}, counters());
  std::vector<uint32_t> created = {99};
  const std::vector<RowId> rows = insert(table, {5, 5, 6, 5, 7, 6}, &created);
  REQUIRE(created == std::vector<uint32_t>{0, 2, 4});
  REQUIRE(rows[0] == rows[1]);
  REQUIRE(rows[0] == rows[3]);
  REQUIRE(rows[2] == rows[5]);
  insert(table, {5, 7}, &created);
  REQUIRE(created.empty());
}

TEST_CASE("only what changed is dirty, and nothing after loading") {
  Table table({1, 0}, counters());
  insert(table, {1, 2, 3});
  REQUIRE(table.dirty_bytes() > 0);
  PackedTable packed;
  const auto checkpoint = [&] {
    const Cut cut = table.cut_and_pin();
    table.begin_checkpoint(cut);
    while (table.checkpoint_slice(1, &packed) == 1) {
    }
    table.unpin(cut);
  };
  checkpoint();
  REQUIRE(table.dirty_bytes() == 0);
  const RowId row = table.find_one({Value::bigint(2)});
  REQUIRE(table.dirty_bytes() == 0);
  table.touch(row);
  table.touch(row);
  REQUIRE(table.dirty_bytes() == table.layout().row_bytes());
  checkpoint();
  std::string key;
  std::string value;
  table.encode(table.row(row), &key, &value);
  REQUIRE(table.load(key, value).ok());
  REQUIRE(table.load("\x01\x80" + std::string(6, '\0') + "\x09", value).ok());
  REQUIRE(table.rows() == 4);
  REQUIRE(table.dirty_bytes() == 0);
}

TEST_CASE("fields of every type go to columns and values as they are") {
  RandomRows random(3);
  const std::vector<Type> types = {Type::boolean(), Type::integer(),      Type::bigint(),
                                   Type::text(),    Type::numeric(38, 2), Type::double_precision()};
  Table table({1, 0}, RowLayout(types, {}));
  std::vector<Row> keys(200);
  for (Row& key : keys) key = random.row(types);
  const auto columns = to_columns(types, keys);
  std::vector<uint64_t> hashes;
  hash_columns(columns, keys.size(), &hashes);
  std::vector<RowId> rows(keys.size());
  table.find_or_insert(columns, hashes, rows, nullptr);
  std::vector<const std::byte*> images;
  for (RowId row : rows) images.push_back(table.row(row));
  Arena arena;
  for (size_t c = 0; c < types.size(); ++c) {
    Column all(types[c]);
    Table::append_all(images, table.layout().key()[c], all, arena);
    Column single(types[c]);
    for (size_t i = 0; i < keys.size(); ++i) {
      Table::append_to(images[i], table.layout().key()[c], single, arena);
      const Value value = Table::value(images[i], table.layout().key()[c]);
      REQUIRE(value.type == types[c]);
      REQUIRE(kappa::to_text(value_at(all, i)) == kappa::to_text(value));
      REQUIRE(kappa::to_text(value_at(single, i)) == kappa::to_text(value));
      REQUIRE(value.is_null() == keys[i][c].is_null());
      if (!value.is_null()) REQUIRE(compare_values(value, keys[i][c]) == 0);
    }
  }
}

}  // namespace kappa::state
