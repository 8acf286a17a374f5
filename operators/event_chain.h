#pragma once

#include <cstdint>

#include "operators/running_values.h"
#include "state/event_log.h"

namespace kappa::operators {

// Finds single events of a partition in the event log: the first and the last one in a stretch of
// time, and the one that comes so many before another. In the order of event time, that is; of
// equal times the one that came first is first.
//
// A partition's events hang together by EventHeader::previous. Beside that each keeps, where
// RunningValues::span_offset() says, the span of the chain that ends with it:
//
//   a ◄─ b ◄─ c ◄─ d ◄─ e ◄─ f ◄─ g        previous
//   1    1    3    1    1    3    7        events of its span: of c they are a, b, c
//
// where two spans of one length are followed by one that takes both in. So going back over a
// stretch of n events that came in order takes O(log n) steps, and linking one O(1), though nothing
// is ever written to an event again. After Myers, An applicative random-access stack, 1983.
//
// Events are named by 1 + their number, 0: none. Those that the log has forgotten are not found.
class EventChain {
 public:
  // What an event keeps: fixed once it is linked.
  struct Span {
    uint64_t before;        // the event before it in the chain
    uint64_t first;         // of its events, the first one
    int64_t first_time_us;  // whose time this is
    uint64_t events;        // how many it has
  };
  static_assert(sizeof(Span) == RunningValues::kSpanBytes);

  // `span_offset`: where an event's record has its span. The log outlives this.
  EventChain(uint32_t span_offset, const state::EventLog& log)
      : span_offset_(span_offset), log_(log) {}

  // For the event that was appended last, whose header is filled in.
  void link(EventHeader& event) const;

  // All of these look at the event `from` and those before it in the chain only, and add to `steps`
  // how many they touched. The first one with a time of `low_us` or later.
  uint64_t first(uint64_t from, int64_t low_us, uint64_t* steps) const;
  // The last one with a time in [low_us, high_us].
  uint64_t last(uint64_t from, int64_t low_us, int64_t high_us, uint64_t* steps) const;
  // In the order of all with a time in [low_us, high_us], the last but `distance` - 1, which is at
  // least 1: of those that came before an event of time `high_us`, the one so many before it.
  uint64_t before(uint64_t from, uint64_t distance, int64_t low_us, int64_t high_us,
                  uint64_t* steps) const;

 private:
  bool there(uint64_t event) const { return event > log_.begin(); }
  const EventHeader& header(uint64_t event) const {
    return *reinterpret_cast<const EventHeader*>(log_.record(event - 1));
  }
  const Span& span(uint64_t event) const {
    return *reinterpret_cast<const Span*>(log_.record(event - 1) + span_offset_);
  }

  uint32_t span_offset_;
  const state::EventLog& log_;
};

}  // namespace kappa::operators
