#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "engine/log/embedded/embedded_log.h"
#include "engine/sql/catalog.h"
#include "engine/types/status_macros.h"
#include "test/runtime/compare.h"
#include "test/runtime/engine_run.h"
#include "test/runtime/journal_model.h"
#include "test/runtime/model/record_generator.h"
#include "test/runtime/property_run.h"
#include "test/runtime/timer_order.h"
#include "test/state/temporary_directory.h"

namespace kappa::runtime {
namespace {

using model::Dice;
using model::Model;

void sleep_us(int64_t us) {
  std::this_thread::sleep_for(std::chrono::microseconds(us));
}

// All views as of one moment.
struct Look {
  AppliedTo place;
  std::map<std::string, SeenView> views;
  bool matched = false;     // the model has been there
  absl::Status difference;  // where it was at the same place
};

absl::StatusOr<Look> look_at(Pipeline& pipeline) {
  const operators::Plan& plan = pipeline.plan();
  KAPPA_ASSIGN_OR_RETURN(const auto snapshot, pipeline.pin(plan.views(), Deadline::max()));
  Look look;
  for (const auto& [partition, next] : snapshot->stamp().place) {
    if (next.value > 0) look.place[partition] = next.value;
  }
  for (const operators::NodeId id : plan.views()) {
    const std::string& name = std::get<operators::ViewNode>(plan.node(id).op).name;
    KAPPA_ASSIGN_OR_RETURN(look.views[name], see_view(plan, *snapshot, name));
  }
  return look;
}

// Looks at a running pipeline, now and then, on a thread of its own.
class Reader {
 public:
  Reader(Pipeline& pipeline, uint64_t seed)
      : thread_([this, &pipeline, dice = Dice(seed)]() mutable { run(pipeline, dice); }) {}
  ~Reader() {
    if (thread_.joinable()) stop().IgnoreError();
  }

  // What it has seen by then.
  absl::StatusOr<std::vector<Look>> stop() {
    stop_ = true;
    thread_.join();
    if (!status_.ok()) return status_;
    return std::move(looks_);
  }

 private:
  void run(Pipeline& pipeline, Dice& dice) {
    while (!stop_) {
      absl::StatusOr<Look> look = look_at(pipeline);
      status_ = look.status();
      if (!look.ok()) return;
      looks_.push_back(*std::move(look));
      sleep_us(dice.between(0, 4000));
    }
  }

  std::vector<Look> looks_;
  absl::Status status_;
  std::atomic<bool> stop_{false};
  std::thread thread_;  // the last member: it uses the others
};

class LiveRun {
 public:
  explicit LiveRun(uint64_t seed)
      : dice_(seed),
        generated_(model::generate_plan(dice_)),
        records_(dice_, generated_.plan),
        clock_(LogTime{records_.now_ms()}) {}

  const std::string& sql() const { return generated_.sql; }

  absl::Status run() {
    const sql::CompiledPlan compiled = sql::compile_product({{"product.sql", generated_.sql}}, {});
    if (!compiled.ok()) return sql::to_status(compiled.diagnostics);
    plan_ = compiled.plan;
    KAPPA_RETURN_IF_ERROR(take_timer_order(plan_, &generated_.plan));
    read_topics_ = read_topics(plan_);
    log::EmbeddedLogOptions options;
    options.fsync = log::Fsync::kNever;
    options.retention_check_ms = 0;
    KAPPA_ASSIGN_OR_RETURN(log_, log::open_embedded_log(directory_ / "log", options));
    for (const model::Source& source : generated_.plan.sources) {
      KAPPA_RETURN_IF_ERROR(log_->create_topic(source.name, {source.partitions, {}, {}}));
    }
    KAPPA_RETURN_IF_ERROR(run_live());
    return follow_journal();
  }

