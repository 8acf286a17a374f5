#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/runtime/reads.h"

namespace kappa::serve {

// Views that a test fills by hand. Thread-safe once it is filled.
class FakeViews final : public runtime::ViewReader {
 public:
  struct View {
    operators::Schema schema;
    std::vector<int> key;
    std::vector<Row> rows;
    bool by_record = false;
    operators::Emit emit = operators::Emit::kChanges;
    std::optional<int> event_time;
    runtime::Snapshot::Waiting waiting;
  };

  FakeViews();
  void add(const std::string& name, View view);
  // Declares a source of JSON records with these columns.
  void add_source(const std::string& topic, std::vector<schemas::SourceColumn> columns,
                  std::vector<int> primary_key = {}, bool upsert = false);

  // Declares an output of JSON records, fed by the first view.
  void add_output(const std::string& table, const std::string& topic,
                  std::vector<schemas::SourceColumn> columns, std::vector<int> primary_key = {},
                  bool upsert = false);

  const operators::Plan& plan() const override { return plan_; }
  void get(operators::NodeId view, std::vector<Row> keys,
           std::function<void(absl::StatusOr<Rows>)> done) override;
  // As if every record were applied.
  void get_after(After, operators::NodeId view, std::vector<Row> keys,
                 std::function<void(absl::StatusOr<Rows>)> done) override {
    get(view, std::move(keys), std::move(done));
  }
  void stamp_now(std::vector<operators::NodeId> nodes,
                 std::function<void(absl::StatusOr<runtime::Stamp>)> done) override;
  absl::StatusOr<std::unique_ptr<runtime::Snapshot>> pin(std::vector<operators::NodeId> views,
                                                         runtime::Deadline deadline) override;

  runtime::Stamp stamp;
  size_t slice_rows = 3;
  // Called before each slice of a snapshot, on the reading thread.
  std::function<void()> before_slice;
  // What get() answers, if it is not OK.
  absl::Status get_error;

  // From now on get() keeps its answers until release().
  void hold_gets();
  void release();
  // Waits until so many gets are held.
  void wait_held(size_t gets);

  std::optional<Row> find(operators::NodeId view, const Row& key) const;
  const View& view(operators::NodeId id) const { return views_.at(id); }
  std::atomic<int> slices_read = 0;

 private:
  operators::Plan plan_;
  std::map<operators::NodeId, View> views_;
  std::mutex mutex_;
  std::condition_variable held_changed_;
  bool holding_ = false;
  std::vector<std::function<void()>> held_;
};

}  // namespace kappa::serve
