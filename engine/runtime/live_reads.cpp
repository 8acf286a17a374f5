// Reads: point reads between two epochs, snapshots in slices.

#include <algorithm>
#include <future>
#include <map>

#include "absl/strings/str_cat.h"
#include "engine/runtime/live_pipeline.h"
#include "engine/types/status_macros.h"

namespace kappa::runtime {

using operators::NodeId;

namespace {

// The pin of a snapshot: a cut of every table that its views are kept in.
struct Pin {
  struct View {
    const ViewAccess* access;
    std::vector<state::Cut> cuts;       // by worker
    std::vector<state::RowId> ids_end;  // by worker, as it was at the cut
    int64_t watermark_us;
    uint32_t worker = 0;  // where the scan stands
    state::RowId next = 0;
  };
  // A worker's groups that may wait, below a view of emit = 'final'.
  struct Groups {
    NodeId view;
    const operators::GroupedRows* part;
    state::Cut cut;
    state::RowId ids_end;
    int64_t watermark_us;
  };
  Stamp stamp;
  std::map<NodeId, View> views;
  std::vector<Groups> groups;

  // Copies out some rows; empty at the end. Bounded work.
  Batch scan(View& view, const std::vector<int>& columns, Arena& arena) {
    constexpr size_t kIdsPerSlice = 8192;
    constexpr size_t kRowsPerSlice = 2048;
    Batch batch;
    std::vector<const std::byte*> rows;
    size_t looked_at = 0;
    while (view.worker < view.access->workers() && rows.size() < kRowsPerSlice) {
      const state::Table& table = view.access->table(view.worker);
      const state::RowId end = view.ids_end[view.worker];
      for (; view.next < end && rows.size() < kRowsPerSlice; ++view.next) {
        if (++looked_at > kIdsPerSlice && !rows.empty()) break;
        const std::byte* row = table.image(view.next, view.cuts[view.worker]);
        if (row && view.access->visible(row, view.watermark_us)) rows.push_back(row);
      }
      if (view.next < end) break;
      ++view.worker;
      view.next = 0;
      if (!rows.empty()) break;  // a batch is of one worker's table
    }
    batch.rows = rows.size();
    for (int c : columns) {
      Column column(view.access->schema()[static_cast<size_t>(c)].type);
      column.reserve(rows.size());
      view.access->append_column(c, rows, column, arena);
      batch.columns.push_back(std::make_shared<const Column>(std::move(column)));
    }
    return batch;
  }

  void release() {
    for (auto& [id, view] : views) {
      for (uint32_t w = 0; w < view.access->workers(); ++w) {
        const_cast<state::Table&>(view.access->table(w)).unpin(view.cuts[w]);
      }
    }
    views.clear();
    for (const Groups& rows : groups) const_cast<state::Table&>(rows.part->table()).unpin(rows.cut);
    groups.clear();
  }

  Snapshot::Waiting waiting(NodeId view) const {
    Snapshot::Waiting waiting;
    for (const Groups& rows : groups) {
      if (rows.view != view) continue;
      for (state::RowId id = 0; id < rows.ids_end; ++id) {
        const std::byte* row = rows.part->table().image(id, rows.cut);
        if (!row) continue;
        const auto until = rows.part->waits_for(row, rows.watermark_us);
        if (!until) continue;
        if (waiting.rows++ == 0 || *until < waiting.until.us) waiting.until.us = *until;
      }
    }
    return waiting;
  }
};

class PinnedSnapshot final : public Snapshot {
 public:
  PinnedSnapshot(const LivePipeline& pipeline, std::shared_ptr<Pin> pin, Deadline deadline)
      : pipeline_(pipeline), pin_(std::move(pin)), stamp_(pin_->stamp), deadline_(deadline) {}

  ~PinnedSnapshot() override {
    // Without a pipeline that takes turns nobody else looks at the tables either.
    if (!pipeline_.post([pin = pin_] { pin->release(); })) pin_->release();
  }

  const Stamp& stamp() const override { return stamp_; }

  absl::StatusOr<Batch> next(NodeId view, const std::vector<int>& columns, Arena& arena) override {
    // The slice has an arena of its own, for it may run after we have given up on it.
    auto slice = std::make_shared<std::pair<Batch, Arena>>();
    KAPPA_RETURN_IF_ERROR(pipeline_.run_between_epochs(
        [pin = pin_, view, columns, slice] {
          const auto found = pin->views.find(view);
          if (found != pin->views.end()) {
            slice->first = pin->scan(found->second, columns, slice->second);
          }
        },
        deadline_));
    return rehome(slice->first, arena);
  }

