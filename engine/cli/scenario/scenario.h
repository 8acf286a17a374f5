#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/types/time.h"

// A scenario file as a tree of its steps. The format is described in README.md beside this file.
namespace kappa::cli::scenario {

// What stands below a `----`: the expected rows, a line each, as they are written.
struct Expected {
  bool given = false;             // whether there is a `----`
  std::vector<std::string> rows;  // cells separated by tabs
  int first_line = 0;  // of the rows in the file, from 1; where they would stand if there are none
};

struct ProductStep {  // `product DIRECTORY`: its product.sql and .proto files
  std::string directory;
};
struct FileStep {  // `file PATH`: a .proto of the product, written inline
  std::string path;
  std::string text;
};
struct StatementStep {  // `statement ok` / `statement error REGEX`
  std::string sql;
  int sql_line = 0;
  std::optional<std::string> error;  // what the error's text must match
};
struct RecordLine {
  std::string json;
  int line = 0;
};
struct RecordsStep {  // `records TOPIC [partition=N]`
  std::string topic;
  std::optional<int32_t> partition;
  std::vector<RecordLine> records;
};
struct QueryStep {  // `query TYPES [rowsort|nosort]`
  std::string sql;
  int sql_line = 0;
  std::string types;
  bool sorted = false;
  Expected expected;
};
// `late VIEW`, `output TOPIC`, `deadletters TOPIC`, each with [@key] [rowsort|nosort] behind it.
struct TopicStep {
  enum class Kind { kLate, kOutput, kDeadLetters } kind = Kind::kLate;
  std::string name;
  bool with_key = false;  // rows begin with the record's key
  bool sorted = false;
  Expected expected;
};
struct ClockStep {  // `clock TIME`: stays there until the next one
  LogTime time;
};
struct TickStep {  // `tick TIME`
  LogTime time;
};
struct CompleteStep {};  // `complete`
struct RestartStep {};   // `restart`

struct Step {
  int line = 0;
  std::variant<ProductStep, FileStep, StatementStep, RecordsStep, QueryStep, TopicStep, ClockStep,
               TickStep, CompleteStep, RestartStep>
      what;

  // The expected rows of a step that has some, or nullptr.
  const Expected* expected() const;
  // Whether the step adds an entry to the order journal.
  bool makes_entry() const;
};

struct Scenario {
  std::string file;                // as it was named
  std::vector<std::string> lines;  // of the file, without line ends
  std::vector<Step> steps;
};

// InvalidArgument: "FILE:LINE: what was found and what would be right", for each faulty line.
// With `fill_in`, a step whose `----` is missing is taken as one to be filled in.
absl::StatusOr<Scenario> parse_scenario(const std::string& file, const std::string& text,
                                        bool fill_in);

// A time as scenario files write it: milliseconds since the epoch, or RFC 3339 to the millisecond.
std::optional<LogTime> parse_log_time(std::string_view text);

}  // namespace kappa::cli::scenario
