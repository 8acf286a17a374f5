#include "engine/cli/commands/plan.h"

#include <nlohmann/json.hpp>

#include "engine/cli/change_plan.h"
#include "engine/cli/value_json.h"

namespace kappa::cli {

int run_plan(const PlanOptions& options) {
  ConnectOptions connect = options.connect;
  connect.command = "kappa plan";
  const absl::StatusOr<ChangePlan> plan =
      make_change_plan(options.directory, connect, options.course, options.records_per_second_max);
  if (!plan.ok()) return report(plan.status());
  if (options.output == OutputFormat::kJson) {
    print(json_text(to_json(*plan)));
  } else {
    print_change_plan(*plan);
  }
  return plan->change.none() ? kExitOk : kExitChanges;
}

}  // namespace kappa::cli
