#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/types/hash.h"
#include "operators/decayed_sum.h"
#include "operators/deviation.h"
#include "operators/distinct_sketch.h"
#include "operators/quantile_bucket.h"

namespace kappa::operators {
namespace {

std::vector<uint64_t> hashes_of(std::vector<int64_t> values) {
  Column column(Type::bigint(), values.size());
  std::copy(values.begin(), values.end(), column.values<int64_t>().begin());
  const ColumnRef columns[] = {std::make_shared<const Column>(std::move(column))};
  std::vector<uint64_t> hashes;
  hash_columns(columns, values.size(), &hashes);
  return hashes;
}

std::string sketch_of(const std::vector<uint64_t>& hashes) {
  std::string bytes;
  std::string changed;
  for (const uint64_t hash : hashes) {
    if (DistinctSketch::add(bytes, hash, &changed)) std::swap(bytes, changed);
  }
  return bytes;
}

std::vector<int64_t> ascending(int64_t from, int64_t count, int64_t step) {
  std::vector<int64_t> values;
  for (int64_t i = 0; i < count; ++i) values.push_back(from + i * step);
  return values;
}

}  // namespace

TEST_CASE("a distinct sketch is exact up to 512 values") {
  for (int64_t count = 0; count <= 512; ++count) {
    REQUIRE(DistinctSketch::estimate(sketch_of(hashes_of(ascending(-7, count, 3)))) == count);
  }
}

TEST_CASE("a distinct sketch errs by 1.6 % as a rule, whatever the values and their number") {
  for (const int64_t count : {513, 1000, 3000, 8000, 20'000, 100'000, 500'000}) {
    double squares = 0;
    constexpr int kRuns = 20;
    for (int run = 0; run < kRuns; ++run) {
      const int64_t step = run % 2 == 0 ? 1 : 1'000'003;
      const auto values = ascending(int64_t{run} << 40, count, step);
      const auto estimate = DistinctSketch::estimate(sketch_of(hashes_of(values)));
      const double error = static_cast<double>(estimate - count) / static_cast<double>(count);
      INFO(count << " values, estimated " << estimate);
      CHECK(std::fabs(error) < 0.065);  // four times the standard error
      squares += error * error;
    }
    INFO(count << " values");
    CHECK(std::sqrt(squares / kRuns) < 0.023);
  }
}

TEST_CASE("a distinct sketch depends on neither order nor repetition and stays small") {
  std::mt19937_64 random(1);
  for (const int64_t count : {5, 511, 512, 513, 40'000}) {
    auto hashes = hashes_of(ascending(0, count, 1));
    const std::string bytes = sketch_of(hashes);
    CHECK(bytes.size() <= 4204);
    hashes.insert(hashes.end(), hashes.begin(), hashes.begin() + 3);
    std::shuffle(hashes.begin(), hashes.end(), random);
    CHECK(sketch_of(hashes) == bytes);
  }
}

TEST_CASE("buckets of quantiles ascend with the values, and stand for them to 1/128") {
  std::mt19937_64 random(2);
  std::vector<double> values = {0,
                                1,
                                -1,
                                64,
                                1e-300,
                                1e300,
                                std::numeric_limits<double>::max(),
                                std::numeric_limits<double>::min()};
  std::lognormal_distribution<double> lognormal(0, 8);
  std::normal_distribution<double> normal(0, 1000);
  for (int i = 0; i < 20'000; ++i) values.push_back(lognormal(random));
  for (int i = 0; i < 20'000; ++i) values.push_back(normal(random));
  std::sort(values.begin(), values.end());
  int32_t before = std::numeric_limits<int32_t>::min();
  for (const double value : values) {
    const int32_t bucket = quantile_bucket(value);
    REQUIRE(bucket >= before);
    before = bucket;
    REQUIRE(std::fabs(quantile_of_bucket(bucket) - value) <= std::fabs(value) / 128);
  }
}

TEST_CASE("infinities, NaN and the smallest numbers have buckets of their own") {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr double kMax = std::numeric_limits<double>::max();
  constexpr double kLeast = std::numeric_limits<double>::denorm_min();
  CHECK(quantile_of_bucket(quantile_bucket(kInfinity)) == kInfinity);
  CHECK(quantile_of_bucket(quantile_bucket(-kInfinity)) == -kInfinity);
  CHECK(std::isnan(quantile_of_bucket(quantile_bucket(std::nan("")))));
  CHECK(quantile_bucket(std::nan("")) > quantile_bucket(kInfinity));
  CHECK(quantile_bucket(kInfinity) > quantile_bucket(kMax));
  CHECK(quantile_bucket(-kInfinity) < quantile_bucket(-kMax));
  CHECK(quantile_bucket(0) == quantile_bucket(-0.0));
  CHECK(quantile_bucket(kLeast) > quantile_bucket(0));
  CHECK(quantile_bucket(-kLeast) < quantile_bucket(0));
}

TEST_CASE("two distinct sketches that are merged are the sketch of all values") {
  std::string both;
  const std::vector<int64_t> sizes = {0, 1, 300, 511, 512, 513, 40'000};
  for (const int64_t left : sizes) {
    for (const int64_t right : sizes) {
      const auto a = hashes_of(ascending(0, left, 1));
      const auto b = hashes_of(ascending(left / 2, right, 1));  // half of the left are there too
      auto all = a;
      all.insert(all.end(), b.begin(), b.end());
      DistinctSketch::merge(sketch_of(a), sketch_of(b), &both);
      INFO(left << " and " << right << " values");
      CHECK(both == sketch_of(all));
    }
  }
}

TEST_CASE("a deviation of whole numbers is exact, whatever their size") {
  const auto of = [](const std::vector<int64_t>& values, bool sample, int scale) {
    int128 sum = 0;
    SumOfSquares squares{0, 0};
    for (const int64_t value : values) {
      sum += value;
      squares.low += square(value).low;
      squares.high += square(value).high;
    }
    return deviation(static_cast<int64_t>(values.size()), sum, squares, sample, scale);
  };
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  CHECK(of({2, 4, 4, 4, 5, 5, 7, 9}, false, 0) == 2.0);
  CHECK(of({150, 250}, true, 2) == std::sqrt(5000.0) / 100);
  CHECK(of({kMax, kMax - 1, kMax - 2}, true, 0) == 1.0);
  CHECK(of({kMax, -kMax}, false, 0) == static_cast<double>(kMax));
  CHECK(of({kMax, kMax, kMax}, true, 0) == 0.0);
  CHECK_FALSE(of({5}, true, 0).has_value());
  CHECK_FALSE(of({}, false, 0).has_value());
  std::vector<int64_t> half(1000, kMax);
  half.insert(half.end(), 1000, std::numeric_limits<int64_t>::min());
  CHECK(of(half, false, 0) == 0x1p63);
}

TEST_CASE("a decayed sum is what its formula says, in whatever order rows come") {
  constexpr int64_t kHalfLife = 7'000'003;
  const DecayedSum decayed(kHalfLife);
  std::mt19937_64 random(3);
  for (int run = 0; run < 200; ++run) {
    int64_t latest_us = 0;
    double sum = 0;
    std::vector<std::pair<double, int64_t>> rows;
    const int64_t span = kHalfLife * (int64_t{1} << (run % 12));
    for (int i = 0; i < 50; ++i) {
      const auto time = static_cast<int64_t>(random() % static_cast<uint64_t>(span)) - span / 2;
      rows.emplace_back(static_cast<double>(random() % 1000), time);
      decayed.add(rows.back().first, time, i == 0, &latest_us, &sum);
    }
    double expected = 0;
    for (const auto& [value, time] : rows) {
      expected += value * std::exp2(-static_cast<double>(latest_us - time) / kHalfLife);
    }
    INFO("run " << run);
    CHECK(std::fabs(decayed.result(latest_us, sum) - expected) <= expected * 1e-12);
  }
}

TEST_CASE("two decayed sums that are merged are the sum of all rows, however far apart they are") {
  constexpr int64_t kHalfLife = 1'000'000;
  const DecayedSum decayed(kHalfLife);
  for (const int64_t apart : {0, 1, 50, 64, 1000}) {
    int64_t early_us = 0;
    int64_t late_us = 0;
    int64_t latest_us = 0;
    double early = 0;
    double late = 0;
    double all = 0;
    for (int64_t i = 0; i < 20; ++i) {
      const int64_t time = i * kHalfLife / 3;
      const int64_t later = time + apart * kHalfLife;
      decayed.add(4, time, i == 0, &early_us, &early);
      decayed.add(6, later, i == 0, &late_us, &late);
      decayed.add(4, time, i == 0, &latest_us, &all);
      decayed.add(6, later, false, &latest_us, &all);
    }
    const double expected = decayed.result(latest_us, all);
    INFO(apart << " half-lives apart");
    int64_t time = early_us;
    double sum = early;
    decayed.merge(late_us, late, &time, &sum);
    CHECK(time == latest_us);
    CHECK(std::fabs(decayed.result(time, sum) - expected) <= expected * 1e-12);
    time = late_us;
    sum = late;
    decayed.merge(early_us, early, &time, &sum);
    CHECK(time == latest_us);
    CHECK(std::fabs(decayed.result(time, sum) - expected) <= expected * 1e-12);
  }
}

TEST_CASE("moments that are merged are those of all values") {
  std::mt19937_64 random(5);
  for (const int count : {0, 1, 2, 100}) {
    Moments parts[2] = {};
    Moments all{};
    for (int i = 0; i < 2 * count + 1; ++i) {
      const double value = 1e6 + static_cast<double>(random() % 1000);
      Moments& part = parts[i < count ? 0 : 1];
      add_to_moments(part.count, part.mean, part.squares, value);
      add_to_moments(all.count, all.mean, all.squares, value);
    }
    for (const int first : {0, 1}) {
      const Moments merged = merge_moments(parts[first], parts[1 - first]);
      INFO(count << " values");
      CHECK(merged.count == all.count);
      CHECK(std::fabs(merged.mean - all.mean) <= 1e-6);
      CHECK(std::fabs(merged.squares - all.squares) <= 1e-9 * (1 + all.squares));
    }
  }
}

TEST_CASE("a decayed sum goes through years of a half-life of a microsecond") {
  const DecayedSum decayed(1);
  int64_t latest_us = 0;
  double sum = 0;
  decayed.add(3, -3'000'000'000'000'000, true, &latest_us, &sum);
  CHECK(decayed.result(latest_us, sum) == 3);
  decayed.add(5, 4'000'000'000'000'000, false, &latest_us, &sum);
  decayed.add(5, 3'999'999'999'999'999, false, &latest_us, &sum);
  CHECK(decayed.result(latest_us, sum) == 7.5);
}

}  // namespace kappa::operators
