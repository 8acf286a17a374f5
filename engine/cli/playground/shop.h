#pragma once

#include <array>
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
// Customers and their cards, products, stores and authors are picked by Zipf's law. Three records
// in a hundred tell of something that happened seconds ago, one in a thousand of something more
// than a minute ago, and one in two hundred repeats an earlier record. Now and then a fraud is
// hidden among the sales of a partition: a card tried out with micro-amounts, a burst of sales with
// one card, one card in two distant cities within seconds.
//
// Immutable; any thread. Outlived by its schedule.
class Shop {
 public:
  explicit Shop(const Schedule& schedule);

  ShopRecord record(Topic topic, int32_t partition, int64_t offset) const {
    return (this->*kRecordOf[topic])(partition, offset);
  }
  // JSON, keyed by card.
  ShopRecord sale(int32_t partition, int64_t offset) const;
  // Protobuf (schemas/playground/events/clicks.proto), keyed by customer.
  ShopRecord click(int32_t partition, int64_t offset) const;
  // The others are Protobuf too (schemas/playground/events). Of every eight movements of a
  // partition one brings goods in, and the others are of goods that came in shortly before.
  ShopRecord stock_movement(int32_t partition, int64_t offset) const;   // keyed by product
  ShopRecord customer_change(int32_t partition, int64_t offset) const;  // keyed by customer
  ShopRecord consent_change(int32_t partition, int64_t offset) const;   // keyed by customer
  ShopRecord post(int32_t partition, int64_t offset) const;             // keyed by author
  ShopRecord sensor_reading(int32_t partition, int64_t offset) const;   // keyed by store

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
  // Which record the one at `offset` repeats; itself, mostly.
  int64_t original_of(Topic topic, int32_t partition, int64_t offset) const;
  // Whose record: a customer or card, a product, an author or a store, by what keys the topic.
  uint32_t pick_key(Topic topic, int32_t partition, Random& random) const;
  // The event time as a google.protobuf.Timestamp.
  std::string timestamp(Topic topic, int32_t partition, int64_t offset) const;

  using RecordOf = ShopRecord (Shop::*)(int32_t, int64_t) const;
  static const std::array<RecordOf, kTopics.size()> kRecordOf;

  const Schedule& schedule_;
  uint64_t seed_;
  // What has its records in a partition, for the key decides.
  struct Keys {
    std::vector<uint32_t> members[kPartitions];
    Zipf zipf[kPartitions];
  };
  static Keys keys_of(Topic topic);
  std::array<Keys, kTopics.size()> keys_;
  Zipf store_zipf_;
  Zipf product_zipf_;
};

}  // namespace kappa::cli::playground
