#include "test/runtime/property_run.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "engine/log/embedded/embedded_log.h"
#include "engine/sql/catalog.h"
#include "engine/types/status_macros.h"
#include "test/runtime/engine_run.h"
#include "test/runtime/model/plan_generator.h"
#include "test/runtime/model/record_generator.h"
#include "test/state/temporary_directory.h"

namespace kappa::runtime {
namespace {

using model::Dice;
using model::Entry;
using model::Model;
using model::SideRow;
using Lines = std::vector<std::string>;

// What the first differing line of two sorted lists is.
absl::Status differ(const std::string& what, const Lines& expected, const Lines& actual) {
  if (expected == actual) return absl::OkStatus();
  const auto [left, right] =
      std::mismatch(expected.begin(), expected.end(), actual.begin(), actual.end());
  return absl::InternalError(absl::StrCat(what, ": expected ", expected.size(), " lines, got ",
                                          actual.size(), "; expected ",
                                          left == expected.end() ? "nothing more" : *left, ", got ",
                                          right == actual.end() ? "nothing more" : *right));
}

absl::Status same_dump(const std::string& what, const std::string& expected,
                       const std::string& actual) {
  const auto lines = [](const std::string& text) {
    Lines split;
    size_t from = 0;
    while (from < text.size()) {
      const size_t end = std::min(text.find('\n', from), text.size());
      split.push_back(text.substr(from, end - from));
      from = end + 1;
    }
    return split;
  };
  return differ("canonical dump of " + what, lines(expected), lines(actual));
}

nlohmann::json json_of(const Value& value) {
  if (value.is_null()) return nullptr;
  switch (value.type.id) {
    case TypeId::kBoolean:
      return std::get<bool>(value.data);
    case TypeId::kInteger:
      return std::get<int32_t>(value.data);
    case TypeId::kDouble: {
      // The writer leaves a fraction away that there is not: so does the reader then.
      const double number = std::get<double>(value.data);
      if (number == std::floor(number)) return static_cast<int64_t>(number);
      return number;
    }
    case TypeId::kBigint: {
      const int64_t number = std::get<int64_t>(value.data);
      const int64_t exact = int64_t{1} << 53;
      if (number >= -exact && number <= exact) return number;
      return to_text(value);
    }
    default:
      return to_text(value);
  }
}

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
  PipelineOptions random_options() {
    static const std::vector<uint32_t> workers{1, 2, 4};
    static const std::vector<uint32_t> limits{1, 7, 4096};
    PipelineOptions options;
    options.workers = dice_.pick(workers);
    options.epoch_records_max = dice_.pick(limits);
    // A checkpoint after every epoch, now and then.
    if (dice_.one_in(4)) options.checkpoint_dirty_bytes_max = 1;
    return options;
  }

  // ---- live ---------------------------------------------------------------------------------

  absl::Status run_live() {
    Model model(generated_.plan);
    EngineRun engine(plan_, log_.get(), directory_ / "journal", &clock_, random_options());
    KAPPA_RETURN_IF_ERROR(engine.open());
    const int64_t portions = dice_.between(1, 12);
    // Enough records at once that workers run at the same time, now and then.
    const int64_t records_max = dice_.one_in(12) ? 700 : 30;
    for (int64_t i = 0; i < portions; ++i) {
      KAPPA_RETURN_IF_ERROR(append_records(dice_.between(1, records_max)));
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
    KAPPA_RETURN_IF_ERROR(compare_views(engine, model, "live"));
    KAPPA_ASSIGN_OR_RETURN(live_dump_, engine.pipeline().canonical_dump());
    KAPPA_RETURN_IF_ERROR(engine.pipeline().checkpoint());
    return compare_side(model);
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
      KAPPA_RETURN_IF_ERROR(engine.kill_and_open());
    }
    engine.store().heal();
    if (dice_.one_in(4)) return compare_views(engine, model, "live, on the way");
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
      PipelineOptions options = random_options();
      options.workers = workers;
      options.epoch_records_max = limits.back();
      limits.pop_back();
      options.mute_outputs = options.follow_only = true;
      EngineRun engine(plan_, log_.get(), directory_ / "journal", &clock_, options);
      KAPPA_RETURN_IF_ERROR(engine.open());
      if (dice_.coin()) KAPPA_RETURN_IF_ERROR(follow_with_kill(engine));
      KAPPA_RETURN_IF_ERROR(engine.pipeline().follow(~uint64_t{0}));
      KAPPA_ASSIGN_OR_RETURN(const std::string dump, engine.pipeline().canonical_dump());
      KAPPA_RETURN_IF_ERROR(
          same_dump(absl::StrCat("a replay by the journal, ", workers, " workers, epochs of ",
                                 options.epoch_records_max),
                    live_dump_, dump));
    }
    return absl::OkStatus();
  }

