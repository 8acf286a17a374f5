#include "operators/disorder_index.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "operators/sums.h"

namespace kappa::operators {
namespace {

// Steps through a chain after which an index pays.
constexpr uint64_t kWalkedMax = 64u << 10;

// A number of 128 bits in two words.
int128 wide_at(const int64_t* words) {
  int128 value;
  std::memcpy(&value, words, sizeof(value));
  return value;
}
void add_to(int64_t* words, int128 value) {
  int128 sum = wide_at(words);
  add_wrapping(sum, value);
  std::memcpy(words, &sum, sizeof(sum));
}

constexpr size_t kSum = 1;
constexpr size_t kSquaresLow = 3;
constexpr size_t kSquaresHigh = 5;

}  // namespace

EventSums::EventSums(const RunningValues& values, const state::EventLog& log)
    : values_(values), log_(log) {
  for (const RunningValues::Slot& slot : values.slots()) {
    at_.push_back(words_);
    words_ += slot.squares ? 7 : slot.sums ? 3 : 1;
    extremes_at_.push_back(words_);
    if (slot.extremes) words_ += 2;
  }
}

int128 EventSums::sum(const int64_t* sums, size_t slot) const {
  return wide_at(sums + at_[slot] + kSum);
}

SumOfSquares EventSums::squares(const int64_t* sums, size_t slot) const {
  return {wide_at(sums + at_[slot] + kSquaresLow), wide_at(sums + at_[slot] + kSquaresHigh)};
}

void EventSums::clear(int64_t* into) const {
  std::fill_n(into, words_, 0);
  for (size_t s = 0; s < values_.slots().size(); ++s) {
    if (!values_.slots()[s].extremes) continue;
    into[extremes_at_[s]] = std::numeric_limits<int64_t>::max();
    into[extremes_at_[s] + 1] = std::numeric_limits<int64_t>::min();
  }
}

void EventSums::offer(size_t slot, int64_t least, int64_t greatest, int64_t* into) const {
  int64_t* const extremes = into + extremes_at_[slot];
  extremes[0] = std::min(extremes[0], least);
  extremes[1] = std::max(extremes[1], greatest);
}

void EventSums::add(int64_t* into, uint64_t event) const {
  const std::byte* const record = log_.record(event);
  const uint32_t seen = reinterpret_cast<const EventHeader*>(record)->seen;
  const auto& slots = values_.slots();
  for (size_t s = 0; s < slots.size(); ++s) {
    if ((seen >> s & 1) == 0) continue;
    int64_t* const words = into + at_[s];
    ++words[0];
    if (!slots[s].has_value()) continue;
    int64_t value;
    std::memcpy(&value, record + slots[s].value_offset, sizeof(value));
    if (slots[s].extremes) offer(s, value, value, into);
    if (!slots[s].sums) continue;
    add_to(words + kSum, value);
    if (!slots[s].squares) continue;
    const SumOfSquares squares = square(value);
    add_to(words + kSquaresLow, squares.low);
    add_to(words + kSquaresHigh, squares.high);
  }
}

void EventSums::merge(int64_t* into, const int64_t* later) const {
  const auto& slots = values_.slots();
  for (size_t s = 0; s < slots.size(); ++s) {
    into[at_[s]] += later[at_[s]];
    if (slots[s].extremes) offer(s, least(later, s), greatest(later, s), into);
    if (slots[s].sums) add_to(into + at_[s] + kSum, sum(later, s));
    if (!slots[s].squares) continue;
    const SumOfSquares more = squares(later, s);
    add_to(into + at_[s] + kSquaresLow, more.low);
    add_to(into + at_[s] + kSquaresHigh, more.high);
  }
}

DisorderIndex::Events* DisorderIndex::find(state::RowId id, int64_t oldest_us) {
  if (partitions_.empty()) return nullptr;
  const auto found = partitions_.find(id);
  if (found == partitions_.end() || !found->second.made) return nullptr;
  Partition& partition = found->second;
  partition.unused = 0;
  // What is older may be gone from the log.
  Events& events = partition.events;
  if (!events.empty() && events.at(0).time_us < oldest_us) {
    events.drop_front(events.before(oldest_us));
  }
  return &events;
}

void DisorderIndex::note_walk(state::RowId id, uint64_t steps, uint64_t last, int64_t oldest_us) {
  Partition& partition = partitions_[id];
  if (partition.made) return;
  partition.walked += steps;
  if (partition.walked > kWalkedMax) make(partition, last, oldest_us);
}

void DisorderIndex::make(Partition& partition, uint64_t last, int64_t oldest_us) {
  std::vector<TimedItem> events;
  for (uint64_t from = last; from > log_.begin(); from = header(from - 1).previous) {
    const EventHeader& event = header(from - 1);
    if (event.time_us >= oldest_us) events.push_back({event.time_us, event.number, from - 1});
  }
  std::sort(events.begin(), events.end(),
            [](const TimedItem& a, const TimedItem& b) { return a.position() < b.position(); });
  partition = {};
  partition.made = true;
  for (const TimedItem& event : events) {
    partition.events.insert(partition.events.size(), event, sums_);
  }
}

std::optional<uint32_t> DisorderIndex::number_of(state::RowId id, int64_t time_us) const {
  if (partitions_.empty()) return std::nullopt;
  const auto found = partitions_.find(id);
  if (found == partitions_.end() || !found->second.made) return std::nullopt;
  const Events& events = found->second.events;
  const size_t before = events.before({time_us, std::numeric_limits<int64_t>::max()});
  if (before == 0 || events.at(before - 1).time_us != time_us) return 0;
  return static_cast<uint32_t>(events.at(before - 1).number) + 1;
}

void DisorderIndex::insert_indexed(state::RowId id, uint64_t event) {
  const auto found = partitions_.find(id);
  if (found == partitions_.end()) return;
  Partition& partition = found->second;
  Events& events = partition.events;
  if (++partition.unused > kWalkedMax + 4 * events.size()) {
    partitions_.erase(found);
    return;
  }
  if (!partition.made) return;
  const TimedItem item{header(event).time_us, header(event).number, event};
  const bool last = events.empty() || events.at(events.size() - 1).position() < item.position();
  events.insert(last ? events.size() : events.before(item.position()), item, sums_);
}

}  // namespace kappa::operators
