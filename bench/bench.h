#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

// What a bench is: one question, a result that is checked before anything is timed, one JSON
// object.
namespace kappa::bench {

struct Result;

struct Options {
  std::optional<int64_t> records;  // always given by main(): the default is the bench's own
  uint32_t workers = 1;
  std::string directory;  // for logs and state: there, empty, and removed afterwards
  // Of benches over Kafka.
  std::string brokers;  // host:port[,host:port]
  std::string topic;
  int64_t load = 0;         // so many records are appended to the topic first
  bool over_kafka = false;  // of benches that have their log in one or the other
  // Prints a result before the one that the bench returns.
  std::function<void(const Result& result)> report;
};

struct Result {
  std::string name;  // "": the bench's
  int64_t records = 0;
  double wall_seconds = 0;
  double cpu_seconds = 0;  // of the whole process: user and system
  double bytes_per_record = 0;
  bool checked = false;
  // Further fields of the JSON object: "p99_ms".
  std::map<std::string, double> more;
};

using Run = absl::StatusOr<Result> (*)(const Options& options);

struct Bench {
  std::string name;
  std::string question;  // what it answers, for --help
  int64_t records;       // by default
  Run run;
};

// Every bench of the binary. A bench adds itself: `const bool added = add({"decode", …, run});`
std::vector<Bench>& benches();
bool add(Bench bench);

// The least of the values, which are sorted ascending and some, below or at which lies that part of
// them: 0.99.
double percentile(const std::vector<double>& ascending, double part);

// Times what lies between its construction and stop().
class Stopwatch {
 public:
  Stopwatch();
  // Writes wall and CPU seconds to `result`.
  void stop(Result* result) const;

 private:
  double wall_;
  double cpu_;
};

// The most memory the process has held.
int64_t peak_rss_bytes();

}  // namespace kappa::bench