  absl::Status follow_with_kill(EngineRun& engine) {
    KAPPA_RETURN_IF_ERROR(
        engine.pipeline().follow(static_cast<uint64_t>(dice_.between(0, entries_))));
    if (dice_.coin()) KAPPA_RETURN_IF_ERROR(engine.pipeline().checkpoint());
    KAPPA_RETURN_IF_ERROR(
        engine.pipeline().follow(static_cast<uint64_t>(dice_.between(0, entries_))));
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
      PipelineOptions options = random_options();
      options.mute_outputs = true;
      EngineRun engine(plan_, log_.get(), directory_ / absl::StrCat("history", run), &clock_,
                       options);
      KAPPA_RETURN_IF_ERROR(engine.open());
      KAPPA_RETURN_IF_ERROR(engine.pipeline().advance());
      if (dice_.coin()) KAPPA_RETURN_IF_ERROR(engine.kill_and_open());
      KAPPA_RETURN_IF_ERROR(compare_views(engine, model, "history"));
      KAPPA_ASSIGN_OR_RETURN(const std::string dump, engine.pipeline().canonical_dump());
      if (!first_dump) first_dump = dump;
      KAPPA_RETURN_IF_ERROR(same_dump("history", *first_dump, dump));
    }
    return absl::OkStatus();
  }

  // ---- comparing ----------------------------------------------------------------------------

  absl::Status compare_views(EngineRun& engine, const Model& model, const std::string& when) {
    for (const std::string& name : generated_.views) {
      const std::string what = absl::StrCat(when, ": view ", name);
      KAPPA_ASSIGN_OR_RETURN(const EngineRun::View view, engine.view(name));
      KAPPA_RETURN_IF_ERROR(differ(what, model.view(name), view.lines));
      const model::Waiting expected = model.waiting(name);
      const bool same_until = expected.rows == 0 || view.waiting.until.us == expected.until_us;
      if (static_cast<int64_t>(view.waiting.rows) != expected.rows || !same_until) {
        return absl::InternalError(absl::StrCat(
            what, ": ", expected.rows, " rows wait until ", expected.until_us, ", the engine says ",
            view.waiting.rows, " until ", view.waiting.until.us));
      }
      if (view.stamp.watermark.us != model.watermark_us(name)) {
        return absl::InternalError(absl::StrCat(what, ": the watermark is ",
                                                model.watermark_us(name), ", the engine says ",
                                                view.stamp.watermark.us));
      }
      KAPPA_RETURN_IF_ERROR(compare_place(what, view.stamp));
    }
    return compare_counts(engine, model, when);
  }

  // The place must be where the last entry ended.
  absl::Status compare_place(const std::string& what, const Stamp& stamp) const {
    for (const auto& [partition, next] : stamp.place) {
      const auto applied = applied_.find(partition);
      const int64_t expected = applied == applied_.end() ? 0 : applied->second;
      if (next.value == expected) continue;
      return absl::InternalError(absl::StrCat(what, ": ", partition.topic, "-", partition.partition,
                                              " is applied up to ", expected, ", the engine says ",
                                              next.value));
    }
    return absl::OkStatus();
  }

  absl::Status compare_counts(EngineRun& engine, const Model& model, const std::string& when) {
    std::map<std::string, uint64_t> late;
    std::map<std::string, uint64_t> duplicates;
    for (const SideRow& row : model.side()) {
      if (row.kind == SideRow::Kind::kLate) ++late[row.view];
      if (row.kind == SideRow::Kind::kDuplicate) ++duplicates[row.view];
    }
    for (const ViewStats& stats : engine.pipeline().stats().views) {
      if (stats.late_records == late[stats.name] && stats.duplicates == duplicates[stats.name]) {
        continue;
      }
      return absl::InternalError(
          absl::StrCat(when, ": view ", stats.name, " has refused ", late[stats.name],
                       " late rows and ", duplicates[stats.name], " duplicates, the engine says ",
                       stats.late_records, " and ", stats.duplicates));
    }
    return absl::OkStatus();
  }

  // What left, as lines: where from, and an output's payload.
  absl::Status compare_side(const Model& model) {
    std::map<std::string, Lines> expected;
    for (const SideRow& row : model.side()) {
      std::string line = row.partition ? absl::StrCat(row.partition->topic, "-",
                                                      row.partition->partition, "@", row.offset)
                                       : "-@";
      if (row.kind == SideRow::Kind::kOutput) line += " " + output_of(row).dump();
      expected[row.topic].push_back(std::move(line));
    }
    std::vector<std::string> topics = generated_.outputs;
    for (const std::string& view : generated_.views) topics.push_back(view + ".late");
    for (const auto& source : generated_.plan.sources) {
      topics.push_back(source.name + ".dead-letters");
    }
    for (const std::string& topic : topics) {
      const bool output = std::find(generated_.outputs.begin(), generated_.outputs.end(), topic) !=
                          generated_.outputs.end();
      KAPPA_ASSIGN_OR_RETURN(const auto published, read_topic(*log_, topic));
      Lines actual;
      for (const PublishedRecord& record : published) {
        std::string line =
            absl::StrCat(record.header("kappa-topic"), "-", record.header("kappa-partition"), "@",
                         record.header("kappa-offset"));
        if (output) line += " " + nlohmann::json::parse(record.value).dump();
        actual.push_back(std::move(line));
      }
      // Outputs leave in the order; dead letters and late rows of several statements mix.
      Lines wanted = expected[topic];
      if (!output) std::sort(wanted.begin(), wanted.end());
      if (!output) std::sort(actual.begin(), actual.end());
      KAPPA_RETURN_IF_ERROR(differ("topic " + topic, wanted, actual));
    }
    return absl::OkStatus();
  }

  nlohmann::json output_of(const SideRow& row) const {
    nlohmann::json object = nlohmann::json::object();
    for (const model::Node& node : generated_.plan.nodes) {
      const auto* output = std::get_if<model::OutputNode>(&node.op);
      if (!output || output->topic != row.topic) continue;
      for (size_t i = 0; i < row.row.size(); ++i) object[output->names[i]] = json_of(row.row[i]);
    }
    return object;
  }

  Dice dice_;
  model::GeneratedPlan generated_;
  model::RecordGenerator records_;
  state::TemporaryDirectory directory_;
  ManualClock clock_;
  operators::Plan plan_;
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
