#include "engine/runtime/exchange.h"

#include <random>

#include <catch2/catch.hpp>

namespace kappa::runtime {
namespace {

// Rows with the columns (key, number), numbered as they come.
Batch make_batch(const std::vector<RowPlace>& places, std::mt19937& random) {
  Column keys(Type::bigint(), places.size());
  Column numbers(Type::bigint(), places.size());
  for (size_t i = 0; i < places.size(); ++i) {
    keys.values<int64_t>()[i] = static_cast<int64_t>(random() % 50);
    numbers.values<int64_t>()[i] = static_cast<int64_t>(i);
  }
  Batch batch;
  batch.rows = places.size();
  batch.places = places;
  batch.columns = {std::make_shared<const Column>(std::move(keys)),
                   std::make_shared<const Column>(std::move(numbers))};
  return batch;
}

std::vector<int64_t> numbers_of(const Batch& batch) {
  const auto values = batch.columns[1]->values<int64_t>();
  return {values.begin(), values.end()};
}

Batch merge(const std::vector<Batch>& batches) {
  std::vector<const Batch*> all;
  for (const Batch& batch : batches) all.push_back(&batch);
  return merge_batches(all);
}

// Deals each of `batches` out by key and puts what the workers got together again.
std::vector<Batch> through_exchange(const std::vector<Batch>& batches, uint32_t workers,
                                    Arena& arena) {
  std::vector<SentRows> sent(workers);
  Dealer dealer;
  for (const Batch& batch : batches) dealer.deal_out({batch}, {0}, false, arena, &sent);
  std::vector<Batch> received;
  for (const SentRows& rows : sent) {
    received.push_back(merge({rows.batches().begin(), rows.batches().end()}));
  }
  return received;
}

}  // namespace

TEST_CASE("rows that an exchange parted come together again in the order, whatever the workers") {
  const uint32_t workers = GENERATE(2u, 3u, 8u);
  const uint32_t seed = GENERATE(range(1u, 21u));
  std::mt19937 random(seed);
  std::vector<RowPlace> places;
  for (uint32_t place = 0; place < 60; ++place) {
    // None, one or several rows at a place; some of them a timer's.
    for (uint32_t n = random() % 4; n > 0; --n) places.push_back(RowPlace::of_timer(place));
    for (uint32_t n = random() % 4; n > 0; --n) places.push_back(RowPlace::of_record(place));
  }
  const Batch batch = make_batch(places, random);
  Arena arena;
  // Once and again: the second exchange parts what the first one put into another order.
  std::vector<Batch> received = through_exchange({batch}, workers, arena);
  CHECK(numbers_of(merge(received)) == numbers_of(batch));
  std::reverse(received.begin(), received.end());
  CHECK(numbers_of(merge(received)) == numbers_of(batch));
  received = through_exchange(received, workers, arena);
  std::reverse(received.begin(), received.end());
  CHECK(numbers_of(merge(received)) == numbers_of(batch));
}

TEST_CASE("a receiver that takes any order gets every row once, hashed") {
  std::mt19937 random(1);
  const Batch batch = make_batch(std::vector<RowPlace>(100, RowPlace::of_record(7)), random);
  Arena arena;
  const uint32_t workers = GENERATE(1u, 2u, 4u);
  std::vector<SentRows> sent(workers);
  Dealer dealer;
  dealer.deal_out({batch, batch}, {0}, true, arena, &sent);
  size_t rows = 0;
  for (const SentRows& part : sent) {
    CHECK(part.batches().size() <= (workers == 1 ? 2 : 1));
    for (const Batch& received : part.batches()) {
      rows += received.rows;
      CHECK(received.key_hashes.size() == received.rows);
      CHECK(received.ties.empty());
    }
  }
  CHECK(rows == 200);
}

TEST_CASE("branches of a union that go apart come together again branch by branch") {
  std::mt19937 random(3);
  const Batch first = make_batch({RowPlace::of_record(0), RowPlace::of_record(1)}, random);
  const Batch second = make_batch({RowPlace::of_record(0), RowPlace::of_record(1)}, random);
  Arena arena;
  const Batch a = mark_branch(first, 0, arena);
  const Batch b = mark_branch(second, 1, arena);
  const Batch merged = merge({b, a});
  REQUIRE(merged.rows == 4);
  CHECK(numbers_of(merged) == std::vector<int64_t>{0, 0, 1, 1});
  const auto keys = merged.columns[0]->values<int64_t>();
  CHECK(keys[0] == first.columns[0]->values<int64_t>()[0]);
  CHECK(keys[1] == second.columns[0]->values<int64_t>()[0]);
}

TEST_CASE("what a timer gives out comes branch by branch, whatever told its rows apart before") {
  std::mt19937 random(3);
  const Batch rows = make_batch({RowPlace::of_timer(0), RowPlace::of_timer(0)}, random);
  const Batch row = make_batch({RowPlace::of_timer(0)}, random);
  Arena arena;
  // Two rows that an exchange has numbered, then one that none has; and the other way round.
  const std::vector<Batch> numbered = through_exchange({rows}, 2, arena);
  const bool first = GENERATE(true, false);
  const Batch many = mark_branch(merge(numbered), first ? 0 : 2, arena);
  const Batch one = mark_branch(row, 1, arena);
  const std::vector<int64_t> expected =
      first ? std::vector<int64_t>{0, 1, 0} : std::vector<int64_t>{0, 0, 1};
  CHECK(numbers_of(merge(first ? std::vector<Batch>{one, many} : std::vector<Batch>{many, one})) ==
        expected);
  // A union of a union.
  const Batch inner = merge({mark_branch(row, 0, arena), mark_branch(rows, 1, arena)});
  const Batch outer = mark_branch(inner, 0, arena);
  CHECK(numbers_of(merge({mark_branch(row, 1, arena), outer})) == std::vector<int64_t>{0, 0, 1, 0});
}

}  // namespace kappa::runtime
