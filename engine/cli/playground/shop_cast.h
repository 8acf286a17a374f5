#pragma once

#include <cstdint>
#include <string>

#include "engine/cli/playground/schedule.h"

namespace kappa::cli::playground {

// Who and what there is in the shop, by number, and what it is called.
inline constexpr uint32_t kCustomerCount = 100'000;
inline constexpr uint32_t kStores = 40;
inline constexpr uint32_t kProducts = 500;
inline constexpr uint32_t kAuthors = 20'000;
inline constexpr uint32_t kCityCount = 10;
inline constexpr const char* kCities[kCityCount] = {"Berlin", "Hamburg", "Munich",  "Paris",
                                                    "Lyon",   "Madrid",  "Seville", "Rome",
                                                    "Vienna", "Warsaw"};

// Names of the random numbers' purposes.
enum Purpose : uint64_t {
  kHome = 11,
  kPrice,
  kRepeat = 21,
  kDelay,
  kIncident,
  kSale,
  kClick,
  kReceipt,
  kMovement,
  kAccount,
  kConsent,
  kPost,
  kReading,
  kPersonName,
  kContact,
};

std::string card_id(uint32_t customer);
std::string customer_id(uint32_t customer);
std::string product_id(uint32_t product);
std::string store_id(uint32_t store);
std::string author_id(uint32_t author);

// What a topic's records are keyed by.
struct KeyFamily {
  uint32_t members;
  double shift;  // of the law by which they are picked (random.h)
  std::string (*key)(uint32_t member);
};
KeyFamily family_of(Topic topic);

// Invented, all of it: addresses and numbers are of the ranges that are kept for examples
// (RFC 2606, RFC 5737; Berlin's 030 23125).
struct Person {
  std::string name;
  std::string email;
  std::string phone;
  std::string address;
};
Person customer_person(uint64_t seed, uint32_t customer);
std::string author_name(uint64_t seed, uint32_t author);
std::string ip_address(uint64_t seed, uint32_t customer);

}  // namespace kappa::cli::playground
