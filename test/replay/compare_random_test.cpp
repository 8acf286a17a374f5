// Random rows, changed at random, against a count that compares each with each.

#include <limits>
#include <random>

#include <catch2/catch.hpp>

#include "replay/compare.h"
#include "test/pipeline/test_product.h"
#include "test/replay/naive_difference.h"
#include "test/runtime/model/dice.h"
#include "test/serve/fake_views.h"

namespace kappa::replay {
namespace {

using operators::Schema;
using serve::FakeViews;

constexpr size_t kMemory = 64 << 20;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// A random value of a type; a few are likely to be equal.
Value random_value(Type type, model::Dice& dice) {
  if (dice.one_in(6)) return Value::null(type);
  static const std::vector<double> kDoubles = {0.0, -0.0, kNan, -kNan, 1.5, -1e300, INFINITY};
  static const std::vector<std::string> kTexts = {"", "a", std::string("a\0", 2), "ab",
                                                  std::string(300, 'x')};
  const int64_t number = dice.between(-2, 2);
  switch (type.id) {
    case TypeId::kBoolean:
      return Value::boolean(dice.coin());
    case TypeId::kInteger:
    case TypeId::kDate:
      return {type, static_cast<int32_t>(number)};
    case TypeId::kDouble:
      return Value::double_precision(dice.pick(kDoubles));
    case TypeId::kNumeric:
      if (type.physical() == PhysicalType::kInt64) return {type, number};
      return {type, (int128{dice.between(-1, 1)} << 70) + number};
    case TypeId::kText:
    case TypeId::kBytea:
      return {type, dice.pick(kTexts)};
    default:
      return {type, number};
  }
}

const Schema kWide = {{"k", Type::integer()},          {"name", Type::text()},
                      {"flag", Type::boolean()},       {"n", Type::bigint()},
                      {"x", Type::double_precision()}, {"price", Type::numeric(12, 2)},
                      {"total", Type::numeric(38, 4)}, {"note", Type::text()},
                      {"raw", Type::bytea()},          {"at", Type::timestamptz()},
                      {"day", Type::date()},           {"span", Type::interval()}};

FakeViews::View wide_view(std::vector<Row> rows) {
  FakeViews::View view;
  view.schema = kWide;
  view.key = {0, 1};
  view.rows = std::move(rows);
  return view;
}

void mutate(std::vector<Row>& rows, model::Dice& dice) {
  std::vector<Row> kept;
  for (Row& row : rows) {
    if (dice.one_in(20)) continue;  // removed
    for (int64_t i = dice.one_in(4) ? dice.between(1, 3) : 0; i > 0; --i) {
      const auto column =
          static_cast<size_t>(dice.between(2, static_cast<int64_t>(row.size()) - 1));
      row[column] = random_value(kWide[column].type, dice);
    }
    kept.push_back(std::move(row));
  }
  rows = std::move(kept);
}

std::vector<Row> random_rows(int64_t first, int64_t count, model::Dice& dice) {
  std::vector<Row> rows;
  for (int64_t k = first; k < first + count; ++k) {
    Row row = {Value::integer(static_cast<int32_t>(k / 2)),
               k % 2 == 0 ? Value::null(Type::text()) : Value::text(k % 3 == 0 ? "" : "x")};
    for (size_t c = 2; c < kWide.size(); ++c) row.push_back(random_value(kWide[c].type, dice));
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

TEST_CASE("random rows differ as a naive count says") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  model::Dice dice(seed);
  std::vector<std::string> names;
  for (const operators::Field& field : kWide) names.push_back(field.name);
  for (int run = 0; run < 30; ++run) {
    INFO("run " << run);
    const int64_t count = dice.pick<int64_t>({0, 1, 5, 300, 2000});
    std::vector<Row> before = random_rows(0, count, dice);
    std::vector<Row> after = before;
    if (!dice.one_in(5)) {
      mutate(after, dice);
      const std::vector<Row> added = random_rows(count, dice.below(20), dice);
      after.insert(after.end(), added.begin(), added.end());
    }
    dice.shuffle(&after);
    FakeViews former;
    FakeViews later;
    former.slice_rows = static_cast<size_t>(dice.between(1, 700));
    later.slice_rows = static_cast<size_t>(dice.between(1, 700));
    former.add("wide", wide_view(before));
    later.add("wide", wide_view(after));
    const auto samples_max = static_cast<size_t>(dice.below(8));
    const auto from = former.pin({}, {});
    const auto to = later.pin({}, {});
    const auto found = compare({former.plan(), **from}, {later.plan(), **to}, samples_max, kMemory);
    test::require_ok(found.status());
    check_difference(found->at(0), before, after, names, 2, samples_max);
  }
}

}  // namespace kappa::replay
