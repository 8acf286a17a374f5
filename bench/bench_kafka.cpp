// What does the engine reach over Kafka? A topic of Nexmark bids is read to its end: by a plain
// consumer, which is the yardstick; by the log's readers alone; by these and the decoder; and by
// the queries of the benches filter, tumble, aggregate and sliding. Each is printed with its ratio
// to the yardstick of the same run. The broker's CPU does not count, librdkafka's does.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <simdjson.h>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "bench/bid_queries.h"
#include "bench/kafka_yardstick.h"
#include "engine/log/kafka/kafka_log.h"
#include "engine/sql/catalog.h"
#include "engine/types/status_macros.h"
#include "engine/types/time.h"
#include "schemas/decoder.h"

namespace kappa::bench {
namespace {

constexpr size_t kBlockBytes = 1u << 20;

std::string table_of(const std::string& topic) {
  return absl::StrCat(R"(
CREATE FOREIGN TABLE bid (
  auction bigint, bidder bigint, price bigint, channel text, url text,
  date_time timestamptz OPTIONS (field 'dateTime'), extra text
) SERVER log OPTIONS (topic ')",
                      topic, R"(', format 'json', event_time 'date_time',
                      out_of_orderness '4 seconds');
)");
}

// A topic as it was when the bench began.
struct Topic {
  log::Log* log;
  std::string name;
  std::vector<Offset> starts;
  std::vector<Offset> ends;
};

// Appends `count` of the generator's bids, which topics that keep records by age keep too.
absl::Status load(log::Log& log, const std::string& topic, int64_t count) {
  const absl::Status created = log.create_topic(
      topic, {.partitions = kBidPartitions, .retention_ms = {}, .retention_bytes = {}});
  if (!created.ok() && !absl::IsAlreadyExists(created)) return created;
  KAPPA_ASSIGN_OR_RETURN(const log::TopicInfo info, log.topic(topic));
  constexpr int64_t kBatchRecords = 20'000;
  for (int64_t begin = 0; begin < count; begin += kBatchRecords) {
    const int64_t end = std::min(begin + kBatchRecords, count);
    std::vector<std::string> payloads(static_cast<size_t>(end - begin));
    std::vector<log::RecordToAppend> batch(payloads.size());
    for (int64_t n = begin; n < end; ++n) {
      const auto i = static_cast<size_t>(n - begin);
      const Bid bid = nexmark_bid(n, {});
      append_json(bid, &payloads[i], BidTime::kText);
      batch[i].value = payloads[i];
      batch[i].timestamp = LogTime{bid.known_us / 1000};
      batch[i].partition = static_cast<int32_t>(n % info.config.partitions);
    }
    KAPPA_RETURN_IF_ERROR(log.append(topic, batch).status());
  }
  return log.sync();
}

absl::StatusOr<Topic> look_at(log::Log& log, const std::string& name) {
  KAPPA_ASSIGN_OR_RETURN(const log::TopicInfo info, log.topic(name));
  Topic topic{&log, name, {}, {}};
  for (int32_t p = 0; p < info.config.partitions; ++p) {
    KAPPA_ASSIGN_OR_RETURN(const log::PartitionRange range, log.range({name, p}));
    topic.starts.push_back(range.start);
    topic.ends.push_back(range.end);
  }
  return topic;
}

// Reads all of a topic, partition by partition as it comes, and hands over its blocks.
absl::Status read_all(const Topic& topic,
                      const std::function<void(int32_t partition, const RecordBlock&)>& see) {
  std::vector<std::unique_ptr<log::LogReader>> readers;
  for (size_t p = 0; p < topic.ends.size(); ++p) {
    KAPPA_ASSIGN_OR_RETURN(
        readers.emplace_back(),
        topic.log->open_reader({topic.name, static_cast<int32_t>(p)}, topic.starts[p]));
  }
  for (bool open = true; open;) {
    open = false;
    for (size_t p = 0; p < readers.size(); ++p) {
      if (readers[p]->position() >= topic.ends[p]) continue;
      open = true;
      auto block = readers[p]->read_to(topic.ends[p], kBlockBytes);
      if (absl::IsUnavailable(block.status())) continue;
      KAPPA_RETURN_IF_ERROR(block.status());
      see(static_cast<int32_t>(p), *block);
    }
  }
  return absl::OkStatus();
}

// The topic's bids in the order in which a pipeline applies a backlog: by log time, then partition,
// then offset.
absl::StatusOr<std::vector<Bid>> bids_of(const Topic& topic) {
  struct Known {
    int64_t log_time_ms;
    int32_t partition;
    Bid bid;
  };
  std::vector<Known> known;
  std::vector<int64_t> log_times(topic.ends.size(), 0);
  simdjson::ondemand::parser parser;
  std::string fault;
  KAPPA_RETURN_IF_ERROR(read_all(topic, [&](int32_t partition, const RecordBlock& block) {
    int64_t& log_time_ms = log_times[static_cast<size_t>(partition)];
    for (const RecordView& record : block.records) {
      log_time_ms = std::max(log_time_ms, record.timestamp.ms);
      const simdjson::padded_string text(record.value, record.value_size);
      simdjson::ondemand::document json;
      Bid bid;
      std::string_view date_time;
      absl::Time time;
      std::string why;
      if (parser.iterate(text).get(json) != simdjson::SUCCESS ||
          json["auction"].get(bid.auction) != simdjson::SUCCESS ||
          json["bidder"].get(bid.bidder) != simdjson::SUCCESS ||
          json["price"].get(bid.price) != simdjson::SUCCESS ||
          json["dateTime"].get(date_time) != simdjson::SUCCESS ||
          !absl::ParseTime("%Y-%m-%d %H:%M:%E*S", std::string(date_time), &time, &why)) {
        fault = absl::StrCat("partition ", partition, " offset ", record.offset.value,
                             " is no bid: ", std::string(record.value, record.value_size));
        return;
      }
      bid.date_time_us = absl::ToUnixMicros(time);
      known.push_back({log_time_ms, partition, bid});
    }
  }));
  if (!fault.empty()) return absl::InvalidArgumentError(fault);
  std::stable_sort(known.begin(), known.end(), [](const Known& a, const Known& b) {
    return std::pair(a.log_time_ms, a.partition) < std::pair(b.log_time_ms, b.partition);
  });
  std::vector<Bid> bids;
  bids.reserve(known.size());
  for (const Known& each : known) bids.push_back(each.bid);
  return bids;
}

absl::StatusOr<Result> run_fetch(const Topic& topic, int64_t records) {
  Result result;
  const Stopwatch stopwatch;
  KAPPA_RETURN_IF_ERROR(read_all(topic, [&](int32_t, const RecordBlock& block) {
    result.records += static_cast<int64_t>(block.records.size());
  }));
  stopwatch.stop(&result);
  result.checked = result.records == records;
  return result;
}

// The four columns that the queries read between them, of seven that are declared and checked.
absl::StatusOr<Result> run_decode(const Topic& topic, const std::vector<Bid>& bids) {
  const sql::CompiledPlan compiled =
      sql::compile_product({{"bench.sql", table_of(topic.name) + filter_query().product.sql}}, {});
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
  KAPPA_RETURN_IF_ERROR(read_all(topic, [&](int32_t partition, const RecordBlock& block) {
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
  if (options.brokers.empty() || options.topic.empty()) {
    return absl::InvalidArgumentError("needs --brokers HOST:PORT and --topic NAME");
  }
  KAPPA_ASSIGN_OR_RETURN(const auto log, log::open_kafka_log({options.brokers, {}, {}}));
  if (options.load > 0) KAPPA_RETURN_IF_ERROR(load(*log, options.topic, options.load));
  KAPPA_ASSIGN_OR_RETURN(const Topic topic, look_at(*log, options.topic));
  KAPPA_ASSIGN_OR_RETURN(const std::vector<Bid> bids, bids_of(topic));
  if (bids.empty()) return absl::InvalidArgumentError("the topic is empty: --load N fills it");
  const auto records = static_cast<int64_t>(bids.size());
  const Bids all = [&](const std::function<void(const Bid&)>& see) {
    for (const Bid& bid : bids) see(bid);
  };

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
    product.table = table_of(options.topic);
    const std::string directory = absl::StrCat(options.directory, "/", name);
    std::filesystem::create_directories(directory);
    KAPPA_ASSIGN_OR_RETURN(const Result result, run_over(log.get(), product, records, directory,
                                                         options, query.check_for(all)));
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
