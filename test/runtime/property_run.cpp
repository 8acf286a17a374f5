#include "test/runtime/property_run.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "engine/log/embedded/embedded_log.h"
#include "engine/sql/catalog.h"
#include "engine/types/status_macros.h"
#include "test/runtime/engine_run.h"
#include "test/runtime/model/plan_generator.h"
#include "test/runtime/model/record_generator.h"
#include "test/runtime/timer_order.h"
#include "test/state/temporary_directory.h"

namespace kappa::runtime {
namespace {

using model::Dice;
using model::Entry;
using model::Model;

class PropertyRun {
 public:
  explicit PropertyRun(uint64_t seed)
      : dice_(seed),
        generated_(model::generate_plan(dice_)),
        records_(dice_, generated_.plan),
        clock_(LogTime{0}) {}

  // What was run: the statements, and (`steps`) every record and step.
  std::string description(bool steps) const {
    std::string text = generated_.sql;
    for (const std::string& step : steps ? steps_ : Lines()) text += step + "\n";
    return text;
  }

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
    KAPPA_RETURN_IF_ERROR(follow_journal());
    return run_history();
  }

 private:
  PipelineOptions some_options() {
    PipelineOptions options = random_options(dice_);
    // A checkpoint after every epoch, now and then.
    if (dice_.one_in(4)) options.checkpoint_dirty_bytes_max = 1;
    return options;
  }

  // ---- live ---------------------------------------------------------------------------------

  absl::Status run_live() {
    Model model(generated_.plan);
    EngineRun engine(plan_, log_.get(), directory_ / "journal", &clock_, some_options());
    KAPPA_RETURN_IF_ERROR(engine.open());
    // Enough records at once that workers run at the same time, now and then.
    const bool many = dice_.one_in(16);
    const int64_t portions = many ? dice_.between(1, 4) : dice_.between(2, 20);
    const int64_t records_max = many ? 700 : 30;
    for (int64_t i = 0; i < portions; ++i) {
      KAPPA_RETURN_IF_ERROR(append_records(dice_.between(1, dice_.coin() ? records_max : 3)));
      KAPPA_RETURN_IF_ERROR(live_step(engine, model));
    }
    KAPPA_RETURN_IF_ERROR(advance(engine, model));
    if (dice_.one_in(3)) {
      KAPPA_RETURN_IF_ERROR(attempt(engine, [&] { return engine.pipeline().complete(); }));
      steps_.push_back(absl::StrCat("complete at ", clock_.now().ms));
      clock_ms_ = std::max(clock_ms_, clock_.now().ms);
      model.apply({Entry::Kind::kEnd, clock_ms_, {}});
      ++entries_;
      // What comes after the end mark finds every window closed.
      KAPPA_RETURN_IF_ERROR(append_records(dice_.between(0, 5)));
      KAPPA_RETURN_IF_ERROR(advance(engine, model));
    }
    if (engine.store().failed()) KAPPA_RETURN_IF_ERROR(engine.kill_and_open());
    engine.store().heal();
    KAPPA_RETURN_IF_ERROR(compare(engine, model, "live"));
    KAPPA_ASSIGN_OR_RETURN(live_dump_, engine.pipeline().canonical_dump());
    KAPPA_RETURN_IF_ERROR(engine.pipeline().checkpoint());
    return compare_published(*log_, generated_, model);
  }

