#include "engine/cli/playground/shop.h"

#include <numeric>

#include "absl/strings/str_format.h"
#include "engine/cli/playground/protobuf_writer.h"
#include "engine/log/log.h"
#include "engine/types/datetime.h"

namespace kappa::cli::playground {
namespace {

constexpr uint32_t kCustomers = 100'000;
constexpr uint32_t kStores = 40;
constexpr uint32_t kProducts = 500;
// Flattens the head, so that the busiest card makes a few sales a minute and not one a second.
constexpr double kCustomerShift = 5000;

const char* const kCities[] = {"Berlin", "Hamburg", "Munich", "Paris",  "Lyon",
                               "Madrid", "Seville", "Rome",   "Vienna", "Warsaw"};
constexpr uint32_t kCityCount = 10;
const char* const kPages[] = {"search", "category", "product", "basket", "checkout"};

// An incident may begin once in this many sales of a partition.
constexpr int64_t kIncidentBlock = 2048;
struct IncidentShape {
  int64_t sales;   // it is made of
  int64_t stride;  // of the partition's sales between them
};
constexpr IncidentShape shape_of(Shop::Fraud fraud) {
  switch (fraud) {
    case Shop::Fraud::kMicroAmounts:
      return {12, 8};
    case Shop::Fraud::kBurst:
      return {20, 6};
    case Shop::Fraud::kTravel:
      return {2, 500};
    case Shop::Fraud::kNone:
      break;
  }
  return {0, 1};
}

std::string card_id(uint32_t customer) {
  return absl::StrFormat("card-%06d", customer);
}
std::string customer_id(uint32_t customer) {
  return absl::StrFormat("customer-%06d", customer);
}
uint32_t home_city(uint64_t seed, uint32_t customer) {
  return static_cast<uint32_t>(Random(seed, 11, customer).below(kCityCount));
}

// Names of the random numbers' purposes.
enum Purpose : uint64_t { kRepeat = 21, kDelay, kIncident, kSale, kClick };

// Which record the one at `offset` repeats; itself, mostly.
int64_t original_of(uint64_t seed, Topic topic, int32_t partition, int64_t offset) {
  Random random(seed, kRepeat, topic, partition, offset);
  if (offset < 16 || random.below(200) != 0) return offset;
  return offset - 1 - static_cast<int64_t>(random.below(16));
}

// How long before its arrival something happened, in microseconds.
int64_t delay_us(uint64_t seed, Topic topic, int32_t partition, int64_t offset) {
  Random random(seed, kDelay, topic, partition, offset);
  const uint64_t kind = random.below(1000);
  if (kind == 0) return static_cast<int64_t>(70'000'000 + random.below(50'000'000));
  if (kind <= 30) return static_cast<int64_t>(500'000 + random.below(4'000'000));
  return static_cast<int64_t>(random.below(200'000));
}

std::vector<uint32_t> ranks(uint32_t count) {
  std::vector<uint32_t> ranks(count);
  std::iota(ranks.begin(), ranks.end(), 1u);
  return ranks;
}

}  // namespace

Shop::Shop(const Schedule& schedule)
    : schedule_(schedule),
      seed_(schedule.seed()),
      store_zipf_(ranks(kStores), 0),
      product_zipf_(ranks(kProducts), 0) {
  std::vector<uint32_t> rank[2][kPartitions];
  for (uint32_t customer = 0; customer < kCustomers; ++customer) {
    const std::string keys[2] = {card_id(customer), customer_id(customer)};
    for (const Topic topic : {kSales, kClicks}) {
      const int32_t partition = log::partition_for_key(keys[topic], kPartitions);
      customers_[topic][partition].push_back(customer);
      rank[topic][partition].push_back(customer + 1);
    }
  }
  for (const Topic topic : {kSales, kClicks}) {
    for (int32_t partition = 0; partition < kPartitions; ++partition) {
      customer_zipf_[topic][partition] = Zipf(rank[topic][partition], kCustomerShift);
    }
  }
}

EventTime Shop::event_time(Topic topic, int32_t partition, int64_t offset) const {
  const int64_t us =
      schedule_.arrival(topic, partition, offset).us - delay_us(seed_, topic, partition, offset);
  return EventTime{us - us % kMicrosPerMilli};
}

uint32_t Shop::pick_customer(Topic topic, int32_t partition, Random& random) const {
  return customers_[topic][partition][customer_zipf_[topic][partition].pick(random)];
}

Shop::Incident Shop::incident_at(int32_t partition, int64_t offset) const {
  const int64_t block = offset / kIncidentBlock;
  Random random(seed_, kIncident, partition, block);
  const uint64_t kind = random.below(4);
  if (kind == 0) return {};
  Incident incident;
  incident.fraud = static_cast<Fraud>(kind);
  const IncidentShape shape = shape_of(incident.fraud);
  const int64_t length = (shape.sales - 1) * shape.stride + 1;
  const int64_t begin =
      block * kIncidentBlock +
      static_cast<int64_t>(random.below(static_cast<uint64_t>(kIncidentBlock - length + 1)));
  incident.customer = pick_customer(kSales, partition, random);
  const int64_t since = offset - begin;
  if (since < 0 || since >= length || since % shape.stride != 0) return {};
  incident.step = since / shape.stride;
  return incident;
}

Shop::Fraud Shop::fraud_at(int32_t partition, int64_t offset) const {
  return incident_at(partition, original_of(seed_, kSales, partition, offset)).fraud;
}

ShopRecord Shop::sale(int32_t partition, int64_t offset) const {
  offset = original_of(seed_, kSales, partition, offset);
  Random random(seed_, kSale, partition, offset);
  const Incident incident = incident_at(partition, offset);
  uint32_t customer = pick_customer(kSales, partition, random);
  if (incident.fraud != Fraud::kNone) customer = incident.customer;
  const auto product = static_cast<uint32_t>(product_zipf_.pick(random));
  uint64_t quantity = 1 + random.below(8) / 5 + random.below(20) / 19;
  uint64_t cents = (199 + Random(seed_, 12, product).below(20'000)) * quantity;
  uint32_t city = home_city(seed_, customer);
  bool online = random.below(100) < 35;
  auto store = static_cast<uint32_t>(store_zipf_.pick(random));
  if (incident.fraud == Fraud::kMicroAmounts) {
    online = true;
    quantity = 1;
    cents = 1 + random.below(99);
  } else if (incident.fraud == Fraud::kTravel) {
    online = false;
    if (incident.step == 1) city = (city + kCityCount / 2) % kCityCount;
  }
  // Every city has the same number of stores, which the city tells apart.
  store = store / kCityCount * kCityCount + city;
  const std::string place =
      online ? std::string(R"("store_id":"web","city":null,"channel":"online")")
             : absl::StrFormat(R"("store_id":"store-%02d","city":"%s","channel":"store")", store,
                               kCities[city]);
  ShopRecord record;
  record.key = card_id(customer);
  record.value = absl::StrFormat(
      R"({"transaction_id":"s%d-%d","event_time":"%s","card_id":"%s","customer_id":"%s",%s,)"
      R"("product_id":"product-%03d","quantity":%d,"amount":%d.%02d})",
      partition, offset, timestamp_to_text(event_time(kSales, partition, offset).us), record.key,
      customer_id(customer), place, product, quantity, cents / 100, cents % 100);
  return record;
}

ShopRecord Shop::click(int32_t partition, int64_t offset) const {
  offset = original_of(seed_, kClicks, partition, offset);
  Random random(seed_, kClick, partition, offset);
  const uint32_t customer = pick_customer(kClicks, partition, random);
  const auto product = static_cast<uint32_t>(product_zipf_.pick(random));
  const int64_t us = event_time(kClicks, partition, offset).us;
  ShopRecord record;
  record.key = customer_id(customer);
  ProtobufWriter click(&record.value);
  click.text(1, absl::StrFormat("k%d-%d", partition, offset));
  std::string timestamp;
  ProtobufWriter time(&timestamp);
  time.integer(1, us / kMicrosPerSecond);
  time.integer(2, us % kMicrosPerSecond * 1000);
  click.text(2, timestamp);
  click.text(3, record.key);
  click.text(4, absl::StrFormat("product-%03d", product));
  click.text(5, kPages[random.below(5)]);
  click.integer(6, static_cast<int64_t>(200 + random.below(60'000)));
  return record;
}

}  // namespace kappa::cli::playground
