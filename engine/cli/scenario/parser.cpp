#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "engine/cli/scenario/scenario.h"
#include "engine/sql/suggest.h"
#include "engine/types/text.h"

namespace kappa::cli::scenario {
namespace {

const std::vector<std::string> kDirectives = {"product", "file",  "statement", "records",
                                              "query",   "clock", "tick",      "complete",
                                              "restart", "late",  "output",    "deadletters"};

// Reads a file's lines from the top down. Every fault is kept with its line, so that one reading
// tells all of them.
class Parser {
 public:
  Parser(const std::string& file, std::vector<std::string> lines, bool fill_in)
      : fill_in_(fill_in) {
    scenario_.file = file;
    scenario_.lines = std::move(lines);
  }

  absl::StatusOr<Scenario> parse() {
    while (at_ < count()) {
      if (is_blank(at_) || is_comment(at_)) {
        ++at_;
        continue;
      }
      parse_step();
    }
    if (scenario_.steps.empty() && faults_.empty()) fault(1, "the file holds no step");
    if (!faults_.empty()) return absl::InvalidArgumentError(absl::StrJoin(faults_, "\n"));
    return std::move(scenario_);
  }

 private:
  size_t count() const { return scenario_.lines.size(); }
  const std::string& line(size_t index) const { return scenario_.lines[index]; }
  bool is_blank(size_t index) const { return strip_spaces(line(index)).empty(); }
  bool is_comment(size_t index) const { return line(index).starts_with('#'); }
  static int number(size_t index) { return static_cast<int>(index) + 1; }

  void fault(int line_number, const std::string& message) {
    faults_.push_back(absl::StrCat(scenario_.file, ":", line_number, ": ", message));
  }

