#include "state/row_codec.h"

#include <cmath>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/types/hash.h"
#include "random_rows.h"
#include "state/table.h"

namespace kappa::state {
namespace {

const std::vector<Type>& all_types() {
  static const std::vector<Type> kTypes = {
      Type::boolean(),      Type::integer(),      Type::bigint(),  Type::double_precision(),
      Type::numeric(12, 2), Type::numeric(38, 9), Type::text(),    Type::bytea(),
      Type::timestamptz(),  Type::date(),         Type::interval()};
  return kTypes;
}

std::vector<Type> random_types(RandomRows& random, size_t columns_max) {
  std::vector<Type> types(1 + random.below(columns_max));
  for (Type& type : types) type = all_types()[random.below(all_types().size())];
  return types;
}

// SQL's order, column by column, nulls last.
int compare_rows(const Row& a, const Row& b) {
  for (size_t c = 0; c < a.size(); ++c) {
    if (a[c].is_null() && b[c].is_null()) continue;
    if (a[c].is_null() || b[c].is_null()) return a[c].is_null() ? 1 : -1;
    if (const int order = compare_values(a[c], b[c]); order != 0) return order;
  }
  return 0;
}

std::string stored(const Row& key) {
  std::string out;
  append_key(key, &out);
  return out;
}

int sign(int value) {
  return value < 0 ? -1 : value > 0 ? 1 : 0;
}

}  // namespace

TEST_CASE("stored keys have the order of their values, nulls last") {
  const uint64_t seed = GENERATE(range(1, 41));
  RandomRows random(seed);
  const std::vector<Type> types = random_types(random, 4);
  for (int n = 0; n < 2000; ++n) {
    const Row a = random.row(types);
    Row b = random.row(types);
    if (random.chance(0.3)) b[0] = a[0];
    if (sign(stored(a).compare(stored(b))) != sign(compare_rows(a, b))) {
      FAIL("seed " << seed << ": " << to_text(a) << " and " << to_text(b));
    }
  }
}

TEST_CASE("a stored key decodes to the key it was made from") {
  const uint64_t seed = GENERATE(range(1, 21));
  INFO("seed " << seed);
  RandomRows random(seed);
  const std::vector<Type> types = random_types(random, 4);
  const RowLayout layout(types, {});
  for (int n = 0; n < 500; ++n) {
    const Row key = random.row(types);
    Row decoded;
    REQUIRE(decode_key(layout.key(), stored(key), &decoded).ok());
    if (compare_rows(key, decoded) != 0) FAIL(to_text(key) << " became " << to_text(decoded));
  }
}

TEST_CASE("damaged stored keys and values are refused, whatever their bytes") {
  const uint64_t seed = GENERATE(range(1, 21));
  INFO("seed " << seed);
  RandomRows random(seed);
  const std::vector<Type> types = random_types(random, 3);
  Table table({1, 0}, RowLayout({Type::bigint()}, types));
  Table keyed({1, 0}, RowLayout(types, {}));
  const std::string key = stored({Value::bigint(7)});
  for (int n = 0; n < 500; ++n) {
    std::string bytes(random.below(40), '\0');
    for (char& byte : bytes)
      byte = static_cast<char>(random.below(4) == 0 ? random.below(256) : random.below(4));
    // Whatever is taken is a row that encodes as some row, and never more than there was.
    const absl::Status loaded = table.load(key, bytes);
    if (!loaded.ok()) REQUIRE(absl::IsDataLoss(loaded));
    Row decoded;
    const absl::Status read = decode_key(keyed.layout().key(), bytes, &decoded);
    if (read.ok()) REQUIRE(decoded.size() == types.size());
    if (!read.ok()) REQUIRE(absl::IsDataLoss(read));
  }
}

TEST_CASE("a truncated stored row is refused and says so") {
  Table table({1, 0}, RowLayout({Type::text()}, {Type::bigint(), Type::text()}));
  Table from({1, 0}, RowLayout({Type::text()}, {Type::bigint(), Type::text()}));
  const std::string key = stored({Value::text("k")});
  const std::string value("\x02\x34\x12\x05hello", 9);
  REQUIRE(from.load(key, value).ok());
  for (size_t size = 0; size < value.size(); ++size) {
    const absl::Status loaded = table.load(key, value.substr(0, size));
    REQUIRE(absl::IsDataLoss(loaded));
    REQUIRE_THAT(std::string(loaded.message()), Catch::Contains("damaged"));
  }
  REQUIRE_THAT(std::string(table.load(key, value + "x").message()), Catch::Contains("longer"));
  for (size_t size = 0; size < key.size(); ++size) {
    REQUIRE(absl::IsDataLoss(table.load(key.substr(0, size), value)));
  }
  REQUIRE(absl::IsDataLoss(table.load(key + "x", value)));
}

TEST_CASE("equal fields have equal stored values, however they came about") {
  const RowLayout layout({Type::bigint()}, {Type::text(), Type::double_precision()});
  Table table({1, 0}, layout);
  REQUIRE(table.load(stored({Value::bigint(1)}), std::string("\xff\xff", 2)).ok());
  REQUIRE(table.load(stored({Value::bigint(2)}), std::string("\x01x\x02\xf8\x7f", 5)).ok());
  const RowId changed = table.find_one({Value::bigint(2)});
  table.touch(changed);
  table.set_string(changed, layout.values()[0], "a text that goes to the heap");
  table.set_string(changed, layout.values()[0], "");
  Table::set_null(table.row(changed), layout.values()[0], true);
  Table::set_null(table.row(changed), layout.values()[1], true);
  std::string first;
  std::string second;
  table.encode(table.row(table.find_one({Value::bigint(1)})), nullptr, &first);
  table.encode(table.row(changed), nullptr, &second);
  REQUIRE(first == second);
}

TEST_CASE("keys that SQL holds equal are one key") {
  Table table({1, 0}, RowLayout({Type::double_precision()}, {}));
  const std::vector<Row> keys = {
      {Value::double_precision(0.0)},           {Value::double_precision(-0.0)},
      {Value::double_precision(std::nan("1"))}, {Value::double_precision(-std::nan("2"))},
      {Value::null(Type::double_precision())},  {Value::null(Type::double_precision())}};
  const auto columns = to_columns({Type::double_precision()}, keys);
  std::vector<uint64_t> hashes;
  hash_columns(columns, keys.size(), &hashes);
  std::vector<RowId> rows(keys.size());
  std::vector<uint32_t> created;
  table.find_or_insert(columns, hashes, rows, &created);
  REQUIRE(created == std::vector<uint32_t>{0, 2, 4});
  for (size_t i = 0; i < keys.size(); i += 2) {
    REQUIRE(rows[i] == rows[i + 1]);
    REQUIRE(stored(keys[i]) == stored(keys[i + 1]));
  }
}

}  // namespace kappa::state
