#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/cli/playground/random.h"
#include "engine/cli/playground/schedule.h"
#include "engine/types/time.h"

namespace kappa::cli::playground {

// A record of the shop: where it goes is the caller's business.
struct ShopRecord {
  std::string key;
  std::string value;
};

// OmniShop, a chain of stores with a web shop: its customers, cards, stores and products, and what
// happens there. The record at (topic, partition, offset) is a function of that place and of the
// schedule with its seed, so a generator that knows the end of a partition knows how to go on.
//
// Customers and their cards, products and stores are picked by Zipf's law. Three records in a
// hundred tell of something that happened seconds ago, one in a thousand of something more than a
// minute ago, and one in two hundred repeats an earlier record. Now and then a fraud is hidden
// among the sales of a partition: a card tried out with micro-amounts, a burst of sales with one
// card, one card in two distant cities within seconds.
//
// Immutable; any thread. Outlived by its schedule.
class Shop {
 public:
  explicit Shop(const Schedule& schedule);

  ShopRecord record(Topic topic, int32_t partition, int64_t offset) const {
    return topic == kSales ? sale(partition, offset) : click(partition, offset);
  }
  // JSON, keyed by card.
  ShopRecord sale(int32_t partition, int64_t offset) const;
  // Protobuf (schemas/playground/events/clicks.proto), keyed by customer.
  ShopRecord click(int32_t partition, int64_t offset) const;

  enum class Fraud { kNone, kMicroAmounts, kBurst, kTravel };
  // What the sale at that place is part of.
  Fraud fraud_at(int32_t partition, int64_t offset) const;

 private:
  struct Incident {
    Fraud fraud = Fraud::kNone;
    int64_t step = 0;  // of the incident, from 0
    uint32_t customer = 0;
  };
  Incident incident_at(int32_t partition, int64_t offset) const;
  // When what the record tells of happened: whole milliseconds, as tills and browsers tell the
  // time.
  EventTime event_time(Topic topic, int32_t partition, int64_t offset) const;
  uint32_t pick_customer(Topic topic, int32_t partition, Random& random) const;

  const Schedule& schedule_;
  uint64_t seed_;
  // Customers whose records fall into a partition, by topic and partition: the key decides.
  std::vector<uint32_t> customers_[2][kPartitions];
  Zipf customer_zipf_[2][kPartitions];
  Zipf store_zipf_;
  Zipf product_zipf_;
};

}  // namespace kappa::cli::playground
