#include <algorithm>

#include "engine/runtime/query_rows.h"
#include "engine/runtime/query_stage.h"
#include "engine/types/invariant.h"
#include "engine/types/status_macros.h"

namespace kappa::runtime {
namespace {

// Reads all rows of a view, a batch at a time.
class ScanStage final : public QueryStage {
 public:
  ScanStage(const sql::ViewScan& scan, QueryRun& run) : scan_(scan), run_(run) {}

  absl::StatusOr<Batch> next() override {
    KAPPA_RETURN_IF_ERROR(run_.budget.check_deadline());
    arena_.reset();
    KAPPA_ASSIGN_OR_RETURN(Batch batch, run_.snapshot.next(scan_.view, scan_.columns, arena_));
    KAPPA_RETURN_IF_ERROR(run_.budget.count_scanned(batch.rows));
    return batch;
  }

 private:
  const sql::ViewScan& scan_;
  QueryRun& run_;
  Arena arena_;
};

// Reads the one row of a key.
class PointStage final : public QueryStage {
 public:
  PointStage(const sql::ViewScan& scan, const operators::Schema& schema, QueryRun& run)
      : scan_(scan), schema_(schema), run_(run) {}

  absl::StatusOr<Batch> next() override {
    Batch batch;
    if (done_) return batch;
    done_ = true;
    KAPPA_RETURN_IF_ERROR(run_.budget.check_deadline());
    KAPPA_ASSIGN_OR_RETURN(std::optional<Row> row, run_.snapshot.get(scan_.view, *scan_.point_key));
    if (!row) return batch;
    KAPPA_RETURN_IF_ERROR(run_.budget.count_scanned(1));
    batch.rows = 1;
    for (size_t c = 0; c < scan_.columns.size(); ++c) {
      Column column(schema_[c].type);
      append_value(column, (*row)[static_cast<size_t>(scan_.columns[c])], arena_);
      batch.columns.push_back(std::make_shared<const Column>(std::move(column)));
    }
    return batch;
  }

 private:
  const sql::ViewScan& scan_;
  const operators::Schema& schema_;
  QueryRun& run_;
  Arena arena_;
  bool done_ = false;
};

// One of several scans of a view: the first to run reads it for all of them.
class RepeatedStage final : public QueryStage {
 public:
  RepeatedStage(const sql::ViewScan& scan, QueryRun& run)
      : scan_(scan), run_(run), view_(run.repeated.at(scan.view)) {}

  absl::StatusOr<Batch> next() override {
    KAPPA_RETURN_IF_ERROR(run_.budget.check_deadline());
    if (!view_.rows) KAPPA_RETURN_IF_ERROR(read_view());
    Batch batch;
    if (done_ || view_.rows->empty()) return batch;
    done_ = true;
    batch.rows = view_.rows->rows;
    for (int column : scan_.columns) {
      const auto at = std::distance(view_.columns.begin(), view_.columns.find(column));
      batch.columns.push_back(view_.rows->columns[static_cast<size_t>(at)]);
    }
    return batch;
  }

 private:
  absl::Status read_view() {
    const std::vector<int> columns(view_.columns.begin(), view_.columns.end());
    std::optional<QueryRows> rows;
    Arena arena;
    while (true) {
      KAPPA_RETURN_IF_ERROR(run_.budget.check_deadline());
      arena.reset();
      KAPPA_ASSIGN_OR_RETURN(Batch batch, run_.snapshot.next(scan_.view, columns, arena));
      if (batch.empty()) break;
      KAPPA_RETURN_IF_ERROR(run_.budget.count_scanned(batch.rows));
      if (!rows) {
        operators::Schema schema;
        for (const ColumnRef& column : batch.columns) schema.push_back({"", column->type()});
        rows.emplace(schema);
      }
      rows->append(batch);
      KAPPA_RETURN_IF_ERROR(run_.budget.hold(rows->bytes(), &view_.held_bytes));
    }
    view_.rows = rows ? rows->take_rows() : Batch();
    if (rows) view_.arena = rows->take_arena();
    return absl::OkStatus();
  }

  const sql::ViewScan& scan_;
  QueryRun& run_;
  RepeatedScan& view_;
  bool done_ = false;
};

}  // namespace

QueryStageRef make_scan(const sql::ViewScan& scan, const operators::Schema& schema, QueryRun& run) {
  KAPPA_INVARIANT(schema.size() == scan.columns.size(), "a scan's schema names its columns");
  if (scan.point_key) return std::make_unique<PointStage>(scan, schema, run);
  if (run.repeated.contains(scan.view)) return std::make_unique<RepeatedStage>(scan, run);
  return std::make_unique<ScanStage>(scan, run);
}

}  // namespace kappa::runtime
