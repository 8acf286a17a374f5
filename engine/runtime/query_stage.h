#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/runtime/query_budget.h"
#include "engine/runtime/reads.h"
#include "engine/sql/query.h"
#include "operators/functions.h"

namespace kappa::runtime {

inline constexpr size_t kQueryBatchRows = 4096;

// One step of a running query: it pulls batches from the stages below it.
class QueryStage {
 public:
  virtual ~QueryStage() = default;
  // The next rows; an empty batch once there are no more. They are valid until the next call.
  virtual absl::StatusOr<Batch> next() = 0;
};
using QueryStageRef = std::unique_ptr<QueryStage>;

// A view that a query scans more than once (a join of a view with itself). A snapshot reads each
// view once, so its rows are kept.
struct RepeatedScan {
  std::set<int> columns;  // that any of the scans wants
  std::optional<Batch> rows;
  Arena arena;
  size_t held_bytes = 0;
};

// What the stages of one query share.
struct QueryRun {
  Snapshot& snapshot;
  QueryBudget& budget;
  std::map<operators::NodeId, RepeatedScan> repeated;
};

// InvalidArgument for the first row that failed to evaluate: "3:14: division by zero".
absl::Status first_error(const std::vector<operators::RowError>& errors);

// The stages of a tree. `node` and `run` outlive them.
QueryStageRef make_stage(const sql::QueryNode& node, QueryRun& run);

// One kind each; make_stage() chooses.
QueryStageRef make_scan(const sql::ViewScan& scan, const operators::Schema& schema, QueryRun& run);
QueryStageRef make_filter(const sql::QueryFilter& filter, QueryStageRef input);
QueryStageRef make_project(const sql::QueryProject& project, QueryStageRef input);
QueryStageRef make_limit(const sql::QueryLimit& limit, QueryStageRef input);
QueryStageRef make_union(std::vector<QueryStageRef> inputs);
QueryStageRef make_single_row();
QueryStageRef make_aggregate(const sql::QueryNode& node, QueryStageRef input, QueryRun& run);
QueryStageRef make_distinct(const operators::Schema& schema, QueryStageRef input, QueryRun& run);
QueryStageRef make_join(const sql::QueryJoin& join, const operators::Schema& right_schema,
                        QueryStageRef left, QueryStageRef right, QueryRun& run);
// Only the first `rows_max` rows of the order are wanted.
QueryStageRef make_sort(const sql::QuerySort& sort, const operators::Schema& schema,
                        size_t rows_max, QueryStageRef input, QueryRun& run);

}  // namespace kappa::runtime
