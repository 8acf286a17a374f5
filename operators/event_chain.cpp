#include "operators/event_chain.h"

#include <new>
#include <utility>

#include "absl/container/inlined_vector.h"

namespace kappa::operators {

void EventChain::link(EventHeader& event) const {
  Span& own = *new (reinterpret_cast<std::byte*>(&event) + span_offset_) Span{
      .before = event.previous,
      .first = log_.end(),
      .first_time_us = event.time_us,
      .events = 1,
  };
  if (!there(own.before)) return;
  const Span& last = span(own.before);
  if (!there(last.before)) return;
  const Span& earlier = span(last.before);
  if (earlier.events != last.events) return;
  for (const Span* each : {&last, &earlier}) {
    own.events += each->events;
    if (each->first_time_us > own.first_time_us) continue;
    own.first = each->first;
    own.first_time_us = each->first_time_us;
  }
  own.before = earlier.before;
}

uint64_t EventChain::first(uint64_t from, int64_t low_us, uint64_t* steps) const {
  uint64_t found = 0;
  int64_t found_us = 0;
  const auto offer = [&](uint64_t event, int64_t time_us) {
    if (found != 0 && time_us > found_us) return;
    found = event;
    found_us = time_us;
  };
  for (uint64_t at = from; there(at) && header(at).time_max_us >= low_us; ++*steps) {
    if (span(at).first_time_us >= low_us) {
      offer(span(at).first, span(at).first_time_us);
      at = span(at).before;
    } else {
      if (header(at).time_us >= low_us) offer(at, header(at).time_us);
      at = header(at).previous;
    }
  }
  return found;
}

uint64_t EventChain::last(uint64_t from, int64_t low_us, int64_t high_us, uint64_t* steps) const {
  uint64_t found = 0;
  int64_t found_us = 0;
  for (uint64_t at = from; there(at); ++*steps) {
    const int64_t time_max_us = header(at).time_max_us;
    if (time_max_us < low_us || (found != 0 && time_max_us <= found_us)) break;
    if (span(at).first_time_us > high_us) {
      at = span(at).before;
      continue;
    }
    const int64_t time_us = header(at).time_us;
    if (time_us >= low_us && time_us <= high_us && (found == 0 || time_us > found_us)) {
      found = at;
      found_us = time_us;
    }
    at = header(at).previous;
  }
  return found;
}

uint64_t EventChain::before(uint64_t from, uint64_t distance, int64_t low_us, int64_t high_us,
                            uint64_t* steps) const {
  // The last ones so far, from the last on: their times, and they.
  absl::InlinedVector<std::pair<int64_t, uint64_t>, 4> last;
  for (uint64_t at = from; there(at); ++*steps) {
    const int64_t time_max_us = header(at).time_max_us;
    const bool enough = last.size() == distance;
    if (time_max_us < low_us || (enough && time_max_us <= last.back().first)) break;
    if (span(at).first_time_us > high_us) {
      at = span(at).before;
      continue;
    }
    const int64_t time_us = header(at).time_us;
    const bool counts = time_us >= low_us && time_us <= high_us;
    if (counts && !(enough && time_us <= last.back().first)) {
      if (enough) last.pop_back();
      auto place = last.end();
      while (place != last.begin() && std::prev(place)->first < time_us) --place;
      last.insert(place, {time_us, at});
    }
    at = header(at).previous;
  }
  return last.size() == distance ? last.back().second : 0;
}

}  // namespace kappa::operators
