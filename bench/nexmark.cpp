#include "bench/nexmark.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "absl/time/time.h"

namespace kappa::bench {
namespace {

constexpr int64_t kEventsPerEpoch = 50;
constexpr int64_t kBidsPerEpoch = 46;
constexpr int64_t kFirstBidOfEpoch = 4;
constexpr int64_t kAuctionsPerEpoch = 3;
constexpr int64_t kFirstId = 1000;
constexpr int64_t kHotEvery = 100;
constexpr int64_t kAuctionsInFlight = 100;
constexpr int64_t kActivePeople = 1000;
constexpr int64_t kLead = 10;
constexpr int64_t kBaseUs = 1'436'918'400'000'000;  // 2015-07-15T00:00:00Z
constexpr size_t kJsonBytes = 200;

// The 48-bit linear congruential generator of java.util.Random.
class JavaRandom {
 public:
  explicit JavaRandom(int64_t seed) : state_((static_cast<uint64_t>(seed) ^ kMultiplier) & kMask) {}

  uint32_t next(int bits) {
    state_ = (state_ * kMultiplier + 0xB) & kMask;
    return static_cast<uint32_t>(state_ >> (48 - bits));
  }
  double next_double() {
    const uint64_t high = static_cast<uint64_t>(next(26)) << 27;
    return static_cast<double>(high + next(27)) * 0x1.0p-53;
  }
  // Uniform but for a bias of count / 2^31.
  int64_t below(int64_t count) { return static_cast<int64_t>(next(31)) % count; }

 private:
  static constexpr uint64_t kMultiplier = 0x5DEECE66D;
  static constexpr uint64_t kMask = (uint64_t{1} << 48) - 1;
  uint64_t state_;
};

int64_t auction_of(JavaRandom& random, int64_t last_auction) {
  if (random.below(2) == 0) return last_auction / kHotEvery * kHotEvery;
  const int64_t oldest = std::max<int64_t>(last_auction - kAuctionsInFlight, 0);
  return oldest + random.below(last_auction - oldest + 1 + kLead);
}

int64_t bidder_of(JavaRandom& random, int64_t last_person) {
  if (random.below(4) != 0) return last_person / kHotEvery * kHotEvery + 1;
  const int64_t active = std::min(last_person, kActivePeople);
  return last_person - active + random.below(active + kLead);
}

void append_number(int64_t value, std::string* out) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  out->append(digits, end);
}

}  // namespace

Bid nexmark_bid(int64_t number, const BidKeys& keys) {
  const int64_t epoch = number / kBidsPerEpoch;
  const int64_t event = epoch * kEventsPerEpoch + kFirstBidOfEpoch + number % kBidsPerEpoch;
  JavaRandom random(event);
  Bid bid;
  const int64_t last_auction = epoch * kAuctionsPerEpoch + kAuctionsPerEpoch - 1;
  bid.auction =
      kFirstId + (keys.uniform > 0 ? random.below(keys.uniform) : auction_of(random, last_auction));
  bid.bidder = kFirstId + bidder_of(random, epoch);
  bid.price = std::llround(std::pow(10.0, random.next_double() * 6.0) * 100.0);
  bid.channel = random.next(8);
  bid.known_us = kBaseUs + event * (1'000'000 / keys.events_per_second);
  bid.date_time_us = bid.known_us;
  if (keys.hot_percent > 0 && random.below(100) < keys.hot_percent) bid.auction = kFirstAuction;
  if (keys.disorder_ms > 0) bid.date_time_us -= random.below(keys.disorder_ms + 1) * 1000;
  if (number == 0) bid.date_time_us += keys.first_ahead_ms * 1000;
  return bid;
}

void append_json(const Bid& bid, std::string* out, BidTime time) {
  static const char* const kChannels[] = {"Google", "Facebook", "Baidu", "Apple"};
  const size_t begin = out->size();
  out->append("{\"auction\":");
  append_number(bid.auction, out);
  out->append(",\"bidder\":");
  append_number(bid.bidder, out);
  out->append(",\"price\":");
  append_number(bid.price, out);
  out->append(",\"channel\":\"");
  if (bid.channel < 4 * 32) {
    out->append(kChannels[bid.channel % 4]);
  } else {
    out->append("channel-");
    append_number(bid.channel, out);
  }
  out->append("\",\"url\":\"https://www.nexmark.com/item.htm?query=1&channel_id=");
  append_number(static_cast<int64_t>(bid.channel) * 1'048'573, out);
  if (time == BidTime::kMillis) {
    out->append("\",\"date_time\":");
    append_number(bid.date_time_us / 1000, out);
    out->append(",\"extra\":\"");
  } else {
    out->append("\",\"dateTime\":\"");
    out->append(absl::FormatTime("%Y-%m-%d %H:%M:%E3S", absl::FromUnixMicros(bid.date_time_us),
                                 absl::UTCTimeZone()));
    out->append("\",\"extra\":\"");
  }
  const size_t used = out->size() - begin + 2;
  for (size_t i = used; i < kJsonBytes; ++i) {
    out->push_back(static_cast<char>('a' + (static_cast<size_t>(bid.price) + i * i) % 26));
  }
  out->append("\"}");
}

}  // namespace kappa::bench
