#include "engine/cli/playground/shop.h"

#include <numeric>

#include "absl/strings/str_format.h"
#include "engine/cli/playground/protobuf_writer.h"
#include "engine/cli/playground/shop_cast.h"
#include "engine/log/log.h"
#include "engine/types/datetime.h"

namespace kappa::cli::playground {
namespace {

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

uint32_t home_city(uint64_t seed, uint32_t customer) {
  return static_cast<uint32_t>(Random(seed, kHome, customer).below(kCityCount));
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

const std::array<Shop::RecordOf, kTopics.size()> Shop::kRecordOf = {
    &Shop::sale,           &Shop::click, &Shop::stock_movement, &Shop::customer_change,
    &Shop::consent_change, &Shop::post,  &Shop::sensor_reading};

Shop::Keys Shop::keys_of(Topic topic) {
  Keys keys;
  const KeyFamily family = family_of(topic);
  std::vector<uint32_t> rank[kPartitions];
  for (uint32_t member = 0; member < family.members; ++member) {
    const int32_t partition = log::partition_for_key(family.key(member), kPartitions);
    keys.members[partition].push_back(member);
    rank[partition].push_back(member + 1);
  }
  for (int32_t partition = 0; partition < kPartitions; ++partition) {
    keys.zipf[partition] = Zipf(rank[partition], family.shift);
  }
  return keys;
}

Shop::Shop(const Schedule& schedule)
    : schedule_(schedule),
      seed_(schedule.seed()),
      store_zipf_(ranks(kStores), 0),
      product_zipf_(ranks(kProducts), 0) {
  for (const Topic topic : kTopics) keys_[topic] = keys_of(topic);
}

int64_t Shop::original_of(Topic topic, int32_t partition, int64_t offset) const {
  Random random(seed_, kRepeat, topic, partition, offset);
  if (offset < 16 || random.below(200) != 0) return offset;
  return offset - 1 - static_cast<int64_t>(random.below(16));
}

EventTime Shop::event_time(Topic topic, int32_t partition, int64_t offset) const {
  const int64_t us =
      schedule_.arrival(topic, partition, offset).us - delay_us(seed_, topic, partition, offset);
  return EventTime{us - us % kMicrosPerMilli};
}

std::string Shop::timestamp(Topic topic, int32_t partition, int64_t offset) const {
  const int64_t us = event_time(topic, partition, offset).us;
  std::string message;
  ProtobufWriter time(&message);
  time.integer(1, us / kMicrosPerSecond);
  time.integer(2, us % kMicrosPerSecond * 1000);
  return message;
}

uint32_t Shop::pick_key(Topic topic, int32_t partition, Random& random) const {
  const Keys& keys = keys_[topic];
  return keys.members[partition][keys.zipf[partition].pick(random)];
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
  incident.customer = pick_key(kSales, partition, random);
  const int64_t since = offset - begin;
  if (since < 0 || since >= length || since % shape.stride != 0) return {};
  incident.step = since / shape.stride;
  return incident;
}

Shop::Fraud Shop::fraud_at(int32_t partition, int64_t offset) const {
  return incident_at(partition, original_of(kSales, partition, offset)).fraud;
}

ShopRecord Shop::sale(int32_t partition, int64_t offset) const {
  offset = original_of(kSales, partition, offset);
  Random random(seed_, kSale, partition, offset);
  const Incident incident = incident_at(partition, offset);
  uint32_t customer = pick_key(kSales, partition, random);
  if (incident.fraud != Fraud::kNone) customer = incident.customer;
  const auto product = static_cast<uint32_t>(product_zipf_.pick(random));
  uint64_t quantity = 1 + random.below(8) / 5 + random.below(20) / 19;
  uint64_t cents = (199 + Random(seed_, kPrice, product).below(20'000)) * quantity;
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
             : absl::StrFormat(R"("store_id":"%s","city":"%s","channel":"store")", store_id(store),
                               kCities[city]);
  ShopRecord record;
  record.key = card_id(customer);
  record.value = absl::StrFormat(
      R"({"transaction_id":"s%d-%d","event_time":"%s","card_id":"%s","customer_id":"%s",%s,)"
      R"("product_id":"%s","quantity":%d,"amount":%d.%02d})",
      partition, offset, timestamp_to_text(event_time(kSales, partition, offset).us), record.key,
      customer_id(customer), place, product_id(product), quantity, cents / 100, cents % 100);
  return record;
}

ShopRecord Shop::click(int32_t partition, int64_t offset) const {
  offset = original_of(kClicks, partition, offset);
  Random random(seed_, kClick, partition, offset);
  const uint32_t customer = pick_key(kClicks, partition, random);
  const auto product = static_cast<uint32_t>(product_zipf_.pick(random));
  ShopRecord record;
  record.key = customer_id(customer);
  ProtobufWriter click(&record.value);
  click.text(1, absl::StrFormat("k%d-%d", partition, offset));
  click.text(2, timestamp(kClicks, partition, offset));
  click.text(3, record.key);
  click.text(4, product_id(product));
  click.text(5, kPages[random.below(5)]);
  click.integer(6, static_cast<int64_t>(200 + random.below(60'000)));
  click.text(7, ip_address(seed_, customer));
  return record;
}

}  // namespace kappa::cli::playground
