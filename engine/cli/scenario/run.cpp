#include "engine/cli/scenario/run.h"

#include <algorithm>
#include <atomic>
#include <filesystem>

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "engine/cli/scenario/payload.h"
#include "engine/cli/scenario/rows.h"
#include "engine/cli/scenario/way.h"
#include "engine/sql/catalog.h"
#include "engine/types/status_macros.h"

namespace kappa::cli::scenario {
namespace {

constexpr size_t kDifferenceLinesMax = 40;

std::string text_of(const absl::Status& status) {
  return std::string(status.message());
}

std::string scratch_directory() {
  static std::atomic<int> number{0};
  const std::string name = absl::StrCat("kappa-scenario-", getpid(), "-", number++);
  return (std::filesystem::temp_directory_path() / name).string();
}

WayOptions straight_way() {
  return {.name = "straight"};
}
std::vector<WayOptions> other_ways() {
  return {{.name = "with a checkpoint and restart after every step",
           .rocksdb = true,
           .restart_after_entry = true},
          {.name = "with 4 workers", .workers = 4, .epoch_records_max = 3},
          {.name = "from the start over the whole log", .workers = 2, .whole_log_first = true}};
}
WayOptions at_once_way() {
  return {.name = "as one replay of the whole journal",
          .epoch_records_max = 2,
          .whole_log_first = true};
}

Way::EntryKind kind_of(const Step& step) {
  if (std::holds_alternative<TickStep>(step.what)) return Way::EntryKind::kTick;
  if (std::holds_alternative<CompleteStep>(step.what)) return Way::EntryKind::kEnd;
  return Way::EntryKind::kRecords;
}

// Where the runtime publishes what a step asks for (see README.md).
std::string topic_of(const TopicStep& step) {
  switch (step.kind) {
    case TopicStep::Kind::kLate:
      return step.name + ".late";
    case TopicStep::Kind::kDeadLetters:
      return step.name + ".dead-letters";
    case TopicStep::Kind::kOutput:
      break;
  }
  return step.name;
}

bool is_valid_text(const std::string& bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 || c == '\t' || c == '\n' || c == '\r';
  });
}

std::string bytes_cell(const std::optional<std::string>& bytes) {
  if (!bytes) return "NULL";
  if (is_valid_text(*bytes)) return cell_text(std::string_view(*bytes));
  return to_text(Value{Type::bytea(), *bytes});
}

std::string reason_of(const RecordHeaders& headers) {
  for (const auto& [name, value] : headers) {
    if (name == "kappa-reason") return value;
  }
  return "";
}

class Run {
 public:
  Run(const Scenario& scenario, const Script& script, bool fill_in)
      : scenario_(scenario), script_(script), fill_in_(fill_in) {}

  ScenarioResult run() {
    if (!run_straight()) return finish();
    for (WayOptions& options : other_ways()) {
      auto way = open(std::move(options), header_);
      if (!way) continue;
      way_ = way.get();
      if (run_steps()) compare_dump();
    }
    std::string journal = header_;
    for (const std::string& entry : journal_entries_) journal += entry;
    if (auto way = open(at_once_way(), journal)) {
      way_ = way.get();
      compare_dump();
    }
    return finish();
  }

 private:
  bool leads() const { return leading_; }

  std::unique_ptr<Way> open(WayOptions options, const std::string& journal) {
    const std::string name = options.name;
    auto way = Way::open(script_, std::move(options), scratch_directory(), journal);
    if (way.ok()) return *std::move(way);
    fail(1, absl::StrCat("the pipeline does not open (", name, "): ", text_of(way.status())));
    return nullptr;
  }

  bool run_straight() {
    const auto way = open(straight_way(), "");
    if (!way) return false;
    way_ = way.get();
    absl::StatusOr<std::string> journal = way->journal();
    if (!journal.ok()) return fail(1, text_of(journal.status()));
    header_ = *journal;
    journal_bytes_ = header_.size();
    leading_ = true;
    const bool whole = run_steps();
    leading_ = false;
    if (!whole) return false;
    absl::StatusOr<std::string> dump = way->canonical_dump();
    if (!dump.ok()) return fail(1, text_of(dump.status()));
    dump_ = *std::move(dump);
    return true;
  }

