#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/runtime/reads.h"

namespace kappa::runtime {

// Views that a test fills by hand, and how they were read.
class FakeViews final : public ViewReader {
 public:
  struct View {
    operators::Schema schema;
    std::vector<Row> rows;
    Snapshot::Waiting waiting;
  };

  // Adds a view; the key of its rows is its first column.
  operators::NodeId add(const std::string& name, operators::Schema schema, std::vector<Row> rows,
                        operators::Emit emit = operators::Emit::kChanges);
  void set_waiting(operators::NodeId view, Snapshot::Waiting waiting) {
    views_[view].waiting = waiting;
  }
  // Rows a call of Snapshot::next() gives.
  void set_batch_rows(size_t rows) { batch_rows_ = rows; }

  const operators::Plan& plan() const override { return plan_; }
  void get(operators::NodeId view, std::vector<Row> keys,
           std::function<void(absl::StatusOr<Rows>)> done) override;
  // As if every record were applied.
  void get_after(After, operators::NodeId view, std::vector<Row> keys,
                 std::function<void(absl::StatusOr<Rows>)> done) override {
    get(view, std::move(keys), std::move(done));
  }
  void stamp_now(std::vector<operators::NodeId> nodes,
                 std::function<void(absl::StatusOr<Stamp>)> done) override;
  absl::StatusOr<std::unique_ptr<Snapshot>> pin(std::vector<operators::NodeId> views,
                                                Deadline deadline) override;

  std::optional<Row> find(operators::NodeId view, const Row& key) const;

  std::vector<operators::NodeId> pinned;  // by the last pin()
  int batches_read = 0;
  int points_read = 0;

 private:
  friend class FakeSnapshot;
  operators::Plan plan_;
  std::map<operators::NodeId, View> views_;
  size_t batch_rows_ = 3;
};

}  // namespace kappa::runtime