  absl::Status live_step(EngineRun& engine, Model& model) {
    if (!dice_.one_in(4)) KAPPA_RETURN_IF_ERROR(advance(engine, model));
    if (dice_.one_in(5)) {
      clock_.set(LogTime{clock_.now().ms + dice_.between(0, 30'000)});
      KAPPA_RETURN_IF_ERROR(attempt(engine, [&] { return engine.pipeline().tick(); }));
      steps_.push_back(absl::StrCat("tick at ", clock_.now().ms));
      clock_ms_ = std::max(clock_ms_, clock_.now().ms);
      model.apply({Entry::Kind::kTick, clock_ms_, {}});
      ++entries_;
    }
    if (dice_.one_in(4)) {
      steps_.push_back("checkpoint");
      const absl::Status saved = engine.pipeline().checkpoint();
      if (!saved.ok() && !engine.store().failed()) return saved;
    }
    if (engine.store().failed() || dice_.one_in(5)) {
      steps_.push_back("kill");
      engine.set_options(some_options());
      KAPPA_RETURN_IF_ERROR(engine.kill_and_open());
    }
    engine.store().heal();
    if (dice_.one_in(4)) return compare(engine, model, "live, on the way");
    return absl::OkStatus();
  }

  // Once more after a restart, if the store failed: it may have done so in the background, before.
  absl::Status attempt(EngineRun& engine, const std::function<absl::Status()>& step) {
    const absl::Status status = step();
    if (status.ok() || !engine.store().failed()) return status;
    steps_.push_back(absl::StrCat("killed after: ", std::string(status.message())));
    KAPPA_RETURN_IF_ERROR(engine.kill_and_open());
    return step();
  }

  absl::Status append_records(int64_t count) {
    for (; count > 0; --count) {
      model::GeneratedRecord made = records_.next();
      log::RecordToAppend record;
      if (made.payload) record.value = *made.payload;
      record.timestamp = LogTime{made.record.timestamp_ms};
      record.partition = made.record.partition;
      KAPPA_ASSIGN_OR_RETURN(const auto at, log_->append(made.record.topic, {&record, 1}));
      made.record.offset = at[0].offset.value;
      steps_.push_back(absl::StrCat("append ", made.record.topic, "-", made.record.partition, "@",
                                    made.record.offset, " at ", made.record.timestamp_ms, ": ",
                                    made.payload.value_or("null")));
      // Of a topic that nobody reads no entry tells.
      if (!read_topics_.contains(made.record.topic)) continue;
      pending_.push_back(made.record);
      all_.push_back(made.record);
    }
    return absl::OkStatus();
  }

  absl::Status advance(EngineRun& engine, Model& model) {
    clock_.set(LogTime{records_.now_ms() + dice_.between(-3'000, 5'000)});
    // A disk that is full for a while: what was journalled is applied after the restart, and not
    // journalled again.
    if (dice_.one_in(6)) engine.store().fail_after(dice_.between(0, 3));
    KAPPA_RETURN_IF_ERROR(attempt(engine, [&] { return engine.pipeline().advance(); }));
    steps_.push_back(absl::StrCat("advance at ", clock_.now().ms));
    if (pending_.empty()) return absl::OkStatus();
    for (const model::Record& record : pending_) {
      int64_t& end = applied_[{record.topic, record.partition}];
      end = std::max(end, record.offset + 1);
    }
    clock_ms_ = std::max(clock_ms_, clock_.now().ms);
    model.apply({Entry::Kind::kRecords, clock_ms_, std::move(pending_)});
    pending_.clear();
    ++entries_;
    return absl::OkStatus();
  }

  // ---- again --------------------------------------------------------------------------------

  absl::Status follow_journal() {
    std::vector<uint32_t> limits{1, 7, 4096};
    dice_.shuffle(&limits);
    for (const uint32_t workers : {1u, 2u, 4u}) {
      PipelineOptions options = some_options();
      options.workers = workers;
      options.epoch_records_max = limits.back();
      limits.pop_back();
      options.mute_outputs = options.follow_only = true;
      EngineRun engine(plan_, log_.get(), directory_ / "journal", &clock_, options);
      KAPPA_RETURN_IF_ERROR(engine.open());
      if (dice_.coin()) KAPPA_RETURN_IF_ERROR(follow_and_kill(engine, options));
      KAPPA_RETURN_IF_ERROR(engine.pipeline().follow(~uint64_t{0}));
      KAPPA_ASSIGN_OR_RETURN(const std::string dump, engine.pipeline().canonical_dump());
      KAPPA_RETURN_IF_ERROR(
          differ_in_text(absl::StrCat("dump of a replay by the journal, ", workers,
                                      " workers, epochs of ", options.epoch_records_max),
                         live_dump_, dump));
    }
    return absl::OkStatus();
  }

  // Killed in the middle, after or before a checkpoint; goes on with another number of workers.
  absl::Status follow_and_kill(EngineRun& engine, PipelineOptions options) {
    KAPPA_RETURN_IF_ERROR(
        engine.pipeline().follow(static_cast<uint64_t>(dice_.between(0, entries_))));
    if (dice_.coin()) KAPPA_RETURN_IF_ERROR(engine.pipeline().checkpoint());
    KAPPA_RETURN_IF_ERROR(
        engine.pipeline().follow(static_cast<uint64_t>(dice_.between(0, entries_))));
    options.workers = random_options(dice_).workers;
    engine.set_options(options);
    return engine.kill_and_open();
  }

  absl::Status run_history() {
    Model model(generated_.plan);
    clock_.set(LogTime{records_.now_ms() + dice_.between(-20'000, 20'000)});
    model.apply({Entry::Kind::kRecords, clock_.now().ms, all_});
    for (const model::Record& record : all_) {
      int64_t& end = applied_[{record.topic, record.partition}];
      end = std::max(end, record.offset + 1);
    }
    std::optional<std::string> first_dump;
    for (int run = 0; run < 2; ++run) {
      PipelineOptions options = some_options();
      options.mute_outputs = true;
      EngineRun engine(plan_, log_.get(), directory_ / absl::StrCat("history", run), &clock_,
                       options);
      KAPPA_RETURN_IF_ERROR(engine.open());
      KAPPA_RETURN_IF_ERROR(engine.pipeline().advance());
      if (dice_.coin()) KAPPA_RETURN_IF_ERROR(engine.kill_and_open());
      KAPPA_RETURN_IF_ERROR(compare(engine, model, "history"));
      KAPPA_ASSIGN_OR_RETURN(const std::string dump, engine.pipeline().canonical_dump());
      if (!first_dump) first_dump = dump;
      KAPPA_RETURN_IF_ERROR(differ_in_text("dump of history", *first_dump, dump));
    }
    return absl::OkStatus();
  }

  absl::Status compare(EngineRun& engine, const Model& model, const std::string& when) {
    for (const std::string& name : generated_.views) {
      const std::string what = absl::StrCat(when, ": view ", name);
      KAPPA_ASSIGN_OR_RETURN(const SeenView view, engine.view(name));
      KAPPA_RETURN_IF_ERROR(compare_view(what, view, name, model));
      if (view.stamp.watermark.us != model.watermark_us(name)) {
        return absl::InternalError(absl::StrCat(what, ": the watermark is ",
                                                model.watermark_us(name), ", the engine says ",
                                                view.stamp.watermark.us));
      }
      KAPPA_RETURN_IF_ERROR(compare_place(what, view.stamp, applied_));
    }
    return compare_counts(when, engine.pipeline().stats(), model);
  }

  Dice dice_;
  model::GeneratedPlan generated_;
  model::RecordGenerator records_;
  state::TemporaryDirectory directory_;
  ManualClock clock_;
  operators::Plan plan_;
  std::set<std::string> read_topics_;
  std::unique_ptr<log::EmbeddedLog> log_;
  std::vector<model::Record> pending_;  // appended, and in no entry yet
  std::vector<model::Record> all_;
  std::map<TopicPartition, int64_t> applied_;  // where the last entry ends
  int64_t clock_ms_ = 0;                       // its clock
  int64_t entries_ = 0;
  std::string live_dump_;
  Lines steps_;
};

}  // namespace

absl::Status run_seed(uint64_t seed, bool steps) {
  PropertyRun run(seed);
  const absl::Status status = run.run();
  if (status.ok()) return status;
  return absl::InternalError(
      absl::StrCat(std::string(status.message()), "\n", run.description(steps)));
}

}  // namespace kappa::runtime
