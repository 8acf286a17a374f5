#include "test/replay/shop.h"

#include <numeric>
#include <optional>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "engine/sql/catalog.h"
#include "engine/types/status_macros.h"
#include "test/pipeline/test_product.h"

namespace kappa::replay {

using runtime::Pipeline;
using runtime::PipelineOptions;
using test::require_ok;

namespace {

constexpr int64_t kStartMs = 1'704'067'200'000;

std::string product(int window_seconds) {
  return absl::StrCat(R"(
CREATE FOREIGN TABLE hits (page text, n bigint, at timestamptz)
SERVER log OPTIONS (topic 'hits', format 'json', event_time 'at', out_of_orderness '3 seconds');
CREATE FOREIGN TABLE busy (page text, n bigint, window_start timestamptz)
SERVER log OPTIONS (topic 'busy', format 'json');
CREATE MATERIALIZED VIEW pages AS SELECT page, count(*) AS hits, max(n) AS n FROM hits GROUP BY page;
CREATE MATERIALIZED VIEW windows WITH (emit = 'final') AS
SELECT window_start, page, count(*) AS n
FROM tumble(hits, at, INTERVAL ')",
                      window_seconds, R"( seconds') GROUP BY window_start, page;
INSERT INTO busy SELECT page, n, window_start FROM windows;
)");
}

uint64_t number_of(const RecordView& record) {
  HeaderReader headers(record);
  std::string_view name;
  std::optional<std::string_view> value;
  while (headers.next(&name, &value)) {
    if (name != log::kOutboxSequenceHeader) continue;
    return std::stoull(std::string(value->substr(value->find('/') + 1)));
  }
  FAIL("a record without a number");
  return 0;
}

// A bigint column of the rows that a moment of a generation shows of a view.
absl::StatusOr<std::vector<int64_t>> column_of(Pipeline& pipeline, const char* name, int column) {
  const operators::NodeId view = pipeline.plan().find_view(name);
  KAPPA_ASSIGN_OR_RETURN(const auto snapshot, pipeline.pin({view}, in(60)));
  std::vector<int64_t> values;
  Arena arena;
  while (true) {
    KAPPA_ASSIGN_OR_RETURN(const Batch batch, snapshot->next(view, {column}, arena));
    if (batch.empty()) return values;
    for (size_t row = 0; row < batch.rows; ++row) {
      values.push_back(std::get<int64_t>(value_at(*batch.columns[0], row).data));
    }
  }
}

}  // namespace

const std::string kShortWindows = product(2);
const std::string kLongWindows = product(5);

Shop::Shop(const std::string& directory, std::optional<int64_t> retention_ms)
    : clock(LogTime{kStartMs}), directory_(directory) {
  log::EmbeddedLogOptions options;
  options.fsync = log::Fsync::kNever;
  options.retention_check_ms = 0;
  options.segment_bytes = 16 << 10;  // retention removes whole ones
  options.clock = &clock;
  auto opened = log::open_embedded_log(directory_ + "/log", options);
  require_ok(opened.status());
  log = *std::move(opened);
  if (!log->topic("hits").ok())
    require_ok(log->create_topic("hits", {.partitions = 2, .retention_ms = retention_ms}));
}

void Shop::open(ShopGeneration& generation, bool leads, const std::string& sql) {
  generation.pipeline.reset();
  if (leads) outbox = std::make_unique<log::HeaderOutbox>("default", log.get());
  const PipelineOptions options = {.workers = workers,
                                   .epoch_records_max = 32,
                                   .checkpoint_interval_ms = 1,
                                   .publisher = leads ? outbox.get() : nullptr,
                                   .follow_only = !leads};
  auto compiled = sql::compile_product({{"product.sql", sql}}, {});
  INFO(sql::to_status(compiled.diagnostics).ToString());
  REQUIRE(compiled.ok());
  auto opened = Pipeline::open(std::move(compiled.plan), {}, log.get(), generation.store.get(),
                               journal(), &clock, options);
  require_ok(opened.status());
  generation.pipeline = *std::move(opened);
  require_ok(generation->start());
}

absl::Status Shop::try_hit(int count) {
  for (int i = 0; i < count; ++i, ++hits) {
    const int64_t ms = kStartMs + hits * step_ms;
    clock.set(LogTime{ms});
    const std::string json =
        absl::StrCat(R"({"page":"p)", hits % 5, R"(","n":)", hits, R"(,"at":")",
                     to_text(Value::timestamptz((ms - (hits % 7) * 3 * step_ms) * 1000)), "\"}");
    const log::RecordToAppend record{.key = {},
                                     .value = json,
                                     .timestamp = LogTime{ms},
                                     .partition = hits % 2,
                                     .headers = nullptr};
    KAPPA_RETURN_IF_ERROR(log->append("hits", {&record, 1}).status());
  }
  return absl::OkStatus();
}

void Shop::hit(int count) {
  require_ok(try_hit(count));
}

Shop::Published Shop::published() const {
  Published found;
  const auto topics = log->topics();
  require_ok(topics.status());
  for (const log::TopicInfo& info : *topics) {
    const std::string& topic = info.name;
    if (topic == "hits" || topic == "names") continue;  // what comes in
    REQUIRE(info.config.partitions == 1);
    const auto range = log->range({topic, 0});
    require_ok(range.status());
    auto reader = log->open_reader({topic, 0}, Offset{0});
    require_ok(reader.status());
    while ((*reader)->position() < range->end) {
      auto block = (*reader)->read_to(range->end, 1 << 20);
      require_ok(block.status());
      for (const RecordView& record : block->records) {
        found.numbers.insert(number_of(record));
        if (topic == "busy") found.values.emplace(record.value_view().value_or(""));
        if (topic == "popular") {
          found.popular.emplace_back(record.key_view().value_or(""), record.value_view());
        }
      }
    }
  }
  return found;
}

void check_exactly_once(const Shop& shop) {
  const Shop::Published published = shop.published();
  uint64_t next = 0;
  for (uint64_t number : published.numbers) {
    if (number != next) {
      FAIL("of " << published.numbers.size() << " outputs " << next << " is missing or " << number
                 << " doubled");
    }
    ++next;
  }
  CHECK(next > 0);
  const std::set<std::string> values(published.values.begin(), published.values.end());
  CHECK(values.size() == published.values.size());
}

absl::StatusOr<int64_t> hits_of(Pipeline& pipeline) {
  KAPPA_ASSIGN_OR_RETURN(const std::vector<int64_t> hits, column_of(pipeline, "pages", 1));
  return std::accumulate(hits.begin(), hits.end(), int64_t{0});
}

size_t closed_windows(Pipeline& pipeline) {
  const auto windows = column_of(pipeline, "windows", 2);
  require_ok(windows.status());
  return windows->size();
}

}  // namespace kappa::replay
