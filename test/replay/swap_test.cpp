// Two generations of one product, which lead by turns.

#include "replay/swap.h"

#include <atomic>
#include <chrono>
#include <set>
#include <thread>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "engine/log/header_outbox.h"
#include "engine/sql/catalog.h"
#include "engine/types/status_macros.h"
#include "test/pipeline/test_product.h"

namespace kappa::replay {
namespace {

using runtime::Pipeline;
using runtime::PipelineOptions;
using test::require_ok;

constexpr int64_t kStartMs = 1'704'067'200'000;

const std::string kSources = R"(
CREATE FOREIGN TABLE hits (page text, n bigint, at timestamptz)
SERVER log OPTIONS (topic 'hits', format 'json', event_time 'at', out_of_orderness '3 seconds');
CREATE FOREIGN TABLE busy (page text, n bigint, window_start timestamptz)
SERVER log OPTIONS (topic 'busy', format 'json');
CREATE MATERIALIZED VIEW pages AS SELECT page, count(*) AS hits, max(n) AS n FROM hits GROUP BY page;
)";
const std::string kWindows = R"(
CREATE MATERIALIZED VIEW windows WITH (emit = 'final') AS
SELECT window_start, page, count(*) AS n
FROM tumble(hits, at, INTERVAL '2 seconds') GROUP BY window_start, page;
INSERT INTO busy SELECT page, n, window_start FROM windows;
)";

runtime::Deadline in(int seconds) {
  return std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
}

template <typename Condition>
void wait_for(Condition condition) {
  const auto deadline = in(60);
  while (!condition()) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

// One complete state of the product.
struct Generation {
  std::unique_ptr<state::StateStore> store = state::make_memory_store();
  std::unique_ptr<Pipeline> pipeline;
  Pipeline& operator*() const { return *pipeline; }
  Pipeline* operator->() const { return pipeline.get(); }
};

// A log with a topic of hits, and what its generations share.
class Shop {
 public:
  Shop() {
    log::EmbeddedLogOptions options;
    options.fsync = log::Fsync::kNever;
    options.retention_check_ms = 0;
    options.clock = &clock;
    auto opened = log::open_embedded_log(directory.path("log"), options);
    require_ok(opened.status());
    log = *std::move(opened);
    require_ok(log->create_topic("hits", {.partitions = 2}));
  }

  // Opens a generation, or opens it again as after a crash, and starts it.
  void open(Generation& generation, bool leads, const std::string& sql = kSources + kWindows,
            PipelineOptions options = {.epoch_records_max = 32, .checkpoint_interval_ms = 1}) {
    generation.pipeline.reset();
    if (leads) outbox = std::make_unique<log::HeaderOutbox>("default", log.get());
    options.follow_only = !leads;
    options.publisher = leads ? outbox.get() : nullptr;
    auto compiled = sql::compile_product({{"product.sql", sql}}, {});
    INFO(sql::to_status(compiled.diagnostics).ToString());
    REQUIRE(compiled.ok());
    auto opened = Pipeline::open(std::move(compiled.plan), {}, log.get(), generation.store.get(),
                                 directory.path("journal"), &clock, options);
    require_ok(opened.status());
    generation.pipeline = *std::move(opened);
    require_ok(generation->start());
  }

  // Any thread: test frameworks take assertions from one only.
  absl::Status try_hit(int count) {
    for (int i = 0; i < count; ++i, ++hits) {
      const int64_t ms = kStartMs + hits * 10;
      clock.set(LogTime{ms});
      const std::string json =
          absl::StrCat(R"({"page":"p)", hits % 5, R"(","n":)", hits, R"(,"at":")",
                       to_text(Value::timestamptz((ms - (hits % 7) * 300) * 1000)), "\"}");
      const log::RecordToAppend record{.key = {},
                                       .value = json,
                                       .timestamp = LogTime{ms},
                                       .partition = hits % 2,
                                       .headers = nullptr};
      KAPPA_RETURN_IF_ERROR(log->append("hits", {&record, 1}).status());
    }
    return absl::OkStatus();
  }
  void hit(int count) { require_ok(try_hit(count)); }

  // The numbers of all that has left, late rows among them, and the payloads of the output topic.
  struct Published {
    std::multiset<uint64_t> numbers;
    std::multiset<std::string> values;
  };
  Published published() const {
    Published found;
    for (const std::string topic : {"busy", "windows.late"}) {
      const auto range = log->range({topic, 0});
      if (!range.ok()) continue;
      auto reader = log->open_reader({topic, 0}, Offset{0});
      require_ok(reader.status());
      while ((*reader)->position() < range->end) {
        auto block = (*reader)->read_to(range->end, 1 << 20);
        require_ok(block.status());
        for (const RecordView& record : block->records) {
          found.numbers.insert(number_of(record));
          if (topic == "busy") found.values.emplace(record.value_view().value_or(""));
        }
      }
    }
    return found;
  }

  static uint64_t number_of(const RecordView& record) {
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

  test::TemporaryDirectory directory;
  ManualClock clock{LogTime{kStartMs}};
  std::unique_ptr<log::Log> log;
  std::unique_ptr<log::HeaderOutbox> outbox;
  int hits = 0;
};

// Every number once, from 0 on; every row once.
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

// All hits that a moment of a generation shows, over all pages.
absl::StatusOr<int64_t> hits_of(Pipeline& pipeline) {
  const operators::NodeId view = pipeline.plan().find_view("pages");
  KAPPA_ASSIGN_OR_RETURN(const auto snapshot, pipeline.pin({view}, in(60)));
  int64_t sum = 0;
  Arena arena;
  while (true) {
    KAPPA_ASSIGN_OR_RETURN(const Batch batch, snapshot->next(view, {1}, arena));
    if (batch.empty()) return sum;
    for (size_t row = 0; row < batch.rows; ++row) {
      sum += std::get<int64_t>(value_at(*batch.columns[0], row).data);
    }
  }
}

const std::function<absl::Status()> kCommit = [] { return absl::OkStatus(); };

}  // namespace

