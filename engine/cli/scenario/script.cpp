#include "engine/cli/scenario/script.h"

#include <algorithm>
#include <filesystem>

#include <re2/re2.h>

#include "absl/strings/str_cat.h"
#include "engine/cli/product_files.h"
#include "engine/cli/scenario/payload.h"
#include "engine/cli/scenario/record_line.h"
#include "engine/log/log.h"
#include "engine/sql/catalog.h"
#include "engine/types/text.h"

namespace kappa::cli::scenario {
namespace {

std::string all_text(const std::vector<sql::Diagnostic>& diagnostics) {
  std::string text;
  for (const sql::Diagnostic& diagnostic : diagnostics) {
    absl::StrAppend(&text, text.empty() ? "" : "\n", sql::to_text(diagnostic));
  }
  return text;
}

class Preparation {
 public:
  Preparation(const Scenario& scenario, std::vector<Failure>* failures)
      : scenario_(scenario), failures_(failures) {}

  Script prepare() {
    for (index_ = 0; index_ < scenario_.steps.size(); ++index_) {
      std::visit([this](const auto& what) { declare(what); }, step().what);
    }
    script_.plan = sql::compile_product(texts_, script_.files).plan;
    if (!failures_->empty()) return std::move(script_);
    find_topics();
    for (index_ = 0; index_ < scenario_.steps.size(); ++index_) {
      std::visit([this](const auto& what) { schedule(what); }, step().what);
    }
    return std::move(script_);
  }

 private:
  const Step& step() const { return scenario_.steps[index_]; }
  void fail(int line, std::string message) { failures_->push_back({line, std::move(message)}); }

  // ---- first pass: what makes up the product ----

  bool product_is_open() {
    if (!running_since_) return true;
    fail(step().line, absl::StrCat("the views of a scenario are one plan: this must stand before "
                                   "the first step that runs it, in line ",
                                   *running_since_));
    return false;
  }

  void declare(const ProductStep& product) {
    if (!product_is_open()) return;
    const std::filesystem::path directory =
        std::filesystem::path(scenario_.file).parent_path() / product.directory;
    absl::StatusOr<ProductFiles> files = read_product(directory.lexically_normal().string());
    if (!files.ok()) return fail(step().line, std::string(files.status().message()));
    for (const auto& [path, text] : files->files) script_.files[path] = text;
    const std::vector<sql::SqlText> sql = files->sql();
    texts_.insert(texts_.end(), sql.begin(), sql.end());
    const sql::CompiledPlan compiled = sql::compile_product(texts_, script_.files);
    if (!compiled.ok()) fail(step().line, all_text(compiled.diagnostics));
  }

  void declare(const FileStep& file) {
    if (product_is_open()) script_.files[file.path] = file.text;
  }

  void declare(const StatementStep& statement) {
    if (is_read(statement.sql)) return run_begins();
    if (!statement.error && !product_is_open()) return;
    // Empty lines in front let diagnostics name the line in the scenario file.
    const std::string padding(static_cast<size_t>(statement.sql_line - 1), '\n');
    std::vector<sql::SqlText> texts = texts_;
    texts.push_back({scenario_.file, padding + statement.sql});
    const sql::CompiledPlan compiled = sql::compile_product(texts, script_.files);
    const std::string error = all_text(compiled.diagnostics);
    if (!statement.error) {
      if (!compiled.ok()) return fail(step().line, error);
      texts_ = std::move(texts);
    } else if (compiled.ok()) {
      fail(step().line, "the statement was accepted, but an error was expected");
    } else if (const auto wrong = mismatch(*statement.error, error)) {
      fail(step().line, *wrong);
    }
  }

  void declare(const ClockStep&) {}
  template <typename RunningStep>
  void declare(const RunningStep&) {
    run_begins();
  }
  void run_begins() {
    if (!running_since_) running_since_ = step().line;
  }

  // ---- second pass: what the ways do ----

  void find_topics() {
    for (const schemas::Source& source : script_.plan.sources) {
      script_.topics.try_emplace(source.topic, 1);
    }
    for (const Step& any : scenario_.steps) {
      const auto* records = std::get_if<RecordsStep>(&any.what);
      if (!records) continue;
      int32_t& partitions = script_.topics.try_emplace(records->topic, 1).first->second;
      partitions = std::max(partitions, records->partition.value_or(0) + 1);
    }
  }

