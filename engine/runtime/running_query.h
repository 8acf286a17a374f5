#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/runtime/query_budget.h"
#include "engine/runtime/query_executor.h"
#include "engine/runtime/query_stage.h"
#include "engine/runtime/reads.h"
#include "engine/sql/query.h"

namespace kappa::runtime {

// A bound query on its way over a snapshot, for who takes its rows a batch at a time: memory is
// held for what its stages keep, not for the answer. Any thread, one at a time. Errors are those of
// execute().
class RunningQuery {
 public:
  // Pins the views. `query`, which does not explain, and `reader` outlive it.
  static absl::StatusOr<std::unique_ptr<RunningQuery>> start(const sql::BoundQuery& query,
                                                             ViewReader& reader,
                                                             const QueryLimits& limits);

  const Stamp& stamp() const { return snapshot_->stamp(); }
  const operators::Schema& schema() const { return query_.root->schema; }
  // The next rows, valid until the next call; an empty batch once there are no more.
  absl::StatusOr<Batch> next() { return root_->next(); }
  // What waits in the views with emit = 'final' that it reads.
  absl::StatusOr<std::vector<WaitingRows>> waiting();
  QueryBudget& budget() { return budget_; }

 private:
  RunningQuery(const sql::BoundQuery& query, const operators::Plan& plan,
               std::unique_ptr<Snapshot> snapshot, const QueryLimits& limits);

  const sql::BoundQuery& query_;
  const operators::Plan& plan_;
  const std::unique_ptr<Snapshot> snapshot_;
  QueryBudget budget_;
  QueryRun run_;
  QueryStageRef root_;
};

}  // namespace kappa::runtime
