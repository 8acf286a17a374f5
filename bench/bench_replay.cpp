// How fast does a new generation come to the end of the log? A live pipeline takes a log of bids
// and writes the order; a second one then follows that order from its start into a RocksDB of its
// own, with a checkpoint every second. The yardstick of the same run reads the same log and takes
// four fields of each record with simdjson, nothing else: block by block, or with --log kafka by
// librdkafka's own consumer. A replay must end in the state of the live pipeline, as what is on
// disk restores it.
//
//   aggregate: Nexmark 17, into a view
//   features: trailing counts, sums, distinct bidders of each bid, to a program that adds them up
//   features-topic: the same, to a topic; a replay publishes nothing, but knows what it would; of
//     the embedded log only
//
// Over Kafka, --topic T holds bids for aggregate, and T-features slower ones for features, both of
// which --load N fills.
#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/bid_queries.h"
#include "bench/kafka_bids.h"
#include "bench/kafka_yardstick.h"
#include "bench/plain_bids.h"
#include "engine/sql/catalog.h"
#include "engine/types/status_macros.h"
#include "engine/types/time.h"
#include "state/event_log.h"
#include "state/store.h"

namespace kappa::bench {
namespace {

// A product's log in a directory, with the order journal of what applies it.
struct Place {
  log::Log* log;
  std::string directory;
  operators::Plan plan;
  SystemClock clock;
};

absl::StatusOr<std::unique_ptr<runtime::Pipeline>> follow(Place& at, state::StateStore* store,
                                                          const Options& options,
                                                          const Product& product) {
  runtime::PipelineOptions how;
  how.workers = options.workers;
  how.follow_only = true;
  how.on_output = product.on_output;
  return runtime::Pipeline::open(at.plan, {}, at.log, store, at.directory + "/journal", &at.clock,
                                 how);
}

// Of the state that a database holds, with what the order has behind it: a tick, if anything.
absl::StatusOr<std::string> dump_of(Place& at, const std::string& db, const Options& options) {
  KAPPA_ASSIGN_OR_RETURN(const auto store, state::open_rocksdb_store(at.directory + "/" + db));
  KAPPA_ASSIGN_OR_RETURN(const auto pipeline, follow(at, store.get(), options, {}));
  KAPPA_RETURN_IF_ERROR(pipeline->follow(UINT64_MAX));
  return pipeline->canonical_dump();
}

absl::StatusOr<Result> replay(Place& at, const Product& product, int64_t records,
                              const Options& options, const Check& check) {
  state::set_spill_directory(at.directory);
  Result result;
  const Stopwatch stopwatch;
  KAPPA_ASSIGN_OR_RETURN(const auto store, state::open_rocksdb_store(at.directory + "/replayed"));
  KAPPA_ASSIGN_OR_RETURN(const auto pipeline, follow(at, store.get(), options, product));
  KAPPA_RETURN_IF_ERROR(pipeline->start());
  KAPPA_RETURN_IF_ERROR(wait_for_records(*pipeline, records));
  KAPPA_RETURN_IF_ERROR(pipeline->stop());
  stopwatch.stop(&result);
  const runtime::PipelineStats stats = pipeline->stats();
  result.records = static_cast<int64_t>(stats.records);
  result.more["checkpoints"] = static_cast<double>(stats.checkpoints);
  KAPPA_RETURN_IF_ERROR(check(*pipeline));
  return result;
}

double rate(const Result& result) {
  return static_cast<double>(result.records) / result.cpu_seconds;
}

// A replay, and the yardstick of just before: on a machine that others use too, what lies close
// together is disturbed alike.
struct Round {
  Result yardstick;
  Result replay;
  double ratio() const { return rate(replay) / rate(yardstick); }
};
constexpr size_t kRounds = 3;

// By its ratio.
Round median(std::vector<Round> rounds) {
  std::sort(rounds.begin(), rounds.end(),
            [](const Round& a, const Round& b) { return a.ratio() < b.ratio(); });
  Round middle = rounds[rounds.size() / 2];
  middle.replay.more["ratio_to_yardstick"] = middle.ratio();
  middle.replay.more["ratio_min"] = rounds.front().ratio();
  middle.replay.more["ratio_max"] = rounds.back().ratio();
  return middle;
}

// Where the bids are.
struct Ground {
  log::Log* log;
  std::string table;  // that declares them
  int64_t records;
  Bids bids;
  std::function<absl::StatusOr<Result>()> yardstick;
};

absl::StatusOr<Place> place_of(const Ground& ground, const Product& product,
                               const std::string& directory) {
  sql::CompiledPlan compiled =
      sql::compile_product({{"bench.sql", product.table + product.sql}}, {});
  if (!compiled.ok()) return sql::to_status(compiled.diagnostics);
  return Place{ground.log, directory, std::move(compiled.plan), {}};
}

absl::StatusOr<Round> measure(const Ground& ground, const BidQuery& query,
                              const std::string& directory, const Options& options) {
  Product product = query.product;
  product.table = ground.table;
  const Check check = query.check_for(ground.bids);
  KAPPA_ASSIGN_OR_RETURN(const Result live,
                         run_over(ground.log, product, ground.records, directory, options, check));
  KAPPA_ASSIGN_OR_RETURN(Place at, place_of(ground, product, directory));
  KAPPA_ASSIGN_OR_RETURN(const std::string right, dump_of(at, "db", options));
  std::vector<Round> rounds(kRounds);
  for (Round& round : rounds) {
    KAPPA_ASSIGN_OR_RETURN(round.yardstick, ground.yardstick());
    KAPPA_ASSIGN_OR_RETURN(round.replay, replay(at, product, ground.records, options, check));
    KAPPA_ASSIGN_OR_RETURN(const std::string replayed, dump_of(at, "replayed", options));
    if (right != replayed) {
      return absl::InternalError("the replay did not end in the state of the live pipeline");
    }
    std::filesystem::remove_all(directory + "/replayed");
    round.replay.checked = true;
    round.replay.bytes_per_record = round.yardstick.bytes_per_record;
    round.replay.more["live_records_per_cpu_second"] = rate(live);
  }
  std::filesystem::remove_all(directory);
  return median(std::move(rounds));
}

// A directory of a measurement's own, which that removes.
std::string new_directory(const Options& options, const std::string& name) {
  const std::string directory = absl::StrCat(options.directory, "/", name);
  std::filesystem::create_directories(directory);
  return directory;
}

absl::StatusOr<Round> measure_embedded(const BidQuery& query, int64_t records,
                                       const Options& options) {
  const BidKeys& keys = query.product.keys;
  const std::string directory = new_directory(options, absl::StrCat(records));
  KAPPA_ASSIGN_OR_RETURN(const auto log, make_bid_log(directory + "/log", records, keys));
  Ground ground{log.get(), kBidTable, records, generated_bids(records, keys), {}};
  int64_t sum = 0;
  ground.bids([&](const Bid& bid) {
    sum += bid.auction + bid.bidder + bid.price + bid.date_time_us / kMicrosPerMilli;
  });
  ground.yardstick = [&] { return run_plain_reading(*log, "bid", records, sum); };
  return measure(ground, query, directory, options);
}

absl::StatusOr<Round> measure_kafka(const BidQuery& query, const std::string& topic_name,
                                    const Options& options) {
  KAPPA_ASSIGN_OR_RETURN(const auto log, open_kafka(options));
  if (options.load > 0) {
    KAPPA_RETURN_IF_ERROR(load_kafka_bids(*log, topic_name, options.load, query.product.keys));
  }
  KAPPA_ASSIGN_OR_RETURN(const KafkaTopic topic, look_at_topic(*log, topic_name));
  KAPPA_ASSIGN_OR_RETURN(const std::vector<Bid> bids, bids_of(topic));
  const auto records = static_cast<int64_t>(bids.size());
  const Ground ground{log.get(), kafka_bid_table(topic_name), records, these_bids(bids), [&] {
                        return run_yardstick(options.brokers, topic_name, topic.ends, records);
                      }};
  return measure(ground, query, new_directory(options, topic_name), options);
}

// Lets several workers give their answers to what adds them up.
BidQuery from_all_workers(BidQuery query) {
  if (!query.product.on_output) return query;
  const auto mutex = std::make_shared<std::mutex>();
  query.product.on_output = [mutex, add_up = std::move(query.product.on_output)](
                                operators::NodeId output, const Batch& batch) {
    const std::lock_guard lock(*mutex);
    add_up(output, batch);
  };
  return query;
}

// What the answers must be is checked where they are added up.
BidQuery features_topic() {
  BidQuery query = features_query();
  query.product.on_output = nullptr;
  query.check_for = [](const Bids&) -> Check {
    return [](runtime::ViewReader&) { return absl::OkStatus(); };
  };
  return query;
}

absl::StatusOr<Round> measure_embedded_checked(const BidQuery& query, const Options& options) {
  const int64_t records = *options.records;
  const int64_t few = std::min<int64_t>(records / 2 + 1, 20'000);
  KAPPA_RETURN_IF_ERROR(measure_embedded(query, few, options).status());
  return measure_embedded(query, records, options);
}

absl::StatusOr<Result> run(const Options& options) {
  struct Line {
    const char* name;
    BidQuery query;
    std::optional<std::string> topic;  // over Kafka, if it is there
  };
  const Line lines[] = {{"aggregate", aggregate_query(), options.topic},
                        {"features", features_query(), options.topic + "-features"},
                        {"features-topic", features_topic(), std::nullopt}};
  Result last;
  for (const Line& line : lines) {
    if (options.over_kafka && !line.topic) continue;
    if (!last.name.empty()) options.report(last);
    const BidQuery query = from_all_workers(line.query);
    KAPPA_ASSIGN_OR_RETURN(Round measured, options.over_kafka
                                               ? measure_kafka(query, *line.topic, options)
                                               : measure_embedded_checked(query, options));
    measured.yardstick.name = absl::StrCat("replay/", line.name, "-yardstick");
    options.report(measured.yardstick);
    last = std::move(measured.replay);
    last.name = absl::StrCat("replay/", line.name);
  }
  return last;
}

const bool added =
    add({"replay", "a new generation's way through the log, and how it compares with reading",
         4'600'000, run});

}  // namespace
}  // namespace kappa::bench