  void schedule(const RecordsStep& records) {
    const absl::Status name = log::validate_topic_name(records.topic);
    if (!name.ok()) return fail(step().line, std::string(name.message()));
    std::vector<WrittenRecord> written;
    for (const RecordLine& line : records.records) {
      absl::StatusOr<WrittenRecord> record = parse_record_line(line.json);
      if (!record.ok()) return fail(line.line, std::string(record.status().message()));
      if (!pinned_ && record->timestamp) clock_ = std::max(clock_, *record->timestamp);
      written.push_back(*std::move(record));
    }
    ScriptEntry entry{index_, clock_, records.topic, {}};
    for (size_t i = 0; i < written.size(); ++i) {
      absl::StatusOr<ScriptRecord> record = complete(records, std::move(written[i]));
      if (!record.ok()) {
        return fail(records.records[i].line, std::string(record.status().message()));
      }
      entry.records.push_back(*std::move(record));
    }
    script_.entries.push_back(std::move(entry));
  }

  absl::StatusOr<ScriptRecord> complete(const RecordsStep& step_records, WrittenRecord written) {
    ScriptRecord record;
    const int32_t partitions = script_.topics[step_records.topic];
    record.partition = step_records.partition.value_or(
        written.key ? log::partition_for_key(*written.key, partitions) : 0);
    record.timestamp = written.timestamp.value_or(clock_);
    record.headers = std::move(written.headers);
    record.value = std::move(written.value);
    record.key = std::move(written.key);
    if (!record.value || written.raw) return record;
    absl::StatusOr<ProtobufPayload*> payload = protobuf_payload(step_records.topic);
    if (!payload.ok()) return payload.status();
    if (*payload == nullptr) return record;
    absl::StatusOr<std::string> bytes = (*payload)->encode(*record.value);
    if (!bytes.ok()) return bytes.status();
    record.value = *std::move(bytes);
    return record;
  }

  // How to write records of a topic whose source is Protobuf; nullptr for any other.
  absl::StatusOr<ProtobufPayload*> protobuf_payload(const std::string& topic) {
    if (const auto known = payloads_.find(topic); known != payloads_.end()) {
      return known->second.get();
    }
    std::unique_ptr<ProtobufPayload>& payload = payloads_[topic];
    for (const schemas::Source& source : script_.plan.sources) {
      if (source.topic != topic || source.format != schemas::Format::kProtobuf) continue;
      auto made = ProtobufPayload::make(source, script_.files);
      if (!made.ok()) return made.status();
      payload = *std::move(made);
      break;
    }
    return payload.get();
  }

  void schedule(const ClockStep& clock) {
    pinned_ = true;
    move_clock(clock.time);
  }
  void schedule(const TickStep& tick) {
    move_clock(tick.time);
    script_.entries.push_back({index_, clock_, {}, {}});
  }
  void schedule(const CompleteStep&) { script_.entries.push_back({index_, clock_, {}, {}}); }
  template <typename OtherStep>
  void schedule(const OtherStep&) {}

  void move_clock(LogTime time) {
    if (time < clock_) {
      return fail(step().line, absl::StrCat("the clock never goes back: it stands at ", clock_.ms,
                                            " ms, after ", time.ms, " ms"));
    }
    clock_ = time;
  }

  const Scenario& scenario_;
  std::vector<Failure>* failures_;
  Script script_;
  std::vector<sql::SqlText> texts_;
  size_t index_ = 0;
  std::optional<int> running_since_;  // the line of the first step that runs the product
  LogTime clock_{0};
  bool pinned_ = false;  // by a `clock` step: records no longer move it
  std::map<std::string, std::unique_ptr<ProtobufPayload>> payloads_;  // by topic
};

}  // namespace

Script prepare(const Scenario& scenario, std::vector<Failure>* failures) {
  return Preparation(scenario, failures).prepare();
}

bool is_read(std::string_view sql) {
  const std::string_view text = strip_spaces(sql);
  const std::string_view word = text.substr(0, text.find_first_of(" \t\r\n("));
  return equals_ignoring_case(word, "select") || equals_ignoring_case(word, "values") ||
         equals_ignoring_case(word, "with");
}

std::optional<std::string> mismatch(const std::string& regex, std::string_view error) {
  const RE2 pattern(regex, RE2::Quiet);
  if (!pattern.ok()) {
    return absl::StrCat("the regular expression \"", regex, "\" is wrong: ", pattern.error());
  }
  if (RE2::PartialMatch(re2::StringPiece(error.data(), error.size()), pattern)) return std::nullopt;
  return absl::StrCat("the error does not match \"", regex, "\":\n", to_absl(error));
}

}  // namespace kappa::cli::scenario
