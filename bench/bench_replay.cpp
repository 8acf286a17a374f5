// How fast does a new generation come to the end of the log? A live pipeline takes a log of bids
// and writes the order; a second one then follows that order from its start into a RocksDB of its
// own, with a checkpoint every second. The yardstick of the same run reads the same blocks of the
// log and takes four fields of each record with simdjson, nothing else. A replay must end in the
// state of the live pipeline, as what is on disk restores it.
//
//   aggregate: Nexmark 17, into a view
//   features: trailing counts, sums, distinct bidders of each bid, to a program that adds them up
//   features-topic: the same, to a topic; a replay publishes nothing, but knows what it would
#include <algorithm>
#include <filesystem>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/bid_queries.h"
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

absl::StatusOr<Round> measure(const BidQuery& query, int64_t records, const Options& options) {
  const Product& product = query.product;
  const std::string directory = absl::StrCat(options.directory, "/", records);
  std::filesystem::create_directories(directory);
  KAPPA_ASSIGN_OR_RETURN(const auto log, make_bid_log(directory + "/log", records, product.keys));
  const Bids bids = generated_bids(records, product.keys);
  const Check check = query.check_for(bids);
  KAPPA_ASSIGN_OR_RETURN(const Result live,
                         run_over(log.get(), product, records, directory, options, check));

  int64_t sum = 0;
  bids([&](const Bid& bid) {
    sum += bid.auction + bid.bidder + bid.price + bid.date_time_us / kMicrosPerMilli;
  });
  sql::CompiledPlan compiled =
      sql::compile_product({{"bench.sql", product.table + product.sql}}, {});
  if (!compiled.ok()) return sql::to_status(compiled.diagnostics);
  Place at{log.get(), directory, std::move(compiled.plan), {}};
  KAPPA_ASSIGN_OR_RETURN(const std::string right, dump_of(at, "db", options));
  std::vector<Round> rounds(kRounds);
  for (Round& round : rounds) {
    KAPPA_ASSIGN_OR_RETURN(round.yardstick, run_plain_reading(*log, "bid", records, sum));
    KAPPA_ASSIGN_OR_RETURN(round.replay, replay(at, product, records, options, check));
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

// What the answers must be is checked where they are added up.
BidQuery features_topic() {
  BidQuery query = features_query();
  query.product.on_output = nullptr;
  query.check_for = [](const Bids&) -> Check {
    return [](runtime::ViewReader&) { return absl::OkStatus(); };
  };
  return query;
}

absl::StatusOr<Result> run(const Options& options) {
  if (options.workers > 1) {
    return absl::InvalidArgumentError("this bench sums up its answers on one worker");
  }
  const std::pair<const char*, BidQuery> queries[] = {{"aggregate", aggregate_query()},
                                                      {"features", features_query()},
                                                      {"features-topic", features_topic()}};
  const int64_t records = *options.records;
  Result last;
  for (const auto& [name, query] : queries) {
    if (!last.name.empty()) options.report(last);
    const int64_t few = std::min<int64_t>(records / 2 + 1, 20'000);
    KAPPA_RETURN_IF_ERROR(measure(query, few, options).status());
    KAPPA_ASSIGN_OR_RETURN(Round measured, measure(query, records, options));
    measured.yardstick.name = absl::StrCat("replay/", name, "-yardstick");
    options.report(measured.yardstick);
    last = std::move(measured.replay);
    last.name = absl::StrCat("replay/", name);
  }
  return last;
}

const bool added =
    add({"replay", "a new generation's way through the log, and how it compares with reading",
         4'600'000, run});

}  // namespace
}  // namespace kappa::bench
