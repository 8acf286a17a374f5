#pragma once

#include <map>
#include <string>

#include "test/replay/product.h"

namespace kappa::replay {

// The shop with a topic by key, `popular`: slots of hits, of which those are in it whose last hit
// passes a filter. So slots enter and leave all the time.
struct Popular {
  int slots = 40;
  int from = 0;  // a slot is in it if the number of its last hit, modulo 7, is this or more
  int factor = 1;
  bool filter_in_view = false;  // else in the INSERT

  // The product's whole SQL.
  std::string sql(const std::string& rest_of_shop = kShortWindows) const;
  // What the topic holds after so many hits, by a count of them all: payloads by key.
  std::map<std::string, std::string> contents(int hits) const;
};

// The table that `popular` is written by.
extern const std::string kPopularTable;

// What the records of `popular` come to, from number `first` on: payloads by key.
std::map<std::string, std::string> contents_of(const Shop::Published& published, size_t first = 0);

// Waits until the topic holds that.
void wait_for_contents(const ShopProduct& product,
                       const std::map<std::string, std::string>& contents);

}  // namespace kappa::replay
