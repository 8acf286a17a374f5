#include "operators/time_tree.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include <catch2/catch.hpp>

namespace kappa::operators {
namespace {

// Sums up items as their number and a polynomial of them, which tells their order.
struct Sequence {
  static constexpr bool kOrderFree = false;
  static constexpr uint64_t kBase = 1'000'003;

  size_t words() const { return 3; }
  void clear(int64_t* into) const {
    into[0] = into[1] = 0;
    into[2] = 1;
  }
  void add(int64_t* into, uint64_t item) const {
    const int64_t one[] = {1, static_cast<int64_t>(item), static_cast<int64_t>(kBase)};
    merge(into, one);
  }
  // {count, value, kBase ^ count}
  void merge(int64_t* into, const int64_t* later) const {
    const auto power = static_cast<uint64_t>(later[2]);
    into[0] += later[0];
    into[1] = static_cast<int64_t>(static_cast<uint64_t>(into[1]) * power +
                                   static_cast<uint64_t>(later[1]));
    into[2] = static_cast<int64_t>(static_cast<uint64_t>(into[2]) * power);
  }
};

// Sums, which do not ask for an order.
struct Sum {
  static constexpr bool kOrderFree = true;
  size_t words() const { return 1; }
  void clear(int64_t* into) const { into[0] = 0; }
  void add(int64_t* into, uint64_t item) const { into[0] += static_cast<int64_t>(item); }
  void merge(int64_t* into, const int64_t* later) const { into[0] += later[0]; }
};

// Counts nothing.
struct Nothing {
  static constexpr bool kOrderFree = false;
  size_t words() const { return 0; }
  void clear(int64_t*) const {}
  void add(int64_t*, uint64_t) const {}
  void merge(int64_t*, const int64_t*) const {}
};

// A tree beside a sorted vector.
template <typename Summary>
class Pair {
 public:
  explicit Pair(uint64_t seed) : random_(seed) {}

  void insert(int64_t time_us) {
    const size_t index = tree_.before({time_us, INT64_MAX});
    const bool peer = index > 0 && tree_.at(index - 1).time_us == time_us;
    const TimedItem item{time_us, peer ? tree_.at(index - 1).number + 1 : 0, ++items_};
    tree_.insert(index, item, summary_);
    const auto at = std::upper_bound(
        items_in_order_.begin(), items_in_order_.end(), item.position(),
        [](const auto& position, const TimedItem& each) { return position < each.position(); });
    REQUIRE(index == static_cast<size_t>(at - items_in_order_.begin()));
    items_in_order_.insert(at, item);
  }
  void drop(size_t count) {
    tree_.drop_front(count);
    items_in_order_.erase(items_in_order_.begin(),
                          items_in_order_.begin() + static_cast<std::ptrdiff_t>(count));
  }
  // Some stretch, some index, some time.
  void check() {
    REQUIRE(tree_.size() == items_in_order_.size());
    REQUIRE(tree_.empty() == items_in_order_.empty());
    const size_t a = below(size() + 1);
    const size_t b = below(size() + 1);
    const auto [begin, end] = std::minmax(a, b);
    std::vector<int64_t> found(summary_.words() + 1);
    std::vector<int64_t> expected(summary_.words() + 1);
    summary_.clear(found.data());
    summary_.clear(expected.data());
    tree_.fold(begin, end, summary_, found.data());
    for (size_t i = begin; i < end; ++i) summary_.add(expected.data(), items_in_order_[i].item);
    REQUIRE(found == expected);
    size_t next = begin;
    tree_.for_each(begin, end, [&](const TimedItem& each) {
      if (each.item != items_in_order_[next++].item) FAIL("event " << next - 1);
    });
    REQUIRE(next == end);
    if (size() == 0) return;
    const TimedItem& any = items_in_order_[below(size())];
    const auto first = std::lower_bound(
        items_in_order_.begin(), items_in_order_.end(), any.time_us,
        [](const TimedItem& each, int64_t time_us) { return each.time_us < time_us; });
    REQUIRE(tree_.before(any.time_us) == static_cast<size_t>(first - items_in_order_.begin()));
    REQUIRE(tree_.at(tree_.before(any.position())).item == any.item);
  }

  size_t size() const { return items_in_order_.size(); }
  size_t below(size_t n) { return static_cast<size_t>(random_() % n); }

 private:
  std::mt19937_64 random_;
  Summary summary_;
  TimeTree<Summary> tree_;
  std::vector<TimedItem> items_in_order_;
  uint64_t items_ = 0;
};

template <typename Summary>
void run(uint64_t seed) {
  INFO("seed " << seed);
  Pair<Summary> pair(seed);
  int64_t now = 0;
  // How far out of order, how often something is dropped, and how large it gets.
  const size_t disorder = seed % 3 == 0 ? 1 : 1 + pair.below(500);
  const size_t size_max = seed % 2 == 0 ? 3000 : 40;
  for (int step = 0; step < 4000; ++step) {
    now += static_cast<int64_t>(pair.below(3));
    pair.insert(now - static_cast<int64_t>(pair.below(disorder)));
    if (pair.size() > size_max) pair.drop(1 + pair.below(pair.below(50) == 0 ? pair.size() : 2));
    if (step % 5 == 0) pair.check();
  }
  pair.drop(pair.size());
  pair.check();
  pair.insert(7);
  pair.check();
}

}  // namespace

TEST_CASE("a time tree tells and sums up stretches as a sorted vector does") {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    run<Sequence>(seed);
    run<Sum>(seed);
    run<Nothing>(seed);
  }
}

}  // namespace kappa::operators
