#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "operators/plan.h"

namespace kappa::operators {

// Names an INSERT INTO in every version of a product's logic: its topic, and its number among the
// INSERTs into that, from 0.
struct OutputName {
  std::string topic;
  int number = 0;
  auto operator<=>(const OutputName&) const = default;
};

// Event times by output: where each of them is.
using OutputMarks = std::map<OutputName, int64_t>;

// An output whose rows are held back until a watermark has passed their event time: at any place,
// those below that watermark have left, and no others.
struct FinalOutput {
  OutputName name;
  NodeId output = kNoNode;
  // A column of the output's input: its value + `offset_us` is the row's event time.
  int column = 0;
  int64_t offset_us = 0;
  NodeId held_by = kNoNode;  // whose watermark it is, of what it gives out
};

// The final outputs of a plan. What holds rows back is a windowed aggregate or a Reorder with emit
// = 'final'. Between it and the output stands only what passes each row on at once (filters,
// projections, views, lookups, DISTINCT, OVER); a union only if all its branches come from the same
// one, for rows of two go by two watermarks. The output has a column that tells the event time: the
// event time itself, or a bound of a window from which it follows.
std::vector<FinalOutput> final_outputs(const Plan& plan);

}  // namespace kappa::operators
