// What happens in the shop beside sales and clicks.
#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "engine/cli/playground/protobuf_writer.h"
#include "engine/cli/playground/shop.h"
#include "engine/cli/playground/shop_cast.h"

namespace kappa::cli::playground {
namespace {

constexpr int64_t kMovementBlock = 8;  // movements of a partition, the first of them a receipt
constexpr int64_t kBlocksOnHand = 16;  // how far back the goods of the others came in

constexpr std::array kPurposes = {"marketing", "personalisation", "analytics"};
constexpr std::array kLoyalty = {"basic", "basic", "basic", "silver", "silver", "gold"};
constexpr std::array kNetworks = {"chirper", "photogram", "forum"};
constexpr std::array kBrands = {"Aurora", "Borealis", "Cascade", "Dune", "Ember", "Fjord"};
constexpr std::array kThings = {"jacket", "kettle", "headphones", "backpack", "lamp", "blender"};
constexpr std::array kVerdicts = {"great, I love it",   "good value",      "excellent",
                                  "fine, as expected",  "a bit too big",   "awful, it broke",
                                  "bad and overpriced", "a disappointment"};

template <typename Words>
const char* pick(const Words& words, Random& random) {
  return words[random.below(words.size())];
}

// The fields that every event has.
void begin_event(ProtobufWriter& event, const char* prefix, int32_t partition, int64_t offset,
                 const std::string& timestamp) {
  event.text(1, absl::StrCat(prefix, partition, "-", offset));
  event.text(2, timestamp);
}

}  // namespace

ShopRecord Shop::stock_movement(int32_t partition, int64_t offset) const {
  offset = original_of(kStock, partition, offset);
  Random random(seed_, kMovement, partition, offset);
  int64_t block = offset / kMovementBlock;
  const bool receipt = offset % kMovementBlock == 0;
  if (!receipt) {
    block -= static_cast<int64_t>(
        random.below(static_cast<uint64_t>(std::min(block + 1, kBlocksOnHand))));
  }
  Random goods(seed_, kReceipt, partition, block);
  const std::string product = product_id(pick_key(kStock, partition, goods));
  const std::string store = store_id(static_cast<uint32_t>(store_zipf_.pick(goods)));
  const char* reason = "receipt";
  int64_t delta = 20 + static_cast<int64_t>(goods.below(8));
  if (!receipt) {
    const uint64_t kind = random.below(20);
    reason = kind < 17 ? "sale" : kind < 19 ? "return" : "count";
    delta = kind < 17 ? -1 - static_cast<int64_t>(random.below(2)) : kind < 19 ? 1 : -1;
  }
  ShopRecord record;
  record.key = product;
  ProtobufWriter event(&record.value);
  begin_event(event, "m", partition, offset, timestamp(kStock, partition, offset));
  event.text(3, product);
  event.text(4, store);
  event.text(5, reason);
  event.integer(6, delta);
  return record;
}

ShopRecord Shop::customer_change(int32_t partition, int64_t offset) const {
  offset = original_of(kCustomers, partition, offset);
  Random random(seed_, kAccount, partition, offset);
  const uint32_t customer = pick_key(kCustomers, partition, random);
  const Person person = customer_person(seed_, customer);
  ShopRecord record;
  record.key = customer_id(customer);
  ProtobufWriter event(&record.value);
  begin_event(event, "a", partition, offset, timestamp(kCustomers, partition, offset));
  event.text(3, record.key);
  event.text(4, person.name);
  event.text(5, person.email);
  event.text(6, person.phone);
  event.text(7, person.address);
  event.text(8, kCities[Random(seed_, kHome, customer).below(kCityCount)]);
  event.text(9, pick(kLoyalty, random));
  return record;
}

ShopRecord Shop::consent_change(int32_t partition, int64_t offset) const {
  offset = original_of(kConsents, partition, offset);
  Random random(seed_, kConsent, partition, offset);
  ShopRecord record;
  record.key = customer_id(pick_key(kConsents, partition, random));
  ProtobufWriter event(&record.value);
  begin_event(event, "c", partition, offset, timestamp(kConsents, partition, offset));
  event.text(3, record.key);
  event.text(4, pick(kPurposes, random));
  event.integer(5, random.below(10) < 7 ? 1 : 0);
  return record;
}

ShopRecord Shop::post(int32_t partition, int64_t offset) const {
  offset = original_of(kPosts, partition, offset);
  Random random(seed_, kPost, partition, offset);
  const uint32_t author = pick_key(kPosts, partition, random);
  // The first brand is talked about most: the smaller of two draws.
  const uint64_t brand = std::min(random.below(kBrands.size()), random.below(kBrands.size()));
  const char* const thing = pick(kThings, random);
  ShopRecord record;
  record.key = author_id(author);
  ProtobufWriter event(&record.value);
  begin_event(event, "p", partition, offset, timestamp(kPosts, partition, offset));
  event.text(3, record.key);
  event.text(4, author_name(seed_, author));
  event.text(5, pick(kNetworks, random));
  event.text(6, kBrands[brand]);
  event.text(7, absl::StrCat("My ", kBrands[brand], " ", thing, ": ", pick(kVerdicts, random)));
  return record;
}

ShopRecord Shop::sensor_reading(int32_t partition, int64_t offset) const {
  offset = original_of(kSensors, partition, offset);
  Random random(seed_, kReading, partition, offset);
  ShopRecord record;
  record.key = store_id(pick_key(kSensors, partition, random));
  const bool door = random.below(3) != 0;
  ProtobufWriter event(&record.value);
  begin_event(event, "r", partition, offset, timestamp(kSensors, partition, offset));
  event.text(3, record.key);
  event.text(4, door ? absl::StrCat(record.key, "-door-", random.below(2))
                     : absl::StrCat(record.key, "-shelf-", random.below(12)));
  event.text(5, door ? "footfall" : "shelf");
  event.integer(6, static_cast<int64_t>(random.below(door ? 12 : 5)));
  return record;
}

}  // namespace kappa::cli::playground
