#pragma once

#include <string>
#include <vector>

#include "test/runtime/model/dice.h"
#include "test/runtime/model/plan.h"

namespace kappa::model {

// One product twice: as SQL for the engine, as a plan for the model.
struct GeneratedPlan {
  std::string sql;
  Plan plan;
  std::vector<std::string> views;
  std::vector<std::string> outputs;  // topics
};

// Two or three sources with the same columns, and views and outputs over them: first some plain
// ones, in which every row that is wrong shows, then up to three of any kind. Rows passed on (by
// record, by primary key, the latest of a key), groups with HAVING, windows, joins, top-N,
// DISTINCT, OVER, unions, and each of them over another view or over queries of its own.
GeneratedPlan generate_plan(Dice& dice);

}  // namespace kappa::model
