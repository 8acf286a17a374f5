// What does the engine reach over Kafka? A topic of Nexmark bids is read to its end: by a plain
// consumer, which is the yardstick; by the log's readers alone; by these and the decoder; and by
// the queries of the benches filter, tumble, aggregate and sliding. Each is printed with its ratio
// to the yardstick of the same run. The broker's CPU does not count, librdkafka's does.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/bid_queries.h"
#include "bench/kafka_bids.h"
#include "bench/kafka_yardstick.h"
#include "engine/sql/catalog.h"
#include "engine/types/status_macros.h"
#include "schemas/decoder.h"

namespace kappa::bench {
namespace {

absl::StatusOr<Result> run_fetch(const KafkaTopic& topic, int64_t records) {
  Result result;
  const Stopwatch stopwatch;
  KAPPA_RETURN_IF_ERROR(read_topic(topic, [&](int32_t, const RecordBlock& block) {
    result.records += static_cast<int64_t>(block.records.size());
  }));
  stopwatch.stop(&result);
  result.checked = result.records == records;
  return result;
}

// The four columns that the queries read between them, of seven that are declared and checked.
absl::StatusOr<Result> run_decode(const KafkaTopic& topic, const std::vector<Bid>& bids) {
  const sql::CompiledPlan compiled = sql::compile_product(
      {{"bench.sql", kafka_bid_table(topic.name) + filter_query().product.sql}}, {});
  if (!compiled.ok()) return sql::to_status(compiled.diagnostics);
  const auto source =
      std::find_if(compiled.plan.sources.begin(), compiled.plan.sources.end(),
                   [&](const schemas::Source& each) { return each.topic == topic.name; });
  std::vector<std::unique_ptr<schemas::Decoder>> decoders;
  for (size_t p = 0; p < topic.ends.size(); ++p) {
    KAPPA_ASSIGN_OR_RETURN(decoders.emplace_back(),
                           schemas::make_decoder(*source, {0, 1, 2, 5}, {}));
  }
  constexpr size_t kBatchRecords = 4096;
  Result result;
  Arena arena;
  int64_t sum = 0;
  const Stopwatch stopwatch;
  KAPPA_RETURN_IF_ERROR(read_topic(topic, [&](int32_t partition, const RecordBlock& block) {
    const std::span<const RecordView> records(block.records);
    for (size_t at = 0; at < records.size(); at += kBatchRecords) {
      schemas::Decoded decoded;
      decoders[static_cast<size_t>(partition)]->decode(
          records.subspan(at, std::min(kBatchRecords, records.size() - at)), arena, &decoded);
      result.records += static_cast<int64_t>(decoded.records.size());
      for (const Column& column : decoded.columns) {
        for (const int64_t value : column.values<int64_t>()) sum += value;
      }
    }
  }));
  stopwatch.stop(&result);
  int64_t right = 0;
  for (const Bid& bid : bids) right += bid.auction + bid.bidder + bid.price + bid.date_time_us;
  result.checked = result.records == static_cast<int64_t>(bids.size()) && sum == right;
  return result;
}

absl::StatusOr<Result> run(const Options& options) {
  KAPPA_ASSIGN_OR_RETURN(const auto log, open_kafka(options));
  if (options.load > 0) {
    KAPPA_RETURN_IF_ERROR(load_kafka_bids(*log, options.topic, options.load, {}));
  }
  KAPPA_ASSIGN_OR_RETURN(const KafkaTopic topic, look_at_topic(*log, options.topic));
  KAPPA_ASSIGN_OR_RETURN(const std::vector<Bid> bids, bids_of(topic));
  const auto records = static_cast<int64_t>(bids.size());
  KAPPA_ASSIGN_OR_RETURN(Result yardstick,
                         run_yardstick(options.brokers, options.topic, topic.ends, records));
  const auto rate = [](const Result& result) {
    return static_cast<double>(result.records) / result.cpu_seconds;
  };
  const auto finish = [&](const std::string& what, Result result) {
    result.name = "kafka/" + what;
    result.bytes_per_record = yardstick.bytes_per_record;
    result.more["ratio_to_yardstick"] = rate(result) / rate(yardstick);
    return result;
  };
  options.report(finish("yardstick", yardstick));
  KAPPA_ASSIGN_OR_RETURN(const Result fetch, run_fetch(topic, records));
  options.report(finish("fetch", fetch));
  KAPPA_ASSIGN_OR_RETURN(const Result decode, run_decode(topic, bids));
  options.report(finish("decode", decode));
  const std::pair<const char*, BidQuery> queries[] = {{"filter", filter_query()},
                                                      {"tumble", tumble_query()},
                                                      {"aggregate", aggregate_query()},
                                                      {"sliding", sliding_query()}};
  Result last;
  for (const auto& [name, query] : queries) {
    if (!last.name.empty()) options.report(last);
    Product product = query.product;
    product.table = kafka_bid_table(options.topic);
    const std::string directory = absl::StrCat(options.directory, "/", name);
    std::filesystem::create_directories(directory);
    KAPPA_ASSIGN_OR_RETURN(const Result result,
                           run_over(log.get(), product, records, directory, options,
                                    query.check_for(these_bids(bids))));
    last = finish(name, result);
  }
  return last;
}

const bool added = add({"kafka",
                        "over Kafka: fetch, decode, filter, tumble, aggregate, sliding, "
                        "and how they compare with a plain consumer",
                        1, run});

}  // namespace
}  // namespace kappa::bench