  absl::Status rewind(NodeId view) override {
    return pipeline_.run_between_epochs(
        [pin = pin_, view] {
          const auto found = pin->views.find(view);
          if (found == pin->views.end()) return;
          found->second.worker = 0;
          found->second.next = 0;
        },
        deadline_);
  }

  absl::StatusOr<std::optional<Row>> get(NodeId view, const Row& key) override {
    auto row = std::make_shared<std::optional<Row>>();
    KAPPA_RETURN_IF_ERROR(pipeline_.run_between_epochs(
        [pin = pin_, view, key, row] {
          const auto found = pin->views.find(view);
          if (found == pin->views.end()) return;
          const Pin::View& at = found->second;
          for (uint32_t w = 0; w < at.access->workers() && !*row; ++w) {
            const std::byte* image = at.access->find(w, key, at.cuts[w]);
            if (image && at.access->visible(image, at.watermark_us)) {
              *row = at.access->row_values(image);
            }
          }
        },
        deadline_));
    return *row;
  }

  absl::StatusOr<Waiting> waiting(NodeId view) override {
    auto waiting = std::make_shared<Waiting>();
    KAPPA_RETURN_IF_ERROR(pipeline_.run_between_epochs(
        [pin = pin_, view, waiting] { *waiting = pin->waiting(view); }, deadline_));
    return *waiting;
  }

 private:
  static Batch rehome(const Batch& batch, Arena& arena) {
    Batch result;
    result.rows = batch.rows;
    for (const ColumnRef& column : batch.columns) {
      if (column->type().physical() != PhysicalType::kString) {
        result.columns.push_back(column);
        continue;
      }
      auto copy = std::make_shared<Column>(column->gather(all_rows(batch.rows)));
      for (StringRef& text : copy->values<StringRef>()) text = arena.copy(text.view());
      result.columns.push_back(std::move(copy));
    }
    return result;
  }
  static std::vector<uint32_t> all_rows(size_t rows) {
    std::vector<uint32_t> all(rows);
    for (uint32_t i = 0; i < rows; ++i) all[i] = i;
    return all;
  }