 private:
  PipelineOptions some_options() {
    PipelineOptions options = random_options(dice_);
    options.checkpoint_interval_ms = dice_.between(0, 20'000);
    return options;
  }

  // ---- live ---------------------------------------------------------------------------------

  absl::Status run_live() {
    EngineRun engine(plan_, log_.get(), directory_ / "journal", &clock_, some_options());
    KAPPA_RETURN_IF_ERROR(engine.open());
    // What is there before the start is a backlog.
    KAPPA_RETURN_IF_ERROR(append_records(dice_.between(0, 40)));
    while (dice_.one_in(3)) {
      KAPPA_RETURN_IF_ERROR(run_for_a_while(engine.pipeline()));
      engine.set_options(some_options());
      KAPPA_RETURN_IF_ERROR(engine.kill_and_open());
    }
    KAPPA_RETURN_IF_ERROR(run_for_a_while(engine.pipeline()));
    KAPPA_RETURN_IF_ERROR(wait_until_applied(engine.pipeline()));
    KAPPA_RETURN_IF_ERROR(engine.pipeline().stop());
    return compare_with_model(engine.pipeline());
  }

  absl::Status run_for_a_while(Pipeline& pipeline) {
    KAPPA_RETURN_IF_ERROR(pipeline.start());
    Reader reader(pipeline, static_cast<uint64_t>(dice_.below(1'000'000)));
    for (int64_t portions = dice_.between(1, 20); portions > 0; --portions) {
      KAPPA_RETURN_IF_ERROR(append_records(dice_.between(1, 30)));
      if (dice_.coin()) sleep_us(dice_.between(0, 3000));
    }
    KAPPA_ASSIGN_OR_RETURN(std::vector<Look> looks, reader.stop());
    std::move(looks.begin(), looks.end(), std::back_inserter(looks_));
    return absl::OkStatus();
  }

  absl::Status append_records(int64_t count) {
    return append_next(count, &records_, &clock_, log_.get(), &appended_);
  }

  absl::Status wait_until_applied(Pipeline& pipeline) const {
    uint64_t expected = 0;
    for (const auto& [partition, records] : appended_) {
      if (read_topics_.contains(partition.topic)) expected += records.size();
    }
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(10);
    while (true) {
      const PipelineStats stats = pipeline.stats();
      // Statistics that do not come in time say so as a failure.
      if (!absl::IsDeadlineExceeded(stats.failure)) KAPPA_RETURN_IF_ERROR(stats.failure);
      if (stats.records == expected) return absl::OkStatus();
      if (std::chrono::steady_clock::now() > deadline) {
        return absl::DeadlineExceededError(
            absl::StrCat("after ten minutes ", stats.records, " of ", expected, " are applied"));
      }
      sleep_us(1000);
    }
  }

  // ---- the model follows --------------------------------------------------------------------

  absl::Status compare_with_model(Pipeline& pipeline) {
    KAPPA_ASSIGN_OR_RETURN(dump_, pipeline.canonical_dump());
    KAPPA_ASSIGN_OR_RETURN(const Look end, look_at(pipeline));
    Model model(generated_.plan);
    KAPPA_ASSIGN_OR_RETURN(
        entries_, apply_journal(directory_ / "journal", appended_, &model,
                                [&](const AppliedTo& place) { match_looks(model, place); }));
    for (const auto& [name, view] : end.views) {
      KAPPA_RETURN_IF_ERROR(compare_view("stopped: view " + name, view, name, model));
    }
    KAPPA_RETURN_IF_ERROR(compare_counts("stopped", pipeline.stats(), model));
    KAPPA_RETURN_IF_ERROR(compare_published(*log_, generated_, model));
    for (const Look& look : looks_) {
      if (look.matched) continue;
      return absl::InternalError(absl::StrCat(
          "a reader saw what was never there: ",
          look.difference.ok() ? "no such place" : std::string(look.difference.message())));
    }
    return absl::OkStatus();
  }

  void match_looks(const Model& model, const AppliedTo& place) {
    for (Look& look : looks_) {
      if (look.matched || look.place != place) continue;
      look.matched = true;
      for (const auto& [name, view] : look.views) {
        const absl::Status same = compare_view("view " + name, view, name, model);
        if (same.ok()) continue;
        look.matched = false;
        look.difference = same;
      }
    }
  }

  absl::Status follow_journal() {
    for (int run = 0; run < 2; ++run) {
      PipelineOptions options = some_options();
      options.mute_outputs = options.follow_only = true;
      EngineRun engine(plan_, log_.get(), directory_ / "journal", &clock_, options);
      KAPPA_RETURN_IF_ERROR(engine.open());
      KAPPA_RETURN_IF_ERROR(
          engine.pipeline().follow(static_cast<uint64_t>(dice_.between(0, entries_))));
      if (dice_.coin()) KAPPA_RETURN_IF_ERROR(engine.pipeline().checkpoint());
      if (dice_.coin()) KAPPA_RETURN_IF_ERROR(engine.kill_and_open());
      KAPPA_RETURN_IF_ERROR(engine.pipeline().follow(~uint64_t{0}));
      KAPPA_ASSIGN_OR_RETURN(const std::string dump, engine.pipeline().canonical_dump());
      KAPPA_RETURN_IF_ERROR(differ_in_text("dump of a replay by the journal", dump_, dump));
    }
    return absl::OkStatus();
  }

  Dice dice_;
  model::GeneratedPlan generated_;
  model::RecordGenerator records_;
  state::TemporaryDirectory directory_;
  ManualClock clock_;
  operators::Plan plan_;
  std::set<std::string> read_topics_;
  std::unique_ptr<log::EmbeddedLog> log_;
  AppendedRecords appended_;
  std::vector<Look> looks_;
  int64_t entries_ = 0;
  std::string dump_;
};

}  // namespace

absl::Status run_live_seed(uint64_t seed) {
  LiveRun run(seed);
  const absl::Status status = run.run();
  if (status.ok()) return status;
  return absl::InternalError(absl::StrCat(std::string(status.message()), "\n", run.sql()));
}

}  // namespace kappa::runtime
