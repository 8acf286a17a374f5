#include <algorithm>
#include <cstdio>
#include <filesystem>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "bench/bench.h"

namespace kappa::bench {
namespace {

const std::string& name_of(const Bench& bench, const Result& result) {
  return result.name.empty() ? bench.name : result.name;
}

void print_json(const Bench& bench, const Options& options, const Result& result) {
  nlohmann::ordered_json line;
  line["bench"] = name_of(bench, result);
  line["records"] = result.records;
  line["workers"] = options.workers;
  line["wall_seconds"] = result.wall_seconds;
  line["cpu_seconds"] = result.cpu_seconds;
  line["records_per_cpu_second"] =
      result.cpu_seconds > 0 ? static_cast<double>(result.records) / result.cpu_seconds : 0.0;
  line["bytes_per_record"] = result.bytes_per_record;
  line["peak_rss_bytes"] = peak_rss_bytes();
  line["checked"] = result.checked;
  for (const auto& [name, value] : result.more) line[name] = value;
  std::printf("%s\n", line.dump().c_str());
}

void print_text(const Bench& bench, const Options& options, const Result& result) {
  const double records = static_cast<double>(result.records);
  std::printf(
      "%-10s %lld records of %.0f B, %u worker%s: %.3f s, %.3f CPU s, %.2f M records per "
      "CPU second, %.2f M per second, %.0f MiB at most%s\n",
      name_of(bench, result).c_str(), static_cast<long long>(result.records),
      result.bytes_per_record, options.workers, options.workers == 1 ? "" : "s",
      result.wall_seconds, result.cpu_seconds, records / result.cpu_seconds * 1e-6,
      records / result.wall_seconds * 1e-6, static_cast<double>(peak_rss_bytes()) / (1 << 20),
      result.checked ? ", checked" : ", NOT CHECKED");
  for (const auto& [name, value] : result.more) std::printf("  %s = %g\n", name.c_str(), value);
}

std::string list_of_benches() {
  std::string list = "Benches:\n";
  for (const Bench& bench : benches()) list += "  " + bench.name + ": " + bench.question + "\n";
  return list + "\nExample: kappa_bench aggregate --records 1000000 --workers 2 --output json";
}

int run(const Bench& bench, Options options, bool json) {
  std::filesystem::create_directories(options.directory);
  options.report = [&](const Result& result) {
    json ? print_json(bench, options, result) : print_text(bench, options, result);
    std::fflush(stdout);
  };
  const auto result = bench.run(options);
  std::error_code ignored;
  std::filesystem::remove_all(options.directory, ignored);
  if (!result.ok()) {
    std::fprintf(stderr, "kappa_bench %s: %s\n", bench.name.c_str(),
                 std::string(result.status().message()).c_str());
    return 1;
  }
  options.report(*result);
  return result->checked ? 0 : 1;
}

int main(int argc, char** argv) {
  std::sort(benches().begin(), benches().end(),
            [](const Bench& a, const Bench& b) { return a.name < b.name; });
  CLI::App app("Measures one thing, after checking that it is right.");
  app.footer(list_of_benches());
  std::string name;
  std::string output = "text";
  int64_t records = 0;
  Options options;
  options.directory = (std::filesystem::temp_directory_path() / "kappa-bench-").string();
  options.directory += std::to_string(getpid());
  app.add_option("NAME", name, "the bench")->required();
  app.add_option("--records", records, "records (default: the bench's own)")
      ->check(CLI::Range(int64_t{1}, int64_t{1'000'000'000}));
  app.add_option("--workers", options.workers, "workers of the pipeline")
      ->check(CLI::Range(1u, 64u));
  app.add_option("--output", output, "text or json")->check(CLI::IsMember({"text", "json"}));
  app.add_option("--directory", options.directory, "for logs and state; a new one, removed after");
  std::string log = "embedded";
  app.add_option("--log", log, "of the benches replay and score: embedded or kafka")
      ->check(CLI::IsMember({"embedded", "kafka"}));
  app.add_option("--brokers", options.brokers, "of benches over Kafka: host:port[,host:port]");
  app.add_option("--topic", options.topic, "of benches over Kafka: bids as JSON");
  app.add_option("--load", options.load, "of benches over Kafka: appends so many bids first")
      ->check(CLI::Range(int64_t{1}, int64_t{1'000'000'000}));
  CLI11_PARSE(app, argc, argv);
  for (const Bench& bench : benches()) {
    if (bench.name != name) continue;
    if (std::filesystem::exists(options.directory)) {
      std::fprintf(stderr, "kappa_bench: %s exists; --directory takes a new one\n",
                   options.directory.c_str());
      return 2;
    }
    options.over_kafka = log == "kafka";
    options.records = records > 0 ? records : bench.records;
    return run(bench, options, output == "json");
  }
  std::fprintf(stderr, "kappa_bench: no bench \"%s\"\n%s\n", name.c_str(),
               list_of_benches().c_str());
  return 2;
}

}  // namespace
}  // namespace kappa::bench

int main(int argc, char** argv) {
  return kappa::bench::main(argc, argv);
}