  bool run_steps() {
    size_t entry = 0;
    for (index_ = 0; index_ < scenario_.steps.size(); ++index_) {
      const Step& step = scenario_.steps[index_];
      absl::Status status = absl::OkStatus();
      if (step.makes_entry()) {
        status = run_entry(step, entry++);
      } else {
        status = std::visit([this](const auto& what) { return run_step(what); }, step.what);
      }
      if (!status.ok()) return fail(step.line, named(text_of(status)));
    }
    return true;
  }

  absl::Status run_entry(const Step& step, size_t number) {
    const ScriptEntry& entry = script_.entries[number];
    KAPPA_RETURN_IF_ERROR(way_->append(entry));
    if (!leads()) return way_->follow(journal_entries_[number], entry.clock);
    KAPPA_RETURN_IF_ERROR(way_->lead(kind_of(step), entry.clock));
    KAPPA_ASSIGN_OR_RETURN(const std::string journal, way_->journal());
    journal_entries_.push_back(journal.substr(journal_bytes_));
    journal_bytes_ = journal.size();
    return absl::OkStatus();
  }

  absl::Status run_step(const RestartStep&) { return way_->restart(/*checkpoint_first=*/false); }

  absl::Status run_step(const StatementStep& statement) {
    if (!is_read(statement.sql)) return absl::OkStatus();
    const auto result = query(statement.sql, statement.sql_line);
    if (!statement.error) return result.status();
    if (result.ok()) {
      return absl::InvalidArgumentError("the statement was answered, but an error was expected");
    }
    const auto wrong = mismatch(*statement.error, text_of(result.status()));
    return wrong ? absl::InvalidArgumentError(*wrong) : absl::OkStatus();
  }

  absl::Status run_step(const QueryStep& step) {
    KAPPA_ASSIGN_OR_RETURN(const runtime::QueryResult result, query(step.sql, step.sql_line));
    std::string types;
    for (const operators::Field& field : result.schema) types += type_letter(field.type);
    if (types != step.types) {
      return absl::InvalidArgumentError(
          absl::StrCat("the query's columns are of the types ", types, ", not ", step.types));
    }
    check(rows_text(result), step.sorted, step.expected);
    return absl::OkStatus();
  }

  // The values of a record, or that it has none.
  absl::StatusOr<std::string> row_of(const TopicStep& step,
                                     const std::optional<std::string>& value) {
    if (!value) return "NULL";
    KAPPA_ASSIGN_OR_RETURN(const std::string json, json_of(step, *value));
    return json_row_text(json);
  }

  // What a topic's record holds, as a JSON object.
  absl::StatusOr<std::string> json_of(const TopicStep& step, const std::string& value) {
    if (step.kind != TopicStep::Kind::kOutput) return value;
    for (const schemas::Source& sink : script_.plan.sources) {
      if (sink.topic != step.name || sink.format != schemas::Format::kProtobuf) continue;
      KAPPA_ASSIGN_OR_RETURN(const auto payload, ProtobufPayload::make(sink, script_.files));
      return payload->to_json(value);
    }
    return value;
  }

  absl::Status run_step(const TopicStep& step) {
    KAPPA_ASSIGN_OR_RETURN(const auto records, way_->published(topic_of(step)));
    std::vector<std::string> rows;
    for (const Way::PublishedRecord& record : records) {
      const std::string key = step.with_key ? bytes_cell(record.key) + "\t" : "";
      if (step.kind == TopicStep::Kind::kDeadLetters) {
        rows.push_back(absl::StrCat(key, cell_text(std::string_view(reason_of(record.headers))),
                                    "\t", bytes_cell(record.value)));
      } else {
        KAPPA_ASSIGN_OR_RETURN(const std::string row, row_of(step, record.value));
        rows.push_back(key + row);
      }
    }
    check(std::move(rows), step.sorted, step.expected);
    return absl::OkStatus();
  }

