#include "test/replay/random_replay.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/log/embedded/embedded_log.h"
#include "engine/log/header_outbox.h"
#include "engine/runtime/beginning.h"
#include "engine/runtime/pipeline.h"
#include "engine/sql/catalog.h"
#include "engine/types/status_macros.h"
#include "replay/compare.h"
#include "replay/logic_change.h"
#include "replay/recompute.h"
#include "replay/swap.h"
#include "state/checkpoint.h"
#include "state/store.h"
#include "test/runtime/compare.h"
#include "test/runtime/engine_run.h"
#include "test/runtime/journal_model.h"
#include "test/runtime/model/plan_generator.h"
#include "test/runtime/model/record_generator.h"
#include "test/runtime/timer_order.h"
#include "test/state/temporary_directory.h"

namespace kappa::replay {
namespace {

using model::Dice;
using runtime::Deadline;
using runtime::Pipeline;
using runtime::PipelineOptions;

constexpr size_t kCompareBytesMax = 64u << 20;

// Longer than any step takes on a machine that has other things to do.
Deadline patience() {
  return std::chrono::steady_clock::now() + std::chrono::minutes(2);
}

struct Generation {
  std::unique_ptr<state::StateStore> store;
  std::unique_ptr<Pipeline> pipeline;
};

class ReplayRun {
 public:
  explicit ReplayRun(uint64_t seed)
      : dice_(seed),
        generated_(model::generate_plan(dice_)),
        records_(dice_, generated_.plan),
        clock_(LogTime{records_.now_ms()}) {}

  std::string description() const {
    std::string text = generated_.sql;
    for (const std::string& step : steps_) absl::StrAppend(&text, step, "\n");
    return text;
  }