  const LivePipeline& pipeline_;
  std::shared_ptr<Pin> pin_;  // touched between epochs only
  Stamp stamp_;
  Deadline deadline_;
};

}  // namespace

absl::Status LivePipeline::pipeline_ended() {
  return absl::UnavailableError("the pipeline has stopped; its log says why");
}

bool LivePipeline::post(std::function<void()> task) const {
  return turns_.post(std::move(task));
}

absl::Status LivePipeline::run_between_epochs(std::function<void()> task, Deadline deadline) const {
  if (!running_) {  // by hand, or stopped: there are no epochs but the caller's
    KAPPA_RETURN_IF_ERROR(failure());
    task();
    return absl::OkStatus();
  }
  auto done = std::make_shared<std::promise<void>>();
  std::future<void> finished = done->get_future();
  const bool posted = turns_.post([task = std::move(task), done] {
    task();
    done->set_value();
  });
  if (!posted) return pipeline_ended();
  if (finished.wait_until(deadline) == std::future_status::timeout) {
    return absl::DeadlineExceededError("the read did not get its turn in time");
  }
  return absl::OkStatus();
}

Stamp LivePipeline::stamp(const std::vector<NodeId>& nodes) const {
  Stamp stamp{
      .generation = options_.generation, .epoch = epochs_, .place = {}, .watermark = kEndOfTime};
  for (size_t p = 0; p < applied_.partitions.size(); ++p) {
    if (reader_->is_carried(p)) continue;
    stamp.place.emplace_back(reader_->partition(p), applied_.partitions[p].next);
  }
  for (NodeId node : nodes) {
    stamp.watermark = std::min(stamp.watermark, EventTime{watermarks_.current(node)});
  }
  if (nodes.empty()) stamp.watermark = kNoEventTime;
  return stamp;
}

ViewReader::Rows LivePipeline::read_rows(NodeId id, const std::vector<Row>& keys) const {
  const ViewAccess& access = *views_[id];
  const int64_t watermark_us = access.watermark_us(watermarks_);
  Rows rows{stamp({id}), {}};
  for (const Row& key : keys) {
    std::optional<Row>& row = rows.rows.emplace_back();
    for (uint32_t w = 0; w < access.workers() && !row; ++w) {
      const std::byte* bytes = access.find(w, key, std::nullopt);
      if (bytes && access.visible(bytes, watermark_us)) row = access.row_values(bytes);
    }
  }
  return rows;
}

void LivePipeline::get(NodeId id, std::vector<Row> keys,
                       std::function<void(absl::StatusOr<Rows>)> done) {
  if (!running_) return done(read_rows(id, keys));
  const auto task = [this, id, keys = std::move(keys), done] { done(read_rows(id, keys)); };
  if (!turns_.post(task)) done(pipeline_ended());
}

void LivePipeline::stamp_now(std::vector<NodeId> nodes,
                             std::function<void(absl::StatusOr<Stamp>)> done) {
  if (!running_) return done(stamp(nodes));
  const auto task = [this, nodes = std::move(nodes), done] { done(stamp(nodes)); };
  if (!turns_.post(task)) done(pipeline_ended());
}

bool LivePipeline::is_applied(const After& after) const {
  for (size_t p = 0; p < applied_.partitions.size(); ++p) {
    if (reader_->partition(p) != after.partition) continue;
    return applied_.partitions[p].next > after.offset;
  }
  return false;  // of a partition that the order does not have yet
}

void LivePipeline::get_after(After after, NodeId id, std::vector<Row> keys,
                             std::function<void(absl::StatusOr<Rows>)> done) {
  const auto answer = [this, id, keys = std::move(keys), done](const absl::Status& applied) {
    if (applied.ok()) return done(read_rows(id, keys));
    done(applied);
  };
  const auto task = [this, after = std::move(after), answer] {
    if (is_applied(after)) return answer(absl::OkStatus());
    if (!running_) return answer(pipeline_ended());  // nothing will be applied
    if (!parked_.add({after, answer})) {
      answer(absl::ResourceExhaustedError("too many calls wait for their record to be applied"));
    }
  };
  if (!running_) return task();
  if (!turns_.post(task)) answer(pipeline_ended());
}

void LivePipeline::answer_parked() {
  if (parked_.empty()) return;
  parked_.answer([this](const After& after) { return is_applied(after); });
}

absl::StatusOr<std::unique_ptr<Snapshot>> LivePipeline::pin(std::vector<NodeId> views,
                                                            Deadline deadline) {
  return pin_once([] { return true; }, std::move(views), deadline);
}

// Between two epochs. Nothing: it is not ready.
absl::StatusOr<std::unique_ptr<Snapshot>> LivePipeline::pin_once(const Ready& ready,
                                                                 std::vector<NodeId> views,
                                                                 Deadline deadline) {
  // Whoever gives up waiting leaves the pin to the last holder of `given`, who releases it.
  struct Given {
    std::mutex mutex;
    bool abandoned = false;
    absl::StatusOr<bool> ready = false;
    std::shared_ptr<Pin> pin = std::make_shared<Pin>();
  };
  auto given = std::make_shared<Given>();
  const absl::Status pinned = run_between_epochs(
      [this, ready, views, given] {
        const std::lock_guard lock(given->mutex);
        if (given->abandoned) return;
        given->ready = ready();
        if (!given->ready.ok() || !*given->ready) return;
        given->pin->stamp = stamp(views);
        for (NodeId id : views) {
          if (given->pin->views.contains(id)) continue;
          Pin::View& view = given->pin->views[id];
          view.access = views_[id].get();
          view.watermark_us = view.access->watermark_us(watermarks_);
          for (uint32_t w = 0; w < view.access->workers(); ++w) {
            auto& table = const_cast<state::Table&>(view.access->table(w));
            view.ids_end.push_back(table.row_ids_end());
            view.cuts.push_back(table.cut_and_pin());
          }
          for (const ViewAccess::Closing& closing : view.access->closing()) {
            const int64_t watermark_us = watermarks_.input_current(closing.node);
            for (const operators::GroupedRows* part : closing.parts) {
              auto& table = const_cast<state::Table&>(part->table());
              given->pin->groups.push_back(
                  {id, part, table.cut_and_pin(), table.row_ids_end(), watermark_us});
            }
          }
        }
      },
      deadline);
  if (!pinned.ok()) {
    const std::lock_guard lock(given->mutex);
    given->abandoned = true;
    if (!given->pin->views.empty()) {
      PinnedSnapshot late(*this, given->pin, deadline);  // its destruction releases the pin
    }
    return pinned;
  }
  KAPPA_RETURN_IF_ERROR(given->ready.status());
  if (!*given->ready) return nullptr;
  return std::make_unique<PinnedSnapshot>(*this, given->pin, deadline);
}

}  // namespace kappa::runtime