TEST_CASE("two generations lead by turns under load, and each output leaves once") {
  Shop shop;
  Generation generations[2];
  shop.open(generations[0], true);
  shop.open(generations[1], false);
  std::atomic<int> live{0};
  std::atomic<bool> stop{false};
  absl::Status written;
  std::thread writer([&] {
    while (!stop) {
      written.Update(shop.try_hit(5));
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  // What readers see never goes back, whoever answers.
  int64_t reads = 0;
  int64_t last = 0;
  bool fell = false;
  absl::Status failed;
  std::thread reader([&] {
    while (!stop) {
      const absl::StatusOr<int64_t> seen = hits_of(*generations[live]);
      failed.Update(seen.status());
      if (!seen.ok()) continue;
      fell = fell || *seen < last;
      last = *seen;
      ++reads;
    }
  });
  constexpr int kSwaps = 30;
  for (int i = 0; i < kSwaps; ++i) {
    const int from = i % 2;
    const absl::Status swapped = swap(
        *generations[from], *generations[1 - from], shop.outbox.get(),
        [&] {
          live = 1 - from;
          return absl::OkStatus();
        },
        in(60));
    INFO(swapped.ToString());
    CHECK(swapped.ok());
  }
  stop = true;
  writer.join();
  reader.join();
  require_ok(written);
  require_ok(failed);
  CHECK_FALSE(fell);
  CHECK(reads > 0);
  wait_for([&] { return generations[0]->stats().records == static_cast<uint64_t>(shop.hits); });
  require_ok(generations[0]->complete_live(in(60)));  // it leads again
  require_ok(generations[0]->stop());
  const std::string dump = *generations[0]->canonical_dump();
  wait_for([&] { return generations[1]->canonical_dump().value_or("") == dump; });
  check_exactly_once(shop);
  // Five pages, every window: all of what the view has.
  CHECK(shop.published().values.size() == generations[0]->stats().views[1].rows);
}

TEST_CASE("a swap that is not committed leaves everything as it was, and can be tried again") {
  Shop shop;
  Generation first;
  Generation second;
  shop.open(first, true);
  shop.open(second, false);
  shop.hit(1000);
  const absl::Status refused = swap(
      *first, *second, shop.outbox.get(), [] { return absl::InternalError("the disk is full"); },
      in(60));
  CHECK(refused.message() == "the disk is full");
  shop.hit(1000);
  wait_for([&] { return first->stats().records == 2000; });
  wait_for([&] { return second->stats().records == 2000; });
  require_ok(swap(*first, *second, shop.outbox.get(), kCommit, in(60)));
  shop.hit(1000);
  wait_for([&] { return first->stats().records == 3000; });
  require_ok(second->stop());
  check_exactly_once(shop);
}

TEST_CASE("a follower that is not there in time leaves the leader leading") {
  Shop shop;
  Generation first;
  Generation second;
  shop.open(first, true);
  shop.open(second, false);
  require_ok(second->stop());
  shop.hit(100);
  CHECK(absl::IsFailedPrecondition(swap(*first, *second, shop.outbox.get(), kCommit, in(60))));
  CHECK(absl::IsFailedPrecondition(second->hold(in(60)).status()));
  CHECK(absl::IsFailedPrecondition(first->give_up(in(60))));
  CHECK(absl::IsFailedPrecondition(first->take_over({}, shop.outbox.get(), in(60))));
  shop.hit(100);
  wait_for([&] { return first->stats().records == 200; });
}

TEST_CASE("after a crash whoever the catalogue names leads, and outputs go on") {
  for (const bool committed : {false, true}) {
    Shop shop;
    Generation first;
    Generation second;
    shop.open(first, true);
    shop.open(second, false);
    shop.hit(1000);
    wait_for([&] { return first->stats().records == 1000; });
    const auto at = first->hold(in(60));
    require_ok(at.status());
    require_ok(second->take_over(*at, shop.outbox.get(), in(60)));
    if (committed) {
      require_ok(first->give_up(in(60)));
      require_ok(second->release(in(60)));
      shop.hit(300);
      wait_for([&] { return second->stats().records == 1300; });
    }
    first.pipeline.reset();
    second.pipeline.reset();
    Generation& leader = committed ? second : first;
    Generation& follower = committed ? first : second;
    shop.open(leader, true);
    shop.open(follower, false);
    shop.hit(1000);
    const auto all = static_cast<uint64_t>(shop.hits);
    wait_for([&] { return leader->stats().records == all; });
    // And back, or on.
    require_ok(swap(*leader, *follower, shop.outbox.get(), kCommit, in(60)));
    shop.hit(1000);
    wait_for([&] { return follower->stats().records == all + 1000; });
    require_ok(follower->complete_live(in(60)));
    require_ok(follower->stop());
    check_exactly_once(shop);
    CHECK(shop.published().values.size() == follower->stats().views[1].rows);
  }
}

TEST_CASE("new logic answers from its own state, and publishes from the swap on") {
  Shop shop;
  Generation old_one;
  Generation new_one;
  shop.open(old_one, true, kSources + kWindows);
  shop.hit(2000);
  wait_for([&] { return old_one->stats().records == 2000; });
  // A window of five seconds instead of two.
  const std::string changed = R"(
CREATE MATERIALIZED VIEW windows WITH (emit = 'final') AS
SELECT window_start, page, count(*) AS n
FROM tumble(hits, at, INTERVAL '5 seconds') GROUP BY window_start, page;
INSERT INTO busy SELECT page, n, window_start FROM windows;
)";
  shop.open(new_one, false, kSources + changed);
  require_ok(swap(*old_one, *new_one, shop.outbox.get(), kCommit, in(60)));
  const size_t before = shop.published().values.size();
  CHECK(before > 0);
  shop.hit(2000);
  wait_for([&] { return new_one->stats().records == 4000; });
  require_ok(new_one->complete_live(in(60)));
  require_ok(new_one->stop());
  const Shop::Published after = shop.published();
  CHECK(after.values.size() > before);
  check_exactly_once(shop);
  CHECK(*hits_of(*new_one) == 4000);
}

}  // namespace kappa::replay