  absl::Status run() {
    const sql::CompiledPlan compiled = sql::compile_product({{"product.sql", generated_.sql}}, {});
    if (!compiled.ok()) return sql::to_status(compiled.diagnostics);
    plan_ = compiled.plan;
    KAPPA_RETURN_IF_ERROR(runtime::take_timer_order(plan_, &generated_.plan));
    read_topics_ = runtime::read_topics(plan_);
    log::EmbeddedLogOptions options;
    options.fsync = log::Fsync::kNever;
    options.retention_check_ms = 0;
    KAPPA_ASSIGN_OR_RETURN(log_, log::open_embedded_log(directory_ / "log", options));
    for (const model::Source& source : generated_.plan.sources) {
      KAPPA_RETURN_IF_ERROR(log_->create_topic(source.name, {source.partitions, {}, {}}));
    }
    KAPPA_RETURN_IF_ERROR(append_records(dice_.between(0, 60)));
    for (Generation& generation : generations_) {
      const std::string path = directory_ / absl::StrCat("store-", ++stores_);
      KAPPA_ASSIGN_OR_RETURN(generation.store, state::open_rocksdb_store(path));
    }
    KAPPA_RETURN_IF_ERROR(open(leader_));
    for (int64_t portions = dice_.between(0, 5); portions > 0; --portions) {
      KAPPA_RETURN_IF_ERROR(append_records(dice_.between(1, 30)));
    }
    KAPPA_RETURN_IF_ERROR(open(follower()));
    for (int64_t steps = dice_.between(5, 20); steps > 0; --steps) {
      KAPPA_RETURN_IF_ERROR(append_records(dice_.between(0, 30)));
      if (dice_.coin()) sleep_us(dice_.between(0, 3'000));
      KAPPA_RETURN_IF_ERROR(step());
    }
    KAPPA_RETURN_IF_ERROR(finish());
    return compare_with_model();
  }

 private:
  static void sleep_us(int64_t us) { std::this_thread::sleep_for(std::chrono::microseconds(us)); }

  size_t follower() const { return 1 - leader_; }
  Pipeline& leading() { return *generations_[leader_].pipeline; }
  Pipeline& following() { return *generations_[follower()].pipeline; }

  // Opens a generation where its last checkpoint is; one that runs is killed.
  absl::Status open(size_t generation) {
    Generation& opened = generations_[generation];
    opened.pipeline.reset();
    const bool leads = generation == leader_;
    // A publisher lives as long as the process that a leader's death is the end of.
    if (leads) outbox_ = std::make_unique<log::HeaderOutbox>("default", log_.get());
    PipelineOptions options = runtime::random_options(dice_);
    options.checkpoint_interval_ms = dice_.coin() ? 1 : dice_.between(0, 20'000);
    if (dice_.one_in(4)) options.checkpoint_dirty_bytes_max = 1;
    options.publisher = leads ? outbox_.get() : nullptr;
    options.follow_only = !leads;
    KAPPA_ASSIGN_OR_RETURN(opened.pipeline,
                           Pipeline::open(plan_, {}, log_.get(), opened.store.get(),
                                          directory_ / "journal", &clock_, options));
    KAPPA_RETURN_IF_ERROR(opened.pipeline->start());
    return leads || dice_.coin() ? absl::OkStatus() : change_pace();
  }

  absl::Status append_records(int64_t count) {
    return runtime::append_next(count, &records_, &clock_, log_.get(), &appended_);
  }

  // ---- on the way ---------------------------------------------------------------------------

  absl::Status step() {
    switch (dice_.below(10)) {
      case 0:
      case 1:
        return change_pace();
      case 2:
      case 3:
        steps_.push_back("the follower is killed");
        return open(follower());
      case 4:
        steps_.push_back("both are killed");
        generations_[follower()].pipeline.reset();
        KAPPA_RETURN_IF_ERROR(open(leader_));
        return open(follower());
      case 5:
        return make_anew();
      case 6:
        return compare_at_a_place();
      case 7:
        return swap();
      default:
        return absl::OkStatus();
    }
  }

  absl::Status change_pace() {
    static const std::vector<double> rates{0, 50, 2'000};
    static const std::vector<double> cores{0, 0.1, 1};
    const runtime::Pace pace{dice_.one_in(3), dice_.pick(rates), dice_.pick(cores)};
    steps_.push_back(pace.paused
                         ? "paused"
                         : absl::StrCat("pace of ", pace.records_per_second_max,
                                        " records a second, ", pace.cpu_cores_max, " cores"));
    return following().set_pace(pace, patience());
  }

  absl::Status make_anew() {
    Generation& anew = generations_[follower()];
    anew.pipeline.reset();
    anew.store.reset();
    const std::string path = directory_ / absl::StrCat("store-", ++stores_);
    if (dice_.coin()) {
      steps_.push_back("the follower is made anew");
    } else {
      steps_.push_back("the follower is made anew, and some views are given along");
      KAPPA_RETURN_IF_ERROR(give_along(path));
    }
    KAPPA_ASSIGN_OR_RETURN(anew.store, state::open_rocksdb_store(path));
    return open(follower());
  }

  // As if some views had changed, and everybody else had not.
  absl::Status give_along(const std::string& path) {
    LogicChange change;
    for (const operators::PlanNode& node : plan_.nodes) {
      if (!std::holds_alternative<operators::ViewNode>(node.op)) continue;
      PartChange& part = change.parts.emplace_back();
      part.node = node.id;
      part.replayed = dice_.coin();
    }
    KAPPA_RETURN_IF_ERROR(leading().copy_state(path, patience()));
    KAPPA_ASSIGN_OR_RETURN(const auto store, state::open_rocksdb_store(path));
    state::CheckpointStore checkpoints(store.get());
    KAPPA_ASSIGN_OR_RETURN(const std::string stored, checkpoints.read_place());
    KAPPA_ASSIGN_OR_RETURN(const runtime::Place at, runtime::decode_place(stored));
    runtime::Place place = runtime::beginning(plan_, at.journal_id);
    const auto brought = runtime::bring_along(plan_, at, plan_, kept_nodes(plan_, change), &place);
    return checkpoints.keep_only(brought, encode(place));
  }

  absl::Status compare_at_a_place() {
    steps_.push_back("compare");
    KAPPA_RETURN_IF_ERROR(following().set_pace({}, patience()));
    KAPPA_RETURN_IF_ERROR(following().rest(patience()));
    KAPPA_ASSIGN_OR_RETURN(const Pipeline::EntryPin here,
                           leading().pin_between_entries(plan_.views(), patience()));
    KAPPA_ASSIGN_OR_RETURN(const Pipeline::EntryPin there,
                           following().pin_behind(here.entries, plan_.views(), patience()));
    KAPPA_ASSIGN_OR_RETURN(const auto views,
                           compare({plan_, *here.rows}, {plan_, *there.rows}, 3, kCompareBytesMax));
    for (const serve::ViewDifference& view : views) {
      if (view.equal()) continue;
      return absl::InternalError(absl::StrCat(
          "behind ", here.entries, " entries view ", view.view, " differs: ", view.changed,
          " changed, ", view.added, " added, ", view.removed, " removed ", view.incomparable));
    }
    return absl::OkStatus();
  }

  // Now and then it cannot be written down, and nothing has happened.
  absl::Status swap() {
    const bool fails = dice_.one_in(3);
    steps_.push_back(fails ? "a swap fails" : "swap");
    KAPPA_RETURN_IF_ERROR(following().set_pace({}, patience()));
    const SwapSteps steps{[&](const runtime::Pipeline::Standstill&) -> absl::Status {
      if (fails) return absl::UnavailableError("not now");
      leader_ = follower();
      return absl::OkStatus();
    }};
    const absl::Status swapped =
        replay::swap(leading(), following(), outbox_.get(), steps, patience());
    if (!fails) return swapped;
    return absl::IsUnavailable(swapped)
               ? absl::OkStatus()
               : absl::InternalError(
                     absl::StrCat("a swap that cannot be written down says: ", swapped.ToString()));
  }

  // ---- in the end ---------------------------------------------------------------------------

  absl::Status finish() {
    KAPPA_RETURN_IF_ERROR(following().set_pace({}, patience()));
    KAPPA_RETURN_IF_ERROR(wait_until_applied(leading()));
    if (dice_.one_in(3)) {
      steps_.push_back("complete");
      KAPPA_RETURN_IF_ERROR(leading().complete_live(patience()));
    }
    KAPPA_RETURN_IF_ERROR(compare_at_a_place());
    KAPPA_ASSIGN_OR_RETURN(const Pipeline::Standstill end, leading().hold(patience()));
    KAPPA_RETURN_IF_ERROR(following().rest(patience()));
    KAPPA_RETURN_IF_ERROR(following().pin_behind(end.entries, plan_.views(), patience()).status());
    KAPPA_RETURN_IF_ERROR(leading().stop());
    KAPPA_RETURN_IF_ERROR(following().stop());
    KAPPA_ASSIGN_OR_RETURN(const std::string dump, leading().canonical_dump());
    KAPPA_ASSIGN_OR_RETURN(const std::string followed, following().canonical_dump());
    KAPPA_RETURN_IF_ERROR(runtime::differ_in_text("dump of the follower", dump, followed));
    const auto store = state::make_memory_store();
    KAPPA_ASSIGN_OR_RETURN(const auto recomputed,
                           recompute(plan_, {}, log_.get(), store.get(), directory_ / "journal",
                                     &clock_, runtime::random_options(dice_)));
    KAPPA_ASSIGN_OR_RETURN(const std::string again, recomputed->canonical_dump());
    return runtime::differ_in_text("dump of a recomputation", dump, again);
  }

  absl::Status wait_until_applied(Pipeline& pipeline) const {
    uint64_t expected = 0;
    for (const auto& [partition, records] : appended_) {
      if (read_topics_.contains(partition.topic)) expected += records.size();
    }
    const Deadline deadline = patience();
    while (true) {
      const runtime::PipelineStats stats = pipeline.stats();
      // Statistics that do not come in time say so as a failure.
      if (!absl::IsDeadlineExceeded(stats.failure)) KAPPA_RETURN_IF_ERROR(stats.failure);
      if (stats.records == expected) return absl::OkStatus();
      if (std::chrono::steady_clock::now() > deadline) {
        return absl::DeadlineExceededError(
            absl::StrCat(stats.records, " of ", expected, " are applied"));
      }
      sleep_us(1'000);
    }
  }

  absl::Status compare_with_model() {
    model::Model model(generated_.plan);
    KAPPA_RETURN_IF_ERROR(
        runtime::apply_journal(directory_ / "journal", appended_, &model).status());
    for (Generation& generation : generations_) {
      KAPPA_ASSIGN_OR_RETURN(const auto snapshot,
                             generation.pipeline->pin(plan_.views(), patience()));
      for (const std::string& name : generated_.views) {
        KAPPA_ASSIGN_OR_RETURN(const auto view, runtime::see_view(plan_, *snapshot, name));
        KAPPA_RETURN_IF_ERROR(runtime::compare_view("view " + name, view, name, model));
      }
      KAPPA_RETURN_IF_ERROR(
          runtime::compare_counts("in the end", generation.pipeline->stats(), model));
    }
    return runtime::compare_published(*log_, generated_, model);
  }

  Dice dice_;
  model::GeneratedPlan generated_;
  model::RecordGenerator records_;
  state::TemporaryDirectory directory_;
  ManualClock clock_;
  operators::Plan plan_;
  std::set<std::string> read_topics_;
  std::unique_ptr<log::EmbeddedLog> log_;
  runtime::AppendedRecords appended_;
  std::unique_ptr<log::HeaderOutbox> outbox_;
  Generation generations_[2];
  size_t leader_ = 0;  // as the catalogue would say
  int stores_ = 0;
  std::vector<std::string> steps_;
};

}  // namespace

absl::Status run_replay_seed(uint64_t seed) {
  ReplayRun run(seed);
  const absl::Status status = run.run();
  if (status.ok()) return status;
  return absl::Status(status.code(),
                      absl::StrCat(std::string(status.message()), "\n", run.description()));
}

}  // namespace kappa::replay
