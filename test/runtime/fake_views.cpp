#include "test/runtime/fake_views.h"

#include <algorithm>

#include "engine/types/invariant.h"

namespace kappa::runtime {

class FakeSnapshot final : public Snapshot {
 public:
  explicit FakeSnapshot(FakeViews& views) : views_(views) {
    stamp_.generation = 3;
    stamp_.epoch = 17;
    stamp_.watermark = EventTime{1'000'000};
  }

  const Stamp& stamp() const override { return stamp_; }

  absl::StatusOr<Batch> next(operators::NodeId id, const std::vector<int>& columns,
                             Arena& arena) override {
    ++views_.batches_read;
    const FakeViews::View& view = views_.views_.at(id);
    size_t& cursor = cursors_[id];
    const size_t end = std::min(cursor + views_.batch_rows_, view.rows.size());
    Batch batch;
    batch.rows = end - cursor;
    for (int c : columns) {
      const auto index = static_cast<size_t>(c);
      Column column(view.schema[index].type);
      for (size_t row = cursor; row < end; ++row) {
        append_value(column, view.rows[row][index], arena);
      }
      batch.columns.push_back(std::make_shared<const Column>(std::move(column)));
    }
    cursor = end;
    return batch;
  }

  absl::Status rewind(operators::NodeId view) override {
    cursors_[view] = 0;
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<Row>> get(operators::NodeId view, const Row& key) override {
    ++views_.points_read;
    return views_.find(view, key);
  }

  absl::StatusOr<Waiting> waiting(operators::NodeId view) override {
    return views_.views_.at(view).waiting;
  }

 private:
  FakeViews& views_;
  Stamp stamp_;
  std::map<operators::NodeId, size_t> cursors_;
};

operators::NodeId FakeViews::add(const std::string& name, operators::Schema schema,
                                 std::vector<Row> rows, operators::Emit emit) {
  operators::PlanNode node;
  node.id = static_cast<operators::NodeId>(plan_.nodes.size());
  operators::ViewNode view;
  view.name = name;
  view.key = {0};
  view.emit = emit;
  node.op = view;
  node.schema = schema;
  plan_.nodes.push_back(std::move(node));
  views_[plan_.nodes.back().id] = {std::move(schema), std::move(rows), {}};
  return plan_.nodes.back().id;
}

std::optional<Row> FakeViews::find(operators::NodeId view, const Row& key) const {
  for (const Row& row : views_.at(view).rows) {
    if (row[0] == key[0]) return row;
  }
  return std::nullopt;
}

void FakeViews::get(operators::NodeId view, std::vector<Row> keys,
                    std::function<void(absl::StatusOr<Rows>)> done) {
  Rows rows;
  for (const Row& key : keys) rows.rows.push_back(find(view, key));
  done(std::move(rows));
}

void FakeViews::stamp_now(std::vector<operators::NodeId>,
                          std::function<void(absl::StatusOr<Stamp>)> done) {
  done(Stamp());
}

absl::StatusOr<std::unique_ptr<Snapshot>> FakeViews::pin(std::vector<operators::NodeId> views,
                                                         Deadline) {
  pinned = std::move(views);
  return std::make_unique<FakeSnapshot>(*this);
}

}  // namespace kappa::runtime
