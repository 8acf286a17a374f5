#include "engine/cli/playground/shop_cast.h"

#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/cli/playground/random.h"

namespace kappa::cli::playground {
namespace {

// Flattens the head, so that the busiest card makes a few sales a minute and not one a second.
constexpr double kCustomerShift = 5000;
constexpr double kAuthorShift = 100;

constexpr std::array kFirstNames = {"Ada",   "Bruno", "Clara", "David", "Elena", "Felix",
                                    "Greta", "Hugo",  "Ines",  "Jakub", "Karin", "Luca",
                                    "Maria", "Nils",  "Olga",  "Pablo"};
constexpr std::array kLastNames = {"Bauer",  "Costa", "Dubois",   "Esposito", "Fischer", "Garcia",
                                   "Huber",  "Janik", "Kowalski", "Lambert",  "Moreau",  "Novak",
                                   "Ortega", "Ricci", "Schmidt",  "Weber"};
constexpr std::array kStreets = {"Station Road",  "Mill Lane",      "Market Square",
                                 "Garden Street", "Harbour Street", "Church Lane"};
constexpr std::array kExampleNetworks = {"192.0.2", "198.51.100", "203.0.113"};

template <typename Words>
const char* pick(const Words& words, Random& random) {
  return words[random.below(words.size())];
}

}  // namespace

std::string card_id(uint32_t customer) {
  return absl::StrFormat("card-%06d", customer);
}

std::string customer_id(uint32_t customer) {
  return absl::StrFormat("customer-%06d", customer);
}

std::string product_id(uint32_t product) {
  return absl::StrFormat("product-%03d", product);
}

std::string store_id(uint32_t store) {
  return absl::StrFormat("store-%02d", store);
}

std::string author_id(uint32_t author) {
  return absl::StrFormat("author-%05d", author);
}

KeyFamily family_of(Topic topic) {
  switch (topic) {
    case kSales:
      return {kCustomerCount, kCustomerShift, card_id};
    case kClicks:
    case kCustomers:
    case kConsents:
      break;
    case kStock:
      return {kProducts, 0, product_id};
    case kPosts:
      return {kAuthors, kAuthorShift, author_id};
    case kSensors:
      return {kStores, 0, store_id};
  }
  return {kCustomerCount, kCustomerShift, customer_id};
}

Person customer_person(uint64_t seed, uint32_t customer) {
  Random random(seed, kPersonName, customer);
  const std::string first = pick(kFirstNames, random);
  const std::string last = pick(kLastNames, random);
  Random contact(seed, kContact, customer);
  Person person;
  person.name = absl::StrCat(first, " ", last);
  person.email = absl::AsciiStrToLower(absl::StrCat(first, ".", last, customer, "@example.com"));
  person.phone = absl::StrFormat("+49 30 23125 %03d", contact.below(1000));
  person.address = absl::StrCat(1 + contact.below(120), " ", pick(kStreets, contact));
  return person;
}

std::string author_name(uint64_t seed, uint32_t author) {
  Random random(seed, kPersonName, kAuthors, author);
  const char* const first = pick(kFirstNames, random);
  return absl::StrCat(first, " ", pick(kLastNames, random));
}

std::string ip_address(uint64_t seed, uint32_t customer) {
  Random random(seed, kContact, customer, kClick);
  const char* const network = pick(kExampleNetworks, random);
  return absl::StrCat(network, ".", 1 + random.below(254));
}

}  // namespace kappa::cli::playground