  void parse_step() {
    const int step_line = number(at_);
    const std::string text(strip_spaces(line(at_)));
    const size_t space = std::min(text.find_first_of(" \t"), text.size());
    const std::string directive = text.substr(0, space);
    rest_ = strip_spaces(std::string_view(text).substr(space));
    words_ = absl::StrSplit(rest_, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    ++at_;
    Step step{step_line, {}};
    const size_t faults_before = faults_.size();
    parse_directive(directive, &step);
    if (faults_.size() == faults_before) {
      scenario_.steps.push_back(std::move(step));
    } else {
      skip_block();
    }
  }

  void parse_directive(const std::string& directive, Step* step) {
    if (directive == "statement") return parse_statement(step);
    if (directive == "records") return parse_records(step);
    if (directive == "query") return parse_query(step);
    if (directive == "late") return parse_topic(TopicStep::Kind::kLate, step);
    if (directive == "output") return parse_topic(TopicStep::Kind::kOutput, step);
    if (directive == "deadletters") return parse_topic(TopicStep::Kind::kDeadLetters, step);
    if (directive == "product") return parse_product(step);
    if (directive == "file") return parse_file(step);
    if (directive == "clock") return parse_time<ClockStep>(directive, step);
    if (directive == "tick") return parse_time<TickStep>(directive, step);
    if (directive == "complete" || directive == "restart") {
      if (!words_.empty()) {
        return fault(step->line, absl::StrCat(directive, " takes nothing; found \"", rest_, "\""));
      }
      if (directive == "complete") step->what = CompleteStep{};
      if (directive == "restart") step->what = RestartStep{};
      return;
    }
    fault(step->line, absl::StrCat("unknown step \"", directive, "\"; ",
                                   sql::suggestion(directive, kDirectives, "steps are")));
  }

  void parse_statement(Step* step) {
    StatementStep statement;
    if (!words_.empty() && words_[0] == "error") {
      statement.error = std::string(strip_spaces(std::string_view(rest_).substr(5)));
    } else if (words_.size() != 1 || words_[0] != "ok") {
      return fault(step->line,
                   absl::StrCat("expected \"statement ok\" or \"statement error REGEX\"; found \"",
                                "statement ", rest_, "\""));
    }
    statement.sql_line = number(at_);
    statement.sql = take_block();
    if (statement.sql.empty()) return fault(step->line, "the SQL of the statement is missing");
    step->what = std::move(statement);
  }

  void parse_records(Step* step) {
    RecordsStep records;
    if (words_.empty() || words_.size() > 2) {
      return fault(step->line, "expected \"records TOPIC [partition=N]\"");
    }
    records.topic = words_[0];
    if (words_.size() == 2) {
      const std::string kPrefix = "partition=";
      int32_t partition = -1;
      if (!words_[1].starts_with(kPrefix) ||
          !absl::SimpleAtoi(words_[1].substr(kPrefix.size()), &partition) || partition < 0 ||
          partition > 999) {
        return fault(step->line, absl::StrCat("expected partition=N with N from 0 to 999; found \"",
                                              words_[1], "\""));
      }
      records.partition = partition;
    }
    for (; at_ < count() && !is_blank(at_); ++at_) {
      if (!is_comment(at_)) records.records.push_back({line(at_), number(at_)});
    }
    if (records.records.empty()) {
      return fault(step->line, "a records step holds one JSON object a line; found none");
    }
    step->what = std::move(records);
  }

  void parse_query(Step* step) {
    QueryStep query;
    if (words_.empty() || words_.size() > 2 ||
        words_[0].find_first_not_of("ITR") != std::string::npos) {
      return fault(
          step->line,
          absl::StrCat("expected \"query TYPES [rowsort|nosort]\" with a letter a column: ",
                       "I integer, R double or decimal, T anything else; found \"query ", rest_,
                       "\""));
    }
    query.types = words_[0];
    if (!parse_order(1, step->line, &query.sorted)) return;
    query.sql_line = number(at_);
    std::vector<std::string> sql;
    for (; at_ < count() && !is_blank(at_) && line(at_) != "----"; ++at_) sql.push_back(line(at_));
    query.sql = absl::StrJoin(sql, "\n");
    if (query.sql.empty()) return fault(step->line, "the SQL of the query is missing");
    if (!take_expected(step->line, &query.expected)) return;
    step->what = std::move(query);
  }

  void parse_topic(TopicStep::Kind kind, Step* step) {
    TopicStep topic;
    topic.kind = kind;
    topic.with_key = words_.size() > 1 && words_[1] == "@key";
    const size_t order = topic.with_key ? 2 : 1;
    if (words_.empty() || words_.size() > order + 1) {
      return fault(step->line, "expected one name, and perhaps @key, and rowsort or nosort");
    }
    topic.name = words_[0];
    if (!parse_order(order, step->line, &topic.sorted)) return;
    if (!take_expected(step->line, &topic.expected)) return;
    step->what = std::move(topic);
  }

  void parse_product(Step* step) {
    if (words_.size() != 1) return fault(step->line, "expected \"product DIRECTORY\"");
    step->what = ProductStep{words_[0]};
  }

  void parse_file(Step* step) {
    if (words_.size() != 1) return fault(step->line, "expected \"file PATH\"");
    const std::string text = take_block();
    if (text.empty()) return fault(step->line, "the text of the file is missing");
    step->what = FileStep{words_[0], text + "\n"};
  }

  template <typename TimeStep>
  void parse_time(const std::string& directive, Step* step) {
    const std::optional<LogTime> time = parse_log_time(rest_);
    if (!time) {
      return fault(step->line,
                   absl::StrCat("expected \"", directive, " TIME\" with milliseconds or RFC 3339; ",
                                "found \"", rest_, "\""));
    }
    step->what = TimeStep{*time};
  }

  bool parse_order(size_t word, int step_line, bool* sorted) {
    if (words_.size() <= word) return true;
    *sorted = words_[word] == "rowsort";
    if (*sorted || words_[word] == "nosort") return true;
    fault(step_line, absl::StrCat("expected rowsort or nosort; found \"", words_[word], "\""));
    return false;
  }

  // The lines up to the next blank one.
  std::string take_block() {
    std::vector<std::string> block;
    for (; at_ < count() && !is_blank(at_); ++at_) block.push_back(line(at_));
    return absl::StrJoin(block, "\n");
  }

  void skip_block() {
    while (at_ < count() && !is_blank(at_)) ++at_;
  }

  bool take_expected(int step_line, Expected* expected) {
    expected->given = at_ < count() && line(at_) == "----";
    if (!expected->given) {
      expected->first_line = number(at_);
      if (fill_in_) return true;
      fault(step_line,
            "the expected rows are missing: write ---- and the rows below it, or run with "
            "--rewrite to fill them in");
      return false;
    }
    expected->first_line = number(++at_);
    for (; at_ < count() && !line(at_).empty(); ++at_) expected->rows.push_back(line(at_));
    return true;
  }

  bool fill_in_;
  Scenario scenario_;
  size_t at_ = 0;                   // index of the next line
  std::string rest_;                // of the step's line, after its directive
  std::vector<std::string> words_;  // of `rest_`
  std::vector<std::string> faults_;
};

}  // namespace

absl::StatusOr<Scenario> parse_scenario(const std::string& file, const std::string& text,
                                        bool fill_in) {
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  for (std::string& line : lines) {
    if (line.ends_with('\r')) line.pop_back();
  }
  return Parser(file, std::move(lines), fill_in).parse();
}

}  // namespace kappa::cli::scenario
