#include "bench/product_run.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <sstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "bench/bid_queries.h"
#include "engine/sql/catalog.h"
#include "engine/types/status_macros.h"
#include "state/event_log.h"
#include "state/store.h"

namespace kappa::bench {
namespace {

// The memory that the process holds now, but for what it has mapped from files.
int64_t anonymous_bytes() {
  std::ifstream status("/proc/self/status");
  std::string name;
  for (std::string line; std::getline(status, line);) {
    int64_t kib = 0;
    std::istringstream fields(line);
    if (fields >> name >> kib && name == "RssAnon:") return kib * 1024;
  }
  return 0;
}

// The most of that since this was made: looked at a hundred times a second, on a thread of its own.
class PeakMemory {
 public:
  PeakMemory() : thread_([this] { look(); }) {}
  ~PeakMemory() {
    done_ = true;
    thread_.join();
  }
  double mib() {
    peak_ = std::max<int64_t>(peak_, anonymous_bytes());
    return static_cast<double>(peak_) / (1 << 20);
  }

 private:
  void look() {
    while (!done_) {
      peak_ = std::max<int64_t>(peak_, anonymous_bytes());
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  std::atomic<bool> done_ = false;
  std::atomic<int64_t> peak_ = 0;
  std::thread thread_;
};

void add_stats(const runtime::PipelineStats& stats, Result* result) {
  double late = 0;
  for (const runtime::ViewStats& view : stats.views) {
    late += static_cast<double>(view.late_records);
  }
  if (late > 0) result->more["late"] = late;
  if (!stats.epoch_seconds.empty()) {
    result->more["epoch_seconds_max"] =
        *std::max_element(stats.epoch_seconds.begin(), stats.epoch_seconds.end());
  }
}

}  // namespace

absl::Status wait_for_records(const runtime::Pipeline& pipeline, int64_t records) {
  while (true) {
    const runtime::PipelineStats stats = pipeline.stats();
    KAPPA_RETURN_IF_ERROR(stats.failure);
    if (static_cast<int64_t>(stats.records) >= records) return absl::OkStatus();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

absl::StatusOr<Result> run_product(const Product& product, int64_t records, const Options& options,
                                   const Check& check) {
  const std::string directory = absl::StrCat(options.directory, "/", records);
  std::filesystem::create_directories(directory);
  KAPPA_ASSIGN_OR_RETURN(const auto log, make_bid_log(directory + "/log", records, product.keys));
  int64_t expected = records;
  if (product.add_records) {
    KAPPA_ASSIGN_OR_RETURN(const int64_t more, product.add_records(*log, records));
    KAPPA_RETURN_IF_ERROR(log->sync());
    expected += more;
  }
  KAPPA_ASSIGN_OR_RETURN(Result result,
                         run_over(log.get(), product, expected, directory, options, check));
  std::string payload;
  for (int64_t n = 0; n < std::min<int64_t>(records, 1000); ++n) {
    append_json(nexmark_bid(n, product.keys), &payload);
  }
  result.bytes_per_record =
      static_cast<double>(payload.size()) / static_cast<double>(std::min<int64_t>(records, 1000));
  return result;
}

absl::StatusOr<Result> run_over(log::Log* log, const Product& product, int64_t records,
                                const std::string& directory, const Options& options,
                                const Check& check) {
  const sql::CompiledPlan compiled =
      sql::compile_product({{"bench.sql", product.table + product.sql}}, {});
  if (!compiled.ok()) return sql::to_status(compiled.diagnostics);
  state::set_spill_directory(directory);
  std::unique_ptr<state::StateStore> store = state::make_memory_store();
  if (product.durable) {
    KAPPA_ASSIGN_OR_RETURN(store, state::open_rocksdb_store(directory + "/db"));
  }
  SystemClock clock;
  runtime::PipelineOptions pipeline_options;
  pipeline_options.workers = options.workers;
  pipeline_options.on_output = product.on_output;

  const auto open = [&] {
    return runtime::Pipeline::open(compiled.plan, {}, log, store.get(), directory + "/journal",
                                   &clock, pipeline_options);
  };

  Result result;
  PeakMemory memory;
  const Stopwatch stopwatch;
  KAPPA_ASSIGN_OR_RETURN(auto pipeline, open());
  KAPPA_RETURN_IF_ERROR(pipeline->start());
  KAPPA_RETURN_IF_ERROR(wait_for_records(*pipeline, records));
  if (product.completes) {
    KAPPA_RETURN_IF_ERROR(pipeline->complete_live(runtime::Deadline::max()));
  }
  stopwatch.stop(&result);
  const double applied_seconds = result.wall_seconds;
  KAPPA_RETURN_IF_ERROR(pipeline->stop());
  stopwatch.stop(&result);
  // The rest is the last checkpoint, which stop() waits for.
  result.more["applied_seconds"] = applied_seconds;
  result.more["memory_mib"] = static_cast<double>(anonymous_bytes()) / (1 << 20);

  result.more["memory_mib_max"] = memory.mib();
  const runtime::PipelineStats stats = pipeline->stats();
  add_stats(stats, &result);
  result.records = static_cast<int64_t>(stats.records);
  if (result.records != records) {
    return absl::InternalError(
        absl::StrCat("the pipeline has applied ", result.records, " of ", records, " records"));
  }
  if (product.durable) result.more["checkpoints"] = static_cast<double>(stats.checkpoints);
  if (product.restarts) {
    pipeline.reset();
    PeakMemory restoring;
    Result restored;
    const Stopwatch restart;
    KAPPA_ASSIGN_OR_RETURN(pipeline, open());
    restart.stop(&restored);
    result.more["restart_seconds"] = restored.wall_seconds;
    result.more["restart_memory_mib_max"] = restoring.mib();
    result.more["restarted_memory_mib"] = static_cast<double>(anonymous_bytes()) / (1 << 20);
  }
  KAPPA_RETURN_IF_ERROR(check(*pipeline));
  result.checked = true;
  return result;
}

absl::Status for_each_row(runtime::ViewReader& reader, const std::string& view,
                          const std::function<absl::Status(const Row& row)>& see) {
  const operators::NodeId id = reader.plan().find_view(view);
  std::vector<int> columns(reader.plan().node(id).schema.size());
  std::iota(columns.begin(), columns.end(), 0);
  KAPPA_ASSIGN_OR_RETURN(const auto snapshot, reader.pin({id}, runtime::Deadline::max()));
  while (true) {
    Arena arena;
    KAPPA_ASSIGN_OR_RETURN(const Batch batch, snapshot->next(id, columns, arena));
    if (batch.empty()) return absl::OkStatus();
    Row row(columns.size());
    for (size_t i = 0; i < batch.rows; ++i) {
      for (size_t c = 0; c < columns.size(); ++c) row[c] = value_at(*batch.columns[c], i);
      KAPPA_RETURN_IF_ERROR(see(row));
    }
  }
}

absl::StatusOr<Result> check_and_run(const Product& product, const Options& options,
                                     const std::function<Check(int64_t records)>& check_for) {
  const int64_t records = *options.records;
  const int64_t few = std::min<int64_t>(records / 2 + 1, 20'000);
  KAPPA_RETURN_IF_ERROR(run_product(product, few, options, check_for(few)).status());
  return run_product(product, records, options, check_for(records));
}

absl::StatusOr<Result> run_generated(BidQuery query, const BidKeys& keys, const Options& options) {
  query.product.keys = keys;
  return check_and_run(query.product, options, [&](int64_t records) {
    return query.check_for(generated_bids(records, keys));
  });
}

}  // namespace kappa::bench
