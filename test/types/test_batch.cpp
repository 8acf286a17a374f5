#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/types/arena.h"
#include "engine/types/batch.h"
#include "engine/types/column.h"
#include "engine/types/value.h"

namespace kappa {
namespace {

Column bigints(const std::vector<int64_t>& numbers) {
  Column column(Type::bigint(), numbers.size());
  for (size_t i = 0; i < numbers.size(); ++i) column.values<int64_t>()[i] = numbers[i];
  return column;
}

}  // namespace

TEST_CASE("new rows of a column are zero and not null") {
  Column column(Type::bigint(), 3);
  column.values<int64_t>()[2] = 7;
  column.set_null(1);
  column.resize(1);
  column.resize(40);
  CHECK(column.rows() == 40);
  for (size_t row = 1; row < 40; ++row) {
    CHECK(column.values<int64_t>()[row] == 0);
    CHECK_FALSE(column.is_null(row));
  }
}

TEST_CASE("a column keeps its values and nulls when it grows") {
  Column column = bigints({1, 2, 3});
  column.set_null(1);
  column.resize(1000);
  CHECK(column.values<int64_t>()[0] == 1);
  CHECK(column.is_null(1));
  CHECK(column.values<int64_t>()[1] == 0);
  CHECK(column.values<int64_t>()[2] == 3);
  CHECK(column.nulls().size() == 1000);
  CHECK_FALSE(column.is_null(999));
}

TEST_CASE("a column has no nulls until one is set, and none again once emptied") {
  Column column = bigints({1, 2});
  CHECK_FALSE(column.has_nulls());
  CHECK(column.nulls().empty());
  column.set_null(0);
  CHECK(column.has_nulls());
  column.resize(0);
  column.resize(2);
  CHECK_FALSE(column.has_nulls());
}

TEST_CASE("the values of a column are aligned to a cache line") {
  for (const Type type : {Type::boolean(), Type::integer(), Type::bigint(), Type::numeric(38, 2),
                          Type::text(), Type::double_precision()}) {
    Column column(type, 5);
    dispatch_physical(type.physical(), [&]<typename T>() {
      CHECK(reinterpret_cast<uintptr_t>(column.values<T>().data()) % 64 == 0);
      CHECK(column.values<T>().size() == 5);
    });
  }
}

TEST_CASE("gathering picks rows in the order asked for, repeated ones too") {
  Column column = bigints({10, 11, 12, 13});
  column.set_null(2);
  const std::vector<uint32_t> picked = {3, 0, 2, 3};
  const Column out = column.gather(picked);
  REQUIRE(out.rows() == 4);
  CHECK(out.values<int64_t>()[0] == 13);
  CHECK(out.values<int64_t>()[1] == 10);
  CHECK(out.is_null(2));
  CHECK(out.values<int64_t>()[3] == 13);
  CHECK(column.gather({}).rows() == 0);
}

TEST_CASE("gathering works for every physical type") {
  Arena arena;
  const std::vector<Value> samples = {
      Value::boolean(true),         Value::integer(-5),
      Value::bigint(1LL << 40),     {Type::numeric(38, 0), (int128{1} << 100)},
      Value::double_precision(0.5), Value::text("something")};
  for (const Value& sample : samples) {
    Column column(sample.type, 1);
    append_value(column, sample, arena);
    const std::vector<uint32_t> picked = {1};
    CHECK(value_at(column.gather(picked), 0) == sample);
  }
}

TEST_CASE("appending joins values and nulls whichever side has them") {
  Column left = bigints({1, 2});
  Column right = bigints({3, 4});
  SECTION("nulls on the right") {
    right.set_null(0);
    left.append(right);
    CHECK(left.is_null(2));
    CHECK_FALSE(left.is_null(0));
  }
  SECTION("nulls on the left") {
    left.set_null(1);
    left.append(right);
    CHECK(left.is_null(1));
    CHECK_FALSE(left.is_null(2));
  }
  SECTION("no nulls") {
    left.append(right);
    CHECK_FALSE(left.has_nulls());
    CHECK(left.values<int64_t>()[2] == 3);
  }
  REQUIRE(left.rows() == 4);
  CHECK(left.values<int64_t>()[3] == 4);
}

TEST_CASE("gathering a batch picks places, signs and ties with the columns") {
  Batch batch;
  batch.rows = 3;
  batch.columns.push_back(std::make_shared<const Column>(bigints({7, 8, 9})));
  batch.places = {RowPlace::of_record(0), RowPlace::of_timer(1), RowPlace::of_record(1)};
  batch.signs = {1, -1, 1};
  batch.ties = {{}, {"k", 1}, {}};
  const Batch out = gather(batch, {2, 1});
  CHECK(out.rows == 2);
  CHECK(out.columns[0]->values<int64_t>()[1] == 8);
  CHECK(out.places == std::vector<RowPlace>{RowPlace::of_record(1), RowPlace::of_timer(1)});
  CHECK(out.signs == std::vector<int8_t>{1, -1});
  CHECK(out.ties[1].view() == "k");
}

TEST_CASE("a batch without places, signs or ties gathers none") {
  Batch batch;
  batch.rows = 2;
  batch.columns.push_back(std::make_shared<const Column>(bigints({7, 8})));
  const Batch out = gather(batch, {1});
  CHECK(out.places.empty());
  CHECK(out.signs.empty());
  CHECK(out.ties.empty());
}

TEST_CASE("the timers of a place come before its record") {
  CHECK(RowPlace::of_timer(4) < RowPlace::of_record(4));
  CHECK(RowPlace::of_record(4) < RowPlace::of_timer(5));
  CHECK(RowPlace::of_timer(4).is_timer());
  CHECK(RowPlace::of_record(4).place() == 4);
  CHECK(RowPlace::of_timer(4).track_index() == 4);
  CHECK(RowPlace::of_record(4).track_index() == 5);
}

TEST_CASE("an arena keeps what it handed out until it is reset") {
  Arena arena;
  std::vector<StringRef> copies;
  for (int i = 0; i < 20'000; ++i) copies.push_back(arena.copy(std::to_string(i)));
  const StringRef large = arena.copy(std::string(3u << 20, 'x'));
  for (int i = 0; i < 20'000; ++i) {
    REQUIRE(copies[static_cast<size_t>(i)].view() == std::to_string(i));
  }
  CHECK(large.size == 3u << 20);
  CHECK(large.view().find_first_not_of('x') == std::string_view::npos);
  const size_t reserved = arena.bytes_reserved();
  arena.reset();
  CHECK(arena.bytes_reserved() < reserved);
  CHECK(arena.copy("again").view() == "again");
}

TEST_CASE("an arena's bytes are aligned to 8 and an empty copy takes none") {
  Arena arena;
  for (const size_t size : {1u, 3u, 8u, 13u, 100'000u}) {
    char* bytes = arena.allocate(size);
    CHECK(reinterpret_cast<uintptr_t>(bytes) % 8 == 0);
    std::memset(bytes, 1, size);
  }
  const size_t reserved = arena.bytes_reserved();
  CHECK(arena.copy("").size == 0);
  CHECK(arena.bytes_reserved() == reserved);
}

TEST_CASE("a moved arena takes its strings along") {
  Arena first;
  const StringRef kept = first.copy("kept");
  Arena second = std::move(first);
  CHECK(kept.view() == "kept");
  CHECK(first.copy("fresh").view() == "fresh");  // NOLINT(bugprone-use-after-move): it is empty
  CHECK(second.copy("more").view() == "more");
  CHECK(kept.view() == "kept");
}

}  // namespace kappa
