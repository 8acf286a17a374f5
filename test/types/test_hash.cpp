#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/types/arena.h"
#include "engine/types/hash.h"
#include "engine/types/value.h"

namespace kappa {
namespace {

std::vector<ColumnRef> columns_of(const std::vector<Value>& key, Arena& arena) {
  std::vector<ColumnRef> columns;
  for (const Value& value : key) {
    Column column(value.type);
    append_value(column, value, arena);
    columns.push_back(std::make_shared<const Column>(std::move(column)));
  }
  return columns;
}

uint64_t hash_of(const std::vector<Value>& key) {
  Arena arena;
  std::vector<uint64_t> hashes;
  hash_columns(columns_of(key, arena), 1, &hashes);
  return hashes.at(0);
}

WideHash wide_hash_of(const std::vector<Value>& key) {
  Arena arena;
  std::vector<WideHash> hashes;
  hash_columns(columns_of(key, arena), 1, &hashes);
  return hashes.at(0);
}

}  // namespace

// The stored format: a change of any of these makes state directories unreadable.
TEST_CASE("hashes are what they have always been") {
  CHECK(hash_of({}) == 0);
  CHECK(hash_of({Value::bigint(0)}) == 0);
  CHECK(hash_of({Value::bigint(1)}) == 0xb456bcfc34c2cb2c);
  CHECK(hash_of({Value::bigint(-1)}) == 0x64b5720b4b825f21);
  CHECK(hash_of({Value::null(Type::bigint())}) == 0x9e3779b97f4a7c15);
  CHECK(hash_of({Value::double_precision(1.5)}) == 0x885dcc874e75b6f0);
  CHECK(hash_of({Value::text("")}) == 0x2d06800538d394c2);
  CHECK(hash_of({Value::text("card-1")}) == 0xd7598324f6b46871);
  CHECK(hash_of({{Type::numeric(38, 2), int128{1} << 70}}) == 0x0b4c72614770d4b3);
  CHECK(hash_of({Value::bigint(1), Value::text("card-1")}) == 0xfd26a38e530d73c6);
}

TEST_CASE("equal values of different widths hash equal") {
  for (const int32_t v : {0, 1, -1, 77, std::numeric_limits<int32_t>::min()}) {
    const uint64_t expected = hash_of({Value::bigint(v)});
    CHECK(hash_of({Value::integer(v)}) == expected);
    CHECK(hash_of({Value::timestamptz(v)}) == expected);
    CHECK(hash_of({{Type::date(), v}}) == expected);
    CHECK(hash_of({{Type::numeric(18, 2), int64_t{v}}}) == expected);
    CHECK(hash_of({{Type::numeric(38, 2), int128{v}}}) == expected);
  }
}

TEST_CASE("doubles that compare equal hash equal") {
  CHECK(hash_of({Value::double_precision(-0.0)}) == hash_of({Value::double_precision(0.0)}));
  const double quiet = std::numeric_limits<double>::quiet_NaN();
  CHECK(hash_of({Value::double_precision(-quiet)}) == hash_of({Value::double_precision(quiet)}));
  CHECK(hash_of({Value::double_precision(std::nan("7"))}) ==
        hash_of({Value::double_precision(quiet)}));
  CHECK(hash_of({Value::double_precision(1)}) != hash_of({Value::double_precision(2)}));
}

TEST_CASE("large numerics differ in the half that differs") {
  const int128 a = (int128{5} << 64) + 9;
  CHECK(hash_of({{Type::numeric(38, 0), a}}) != hash_of({{Type::numeric(38, 0), a + 1}}));
  CHECK(hash_of({{Type::numeric(38, 0), a}}) !=
        hash_of({{Type::numeric(38, 0), a + (int128{1} << 64)}}));
  CHECK(hash_of({{Type::numeric(38, 0), a}}) != hash_of({{Type::numeric(38, 0), -a}}));
}

TEST_CASE("the order of the columns matters, and a null is not a zero") {
  CHECK(hash_of({Value::bigint(1), Value::bigint(2)}) !=
        hash_of({Value::bigint(2), Value::bigint(1)}));
  CHECK(hash_of({Value::null(Type::bigint())}) != hash_of({Value::bigint(0)}));
  CHECK(hash_of({Value::bigint(0), Value::null(Type::bigint())}) !=
        hash_of({Value::null(Type::bigint()), Value::bigint(0)}));
}

TEST_CASE("a column hashes each row as it would alone") {
  Arena arena;
  Column numbers(Type::bigint());
  Column names(Type::text());
  std::vector<uint64_t> expected;
  for (int64_t i = 0; i < 100; ++i) {
    const Value number = i % 7 == 0 ? Value::null(Type::bigint()) : Value::bigint(i);
    const Value name = Value::text("name " + std::to_string(i % 13));
    append_value(numbers, number, arena);
    append_value(names, name, arena);
    expected.push_back(hash_of({number, name}));
  }
  const std::vector<ColumnRef> columns = {std::make_shared<const Column>(std::move(numbers)),
                                          std::make_shared<const Column>(std::move(names))};
  std::vector<uint64_t> hashes(3, 1);
  hash_columns(columns, 100, &hashes);
  CHECK(hashes == expected);
}

TEST_CASE("both halves of a wide hash tell keys apart, and neither keys that are equal") {
  const auto differ = [](const std::vector<Value>& a, const std::vector<Value>& b) {
    const WideHash left = wide_hash_of(a);
    const WideHash right = wide_hash_of(b);
    return left.low != right.low && left.high != right.high;
  };
  const Value null = Value::null(Type::bigint());
  CHECK(wide_hash_of({}) == wide_hash_of({}));
  CHECK(wide_hash_of({Value::double_precision(-0.0), null}) ==
        wide_hash_of({Value::double_precision(0.0), null}));
  CHECK(wide_hash_of({Value::double_precision(std::nan("7"))}) ==
        wide_hash_of({Value::double_precision(std::nan("1"))}));
  CHECK(wide_hash_of({Value::text("card")}) == wide_hash_of({Value::text("card")}));
  CHECK(differ({Value::bigint(0)}, {null}));
  CHECK(differ({Value::bigint(0), null}, {null, Value::bigint(0)}));
  CHECK(differ({Value::bigint(1), Value::bigint(2)}, {Value::bigint(2), Value::bigint(1)}));
  CHECK(differ({Value::text("")}, {Value::null(Type::text())}));
  CHECK(differ({Value::text("a"), Value::text("b")}, {Value::text("ab"), Value::text("")}));
  const int128 a = (int128{5} << 64) + 9;
  for (const int128 b : {a + 1, a + (int128{1} << 64), -a}) {
    CHECK(differ({{Type::numeric(38, 0), a}}, {{Type::numeric(38, 0), b}}));
  }
}

TEST_CASE("key groups are spread evenly and dealt to workers in order") {
  std::vector<int> counts(kKeyGroups, 0);
  for (int64_t i = 0; i < 128'000; ++i) ++counts.at(key_group_of(hash_of({Value::bigint(i)})));
  for (const int count : counts) {
    CHECK(count > 800);
    CHECK(count < 1200);
  }
  CHECK(worker_of(0, 4) == 0);
  CHECK(worker_of(127, 4) == 3);
  CHECK(worker_of(31, 4) == 0);
  CHECK(worker_of(32, 4) == 1);
  CHECK(worker_of(127, 1) == 0);
}

}  // namespace kappa
