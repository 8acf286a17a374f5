#pragma once

#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "test/replay/shop.h"

namespace kappa::replay {

// The shop with a final output: hits of pages, counted in windows, each row with the name of the
// logic that says it.
struct FinalLogic {
  std::string name;
  int window_seconds = 60;
  int bound_seconds = 100;  // out-of-orderness; hits are up to 90 seconds late, of a step of 5
  int grace_seconds = 0;

  // The product's whole SQL.
  std::string sql() const;
};

// Who leads, and from which event time on its rows are in the topic.
struct FinalTurn {
  FinalLogic logic;
  int64_t from_us = std::numeric_limits<int64_t>::min();
};

// What the topic holds in the end, after these turns: of each what an undisturbed pass over the
// order in `journal` says between its own time and that of the next.
std::multiset<std::string> said_by_turns(Shop& shop, const std::string& journal,
                                         const std::vector<FinalTurn>& turns);

// Where the final output of a leader is.
int64_t said_to(const operators::OutputMarks& marks);

// How many rows a generation's store keeps.
size_t kept_in(const ShopGeneration& generation);

}  // namespace kappa::replay