  template <typename PreparedStep>
  absl::Status run_step(const PreparedStep&) {
    return absl::OkStatus();
  }

  absl::StatusOr<runtime::QueryResult> query(const std::string& sql, int line) {
    const std::string padding(static_cast<size_t>(line - 1), '\n');
    const sql::CompiledQuery compiled =
        sql::compile_query({scenario_.file, padding + sql}, way_->plan());
    if (!compiled.ok()) return sql::to_status(compiled.diagnostics);
    return way_->query(*compiled.query);
  }

  void check(std::vector<std::string> rows, bool sorted, const Expected& expected) {
    if (sorted) std::sort(rows.begin(), rows.end());
    const int line = scenario_.steps[index_].line;
    if (leads()) {
      if (!fill_in_ && rows != expected.rows) {
        fail(line, absl::StrCat("the rows differ from the expected ones (- expected, + actual):\n",
                                difference(expected.rows, rows, kDifferenceLinesMax)));
      }
      result_.rows[index_] = std::move(rows);
    } else if (rows != result_.rows[index_]) {
      fail(line, named(absl::StrCat("the rows differ from the straight way's (- straight):\n",
                                    difference(result_.rows[index_], rows, kDifferenceLinesMax))));
    }
  }

  void compare_dump() {
    const absl::StatusOr<std::string> dump = way_->canonical_dump();
    if (!dump.ok()) {
      fail(1, named(text_of(dump.status())));
    } else if (*dump != dump_) {
      const std::vector<std::string> straight = absl::StrSplit(dump_, '\n');
      const std::vector<std::string> other = absl::StrSplit(*dump, '\n');
      fail(1, named(absl::StrCat("the canonical dump differs from the straight way's "
                                 "(- straight):\n",
                                 difference(straight, other, kDifferenceLinesMax))));
    }
  }

  std::string named(const std::string& message) const {
    return leads() ? message : absl::StrCat(way_->options().name, ": ", message);
  }

  bool fail(int line, std::string message) {
    result_.failures.push_back({line, std::move(message)});
    return false;
  }

  ScenarioResult finish() {
    std::stable_sort(result_.failures.begin(), result_.failures.end(),
                     [](const Failure& a, const Failure& b) { return a.line < b.line; });
    return std::move(result_);
  }

  const Scenario& scenario_;
  const Script& script_;
  bool fill_in_;
  ScenarioResult result_;
  Way* way_ = nullptr;    // the one that is running
  bool leading_ = false;  // it is the straight one
  size_t index_ = 0;      // of the step
  std::string header_;    // of the straight way's journal
  size_t journal_bytes_ = 0;
  std::vector<std::string> journal_entries_;  // the bytes that each entry added
  std::string dump_;                          // the straight way's
};

}  // namespace

ScenarioResult run_scenario(const Scenario& scenario, bool fill_in) {
  ScenarioResult result;
  const Script script = prepare(scenario, &result.failures);
  if (!result.failures.empty()) return result;
  return Run(scenario, script, fill_in).run();
}

std::string rewritten(const Scenario& scenario, const ScenarioResult& result) {
  std::string text;
  size_t copied = 0;  // lines of the file
  const auto copy_to = [&](size_t line) {
    for (; copied < line; ++copied) absl::StrAppend(&text, scenario.lines[copied], "\n");
  };
  for (size_t index = 0; index < scenario.steps.size(); ++index) {
    const auto rows = result.rows.find(index);
    if (rows == result.rows.end()) continue;
    const Expected& expected = *scenario.steps[index].expected();
    copy_to(static_cast<size_t>(expected.first_line) - 1);
    if (!expected.given) text += "----\n";
    for (const std::string& row : rows->second) absl::StrAppend(&text, row, "\n");
    copied += expected.rows.size();
  }
  copy_to(scenario.lines.size());
  return text;
}

}  // namespace kappa::cli::scenario
