#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/types/time.h"
#include "operators/aggregate.h"
#include "operators/quantile_bucket.h"

// What aggregates keep beside their groups' rows, in numbers that the runtime's random plans do not
// reach: against values that are kept one by one, and across a restart.
namespace kappa::operators {
namespace {

Plan plan_of(std::vector<AggregateCall> calls, bool changelog) {
  Plan plan;
  PlanNode input;
  input.op = SourceNode{};
  input.schema = {{"k", Type::bigint()}, {"x", Type::bigint()}};
  input.changelog = changelog;
  PlanNode aggregate;
  aggregate.id = 1;
  aggregate.inputs = {0};
  aggregate.schema = {{"k", Type::bigint()}};
  for (AggregateCall& call : calls) {
    call.argument = 1;
    call.result = *aggregate_result_type(call.kind, Type::bigint());
    aggregate.schema.push_back({"a", call.result});
  }
  aggregate.op =
      AggregateNode{.groups = {0}, .window = {}, .calls = std::move(calls), .retention_us = {}};
  plan.nodes = {std::move(input), std::move(aggregate)};
  return plan;
}

struct Change {
  int8_t sign;
  int64_t key;
  int64_t value;
};

Batch batch_of(const std::vector<Change>& changes, bool changelog) {
  Batch batch;
  batch.rows = changes.size();
  Column key(Type::bigint(), changes.size());
  Column value(Type::bigint(), changes.size());
  for (size_t i = 0; i < changes.size(); ++i) {
    key.values<int64_t>()[i] = changes[i].key;
    value.values<int64_t>()[i] = changes[i].value;
    batch.places.push_back(RowPlace::of_record(static_cast<uint32_t>(i)));
    if (changelog) batch.signs.push_back(changes[i].sign);
  }
  batch.columns = {std::make_shared<const Column>(std::move(key)),
                   std::make_shared<const Column>(std::move(value))};
  return batch;
}

void apply(Aggregate& aggregate, const std::vector<Change>& changes, bool changelog) {
  const WatermarkTrack watermark(changes.size() + 1, kNoEventTime.us);
  Arena arena;
  std::vector<SideRow> side;
  std::vector<Batch> out;
  const std::function<std::pair<const TopicPartition*, Offset>(uint32_t)> no_record;
  aggregate.process(batch_of(changes, changelog), {watermark, arena, side, no_record}, &out);
}

std::vector<Value> results(const Aggregate& aggregate, int64_t key, int calls) {
  const state::RowId id = aggregate.table().find_one({Value::bigint(key)});
  if (id == state::kNoRow) return {};
  const std::byte* const rows[] = {aggregate.table().row(id)};
  std::vector<Value> values;
  Arena arena;
  for (int call = 1; call <= calls; ++call) {
    const bool real = call == 4;
    Column column(real ? Type::double_precision() : Type::bigint());
    aggregate.append_column(call, rows, column, arena);
    values.push_back(value_at(column, 0));
  }
  return values;
}

// All that a checkpoint would hold, by table.
std::vector<std::set<std::pair<std::string, std::string>>> stored(Aggregate& aggregate) {
  std::vector<std::set<std::pair<std::string, std::string>>> tables;
  for (state::Table* table : aggregate.tables()) {
    tables.emplace_back();
    for (state::RowId id = 0; id < table->row_ids_end(); ++id) {
      if (!table->live(id)) continue;
      std::string key;
      std::string value;
      table->encode(table->row(id), &key, &value);
      tables.back().emplace(key, value);
    }
  }
  return tables;
}

void restore(Aggregate& from, Aggregate& to) {
  const auto tables = stored(from);
  const auto empty = to.tables();
  REQUIRE(tables.size() == empty.size());
  for (size_t i = 0; i < tables.size(); ++i) {
    for (const auto& [key, value] : tables[i]) REQUIRE(empty[i]->load(key, value).ok());
  }
  to.restored(kNoEventTime.us);
}

}  // namespace

TEST_CASE("what is kept of values that come and go is what is there, before and after a restart") {
  const Plan plan = plan_of(
      {{.kind = AggregateKind::kMin, .result = {}, .position = {}},
       {.kind = AggregateKind::kMax, .result = {}, .position = {}},
       {.kind = AggregateKind::kCountDistinct, .result = {}, .position = {}},
       {.kind = AggregateKind::kApproxQuantile, .result = {}, .position = {}, .quantile = 0.9}},
      true);
  auto aggregate = std::make_unique<Aggregate>(plan, 1, false);
  std::mt19937_64 random(4);
  std::vector<std::multiset<int64_t>> there(3);
  for (int step = 0; step < 300; ++step) {
    std::vector<Change> changes;
    // Now and then a group loses all it has.
    const bool shrinks = step % 50 > 35;
    for (int i = 0; i < 100; ++i) {
      const size_t key = random() % there.size();
      auto& values = there[key];
      if (values.empty() || random() % 100 < (shrinks ? 10 : 60)) {
        const auto value = static_cast<int64_t>(random() % 3000) - 1000;
        values.insert(value);
        changes.push_back({1, static_cast<int64_t>(key), value});
      } else {
        const auto gone =
            std::next(values.begin(),
                      static_cast<std::ptrdiff_t>(random() % std::min<size_t>(values.size(), 20)));
        changes.push_back({-1, static_cast<int64_t>(key), *gone});
        values.erase(gone);
      }
    }
    apply(*aggregate, changes, true);
    if (step % 7 == 0) {
      auto again = std::make_unique<Aggregate>(plan, 1, false);
      restore(*aggregate, *again);
      aggregate = std::move(again);
    }
    for (size_t key = 0; key < there.size(); ++key) {
      const auto& values = there[key];
      const auto result = results(*aggregate, static_cast<int64_t>(key), 4);
      REQUIRE(result.empty() == values.empty());
      if (values.empty()) continue;
      const auto rank =
          static_cast<std::ptrdiff_t>(std::ceil(0.9 * static_cast<double>(values.size())));
      const auto exact = static_cast<double>(*std::next(values.begin(), rank - 1));
      REQUIRE(result[0] == Value::bigint(*values.begin()));
      REQUIRE(result[1] == Value::bigint(*values.rbegin()));
      REQUIRE(result[2] == Value::bigint(static_cast<int64_t>(
                               std::set<int64_t>(values.begin(), values.end()).size())));
      REQUIRE(result[3] == Value::double_precision(quantile_of_bucket(quantile_bucket(exact))));
    }
  }
}

TEST_CASE("sketches are the same in any order and batches, and after a restart") {
  const Plan plan =
      plan_of({{.kind = AggregateKind::kApproxCountDistinct, .result = {}, .position = {}}}, false);
  std::vector<Change> rows;
  std::set<int64_t> exact;
  for (int64_t i = 0; i < 30'000; ++i) {
    rows.push_back({1, i % 7 == 0 ? 1 : 0, i % 20'000});
    if (rows.back().key == 0) exact.insert(rows.back().value);
  }
  Aggregate straight(plan, 1, false);
  apply(straight, rows, false);
  const auto estimate = std::get<int64_t>(results(straight, 0, 1)[0].data);
  const auto count = static_cast<double>(exact.size());
  CHECK(std::fabs(static_cast<double>(estimate) - count) < count * 0.065);

  std::shuffle(rows.begin(), rows.end(), std::mt19937_64(5));
  auto other = std::make_unique<Aggregate>(plan, 1, false);
  for (size_t begin = 0; begin < rows.size(); begin += 700) {
    const auto from = rows.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto to = rows.begin() + static_cast<std::ptrdiff_t>(std::min(begin + 700, rows.size()));
    apply(*other, {from, to}, false);
    auto again = std::make_unique<Aggregate>(plan, 1, false);
    restore(*other, *again);
    other = std::move(again);
  }
  CHECK(stored(straight) == stored(*other));
}

}  // namespace kappa::operators
