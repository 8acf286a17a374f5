#pragma once

#include <cstdint>
#include <string>

namespace kappa::bench {

// A bid of the Nexmark auction site. Times are in microseconds since 1970-01-01.
struct Bid {
  int64_t auction = 0;
  int64_t bidder = 0;
  int64_t price = 0;
  int64_t date_time_us = 0;
  int64_t known_us = 0;  // its record's timestamp
  uint32_t channel = 0;  // 0 to 3: a name; else a number in its name
};

// Events per second of event time.
inline constexpr int64_t kNexmarkEventsPerSecond = 100'000;

// How bids choose their auction, and how fast they come in event time.
struct BidKeys {
  // 0: as Nexmark does, half of them a hot one, the others among those in flight. Otherwise:
  // uniformly among so many.
  int64_t uniform = 0;
  int64_t events_per_second = kNexmarkEventsPerSecond;
  // What makes life hard: so many in a hundred bids are of one auction, the first; a bid happened
  // up to so many milliseconds before it was known, in no order; the first one seems to have
  // happened so long after that.
  int64_t hot_percent = 0;
  int64_t disorder_ms = 0;
  int64_t first_ahead_ms = 0;
};

inline constexpr int64_t kFirstAuction = 1000;

// Bid number `number` (from 0), a function of the number alone: among 50 events there are a person,
// three auctions and 46 bids. Random choices come from java.util.Random's generator, seeded with
// the event's number.
Bid nexmark_bid(int64_t number, const BidKeys& keys);

// How a bid's time is written: "date_time" as milliseconds, or "dateTime" as Nexmark's own
// generator has it, "2015-07-15 00:08:19.999".
enum class BidTime { kMillis, kText };

// Appends the bid as a JSON object of about 200 bytes.
void append_json(const Bid& bid, std::string* out, BidTime time = BidTime::kMillis);

}  // namespace kappa::bench
