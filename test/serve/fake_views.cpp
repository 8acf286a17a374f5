#include "test/serve/fake_views.h"

#include <algorithm>
#include <utility>

namespace kappa::serve {
namespace {

class FakeSnapshot final : public runtime::Snapshot {
 public:
  explicit FakeSnapshot(FakeViews& views) : views_(views), stamp_(views.stamp) {}

  const runtime::Stamp& stamp() const override { return stamp_; }

  absl::StatusOr<Batch> next(operators::NodeId view, const std::vector<int>& columns,
                             Arena& arena) override {
    if (views_.before_slice) views_.before_slice();
    ++views_.slices_read;
    const FakeViews::View& from = views_.view(view);
    size_t& position = positions_[view];
    const size_t end = std::min(from.rows.size(), position + views_.slice_rows);
    Batch batch;
    batch.rows = end - position;
    for (const int column : columns) {
      const auto index = static_cast<size_t>(column);
      Column values(from.schema[index].type);
      for (size_t row = position; row < end; ++row) {
        append_value(values, from.rows[row][index], arena);
      }
      batch.columns.push_back(std::make_shared<const Column>(std::move(values)));
    }
    position = end;
    return batch;
  }

  absl::Status rewind(operators::NodeId view) override {
    positions_[view] = 0;
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<Row>> get(operators::NodeId view, const Row& key) override {
    return views_.find(view, key);
  }
  absl::StatusOr<Waiting> waiting(operators::NodeId view) override {
    return views_.view(view).waiting;
  }

 private:
  FakeViews& views_;
  const runtime::Stamp stamp_;
  std::map<operators::NodeId, size_t> positions_;
};

}  // namespace

FakeViews::FakeViews() {
  stamp.generation = 3;
  stamp.epoch = 41;
  stamp.place = {{{"sales", 0}, Offset{100}}, {{"sales", 1}, Offset{200}}};
  stamp.watermark = EventTime{-5};
}

void FakeViews::add(const std::string& name, View view) {
  operators::PlanNode node;
  node.id = static_cast<operators::NodeId>(plan_.nodes.size());
  node.schema = view.schema;
  operators::ViewNode op;
  op.name = name;
  op.key = view.key;
  op.by_record = view.by_record;
  op.emit = view.emit;
  op.event_time = view.event_time;
  node.op = op;
  plan_.nodes.push_back(node);
  views_[node.id] = std::move(view);
}

void FakeViews::add_source(const std::string& topic, std::vector<schemas::SourceColumn> columns,
                           std::vector<int> primary_key, bool upsert) {
  schemas::Source source;
  source.name = topic;
  source.topic = topic;
  source.columns = std::move(columns);
  source.primary_key = std::move(primary_key);
  source.upsert = upsert;
  plan_.sources.push_back(std::move(source));
}

void FakeViews::add_output(const std::string& table, const std::string& topic,
                           std::vector<schemas::SourceColumn> columns, std::vector<int> primary_key,
                           bool upsert) {
  schemas::Source sink;
  sink.name = table;
  sink.topic = topic;
  sink.columns = std::move(columns);
  sink.primary_key = std::move(primary_key);
  sink.upsert = upsert;
  operators::PlanNode node;
  node.id = static_cast<operators::NodeId>(plan_.nodes.size());
  node.op = operators::OutputNode{static_cast<int>(plan_.sources.size())};
  node.inputs = {0};
  plan_.sources.push_back(std::move(sink));
  plan_.nodes.push_back(std::move(node));
}

std::optional<Row> FakeViews::find(operators::NodeId id, const Row& key) const {
  const View& from = view(id);
  for (const Row& row : from.rows) {
    bool same = true;
    for (size_t i = 0; i < key.size(); ++i) {
      same = same && row[static_cast<size_t>(from.key[i])] == key[i];
    }
    if (same) return row;
  }
  return std::nullopt;
}

void FakeViews::get(operators::NodeId view, std::vector<Row> keys,
                    std::function<void(absl::StatusOr<Rows>)> done) {
  auto answer = [this, view, keys = std::move(keys), done = std::move(done)] {
    if (!get_error.ok()) return done(get_error);
    Rows rows{stamp, {}};
    for (const Row& key : keys) rows.rows.push_back(find(view, key));
    done(std::move(rows));
  };
  {
    std::lock_guard lock(mutex_);
    if (holding_) {
      held_.push_back(std::move(answer));
      held_changed_.notify_all();
      return;
    }
  }
  answer();
}

void FakeViews::stamp_now(std::vector<operators::NodeId>,
                          std::function<void(absl::StatusOr<runtime::Stamp>)> done) {
  if (!get_error.ok()) return done(get_error);
  done(stamp);
}

absl::StatusOr<std::unique_ptr<runtime::Snapshot>> FakeViews::pin(std::vector<operators::NodeId>,
                                                                  runtime::Deadline) {
  return std::make_unique<FakeSnapshot>(*this);
}

void FakeViews::hold_gets() {
  std::lock_guard lock(mutex_);
  holding_ = true;
}

void FakeViews::release() {
  std::vector<std::function<void()>> held;
  {
    std::lock_guard lock(mutex_);
    holding_ = false;
    held.swap(held_);
  }
  for (const auto& answer : held) answer();
}

void FakeViews::wait_held(size_t gets) {
  std::unique_lock lock(mutex_);
  held_changed_.wait(lock, [&] { return held_.size() >= gets; });
}

}  // namespace kappa::serve
