#include "operators/session.h"

#include <cstdlib>
#include <map>

#include <catch2/catch.hpp>

#include "operators/quantile_bucket.h"

// Sessions at their worst: one that never closes, many that become one, one that grows backwards.
namespace kappa::operators {
namespace {

constexpr int64_t kGap = 10;

Plan plan_of_sessions(std::optional<int64_t> retention_us) {
  Plan plan;
  PlanNode source;
  source.op = SourceNode{0, {0, 1, 2}};
  source.schema = {{"k", Type::bigint()}, {"n", Type::bigint()}, {"at", Type::timestamptz()}};
  PlanNode sessions;
  sessions.id = 1;
  sessions.inputs = {0};
  AggregateNode op;
  op.groups = {0};
  op.window = {.kind = GroupWindow::Kind::kSession, .event_time = 2, .size_us = kGap};
  op.retention_us = retention_us;
  for (const AggregateKind kind :
       {AggregateKind::kCountStar, AggregateKind::kMax, AggregateKind::kCountDistinct}) {
    const int argument = kind == AggregateKind::kCountStar ? -1 : 1;
    op.calls.push_back(
        {.kind = kind, .argument = argument, .result = Type::bigint(), .position = {}});
  }
  op.calls.push_back({.kind = AggregateKind::kApproxCountDistinct,
                      .argument = 1,
                      .result = Type::bigint(),
                      .position = {}});
  op.calls.push_back({.kind = AggregateKind::kApproxQuantile,
                      .argument = 1,
                      .result = Type::double_precision(),
                      .position = {},
                      .quantile = 0.75});
  op.calls.push_back({.kind = AggregateKind::kArgMin,
                      .argument = 1,
                      .result = Type::bigint(),
                      .position = {},
                      .by = 0});  // all tie
  sessions.op = op;
  sessions.schema = {source.schema[0],
                     {"window_start", Type::timestamptz()},
                     {"window_end", Type::timestamptz()},
                     {"count", Type::bigint()},
                     {"max", Type::bigint()},
                     {"count_distinct", Type::bigint()},
                     {"approx_count_distinct", Type::bigint()},
                     {"approx_quantile", Type::double_precision()},
                     {"arg_min", Type::bigint()}};
  plan.nodes = {source, sessions};
  return plan;
}

struct Click {
  int64_t key;
  int64_t value;
  int64_t time;
};

// Sessions, to which clicks are given under a watermark.
class Sessions {
 public:
  explicit Sessions(std::optional<int64_t> retention_us = std::nullopt)
      : plan_(plan_of_sessions(retention_us)), session_(plan_, 1, false) {}

  void give(const std::vector<Click>& clicks, int64_t watermark_us) {
    Batch batch;
    batch.rows = clicks.size();
    std::vector<Column> columns;
    for (const Field& field : plan_.nodes[0].schema)
      columns.emplace_back(field.type, clicks.size());
    for (size_t i = 0; i < clicks.size(); ++i) {
      columns[0].values<int64_t>()[i] = clicks[i].key;
      columns[1].values<int64_t>()[i] = clicks[i].value;
      columns[2].values<int64_t>()[i] = clicks[i].time;
      batch.places.push_back(RowPlace::of_record(static_cast<uint32_t>(i)));
    }
    for (Column& column : columns) {
      batch.columns.push_back(std::make_shared<const Column>(std::move(column)));
    }
    const WatermarkTrack track(clicks.size() + 1, watermark_us);
    Arena arena;
    std::vector<SideRow> side;
    const std::function<std::pair<const TopicPartition*, Offset>(uint32_t)> no_record;
    std::vector<Batch> out;
    session_.process(batch, {track, arena, side, no_record}, &out);
    late_ += side.size();
  }

  // What the one session that is there says in a column.
  int64_t only(int column) const { return only_of<int64_t>(column); }
  template <typename T>
  T only_of(int column) const {
    REQUIRE(session_.table().rows() == 1);
    state::RowId id = 0;
    while (!session_.table().live(id)) ++id;
    const std::byte* row = session_.table().row(id);
    Arena arena;
    Column out(plan_.nodes[1].schema[static_cast<size_t>(column)].type);
    session_.append_column(column, {&row, 1}, out, arena);
    return out.values<T>()[0];
  }

  size_t bytes() {
    size_t bytes = 0;
    for (const state::Table* table : session_.tables()) bytes += table->bytes();
    return bytes;
  }
  size_t rows() const { return session_.table().rows(); }
  size_t late() const { return late_; }

 private:
  const Plan plan_;
  Session session_;
  size_t late_ = 0;
};

}  // namespace

TEST_CASE("a session that never closes takes no more memory with its rows") {
  Sessions sessions;
  int64_t time = 0;
  size_t early_bytes = 0;
  for (int batch = 0; batch < 500; ++batch) {
    const int64_t watermark_us = time;
    std::vector<Click> clicks;
    for (int i = 0; i < 4000; ++i) clicks.push_back({7, time % 50, time += kGap});
    sessions.give(clicks, watermark_us);
    if (batch == 2) early_bytes = sessions.bytes();
  }
  CHECK(sessions.bytes() == early_bytes);
  CHECK(sessions.only(1) == kGap);
  CHECK(sessions.only(2) == time + kGap);
  CHECK(sessions.only(3) == 2'000'000);
  CHECK(sessions.only(5) == 5);
}

TEST_CASE("a session that grows backwards, row by row, keeps its values where they are") {
  Sessions sessions;
  int64_t time = 0;
  for (int batch = 0; batch < 50; ++batch) {
    std::vector<Click> clicks;
    for (int i = 0; i < 2000; ++i) clicks.push_back({7, time, time -= kGap});
    sessions.give(clicks, time - 1'000'000);
  }
  CHECK(sessions.only(1) == time);
  CHECK(sessions.only(3) == 100'000);
  CHECK(sessions.only(5) == 100'000);
}

TEST_CASE("many sessions become one, from both ends and the middle") {
  Sessions sessions;
  const int64_t last = 20'000 * 2 * kGap;
  sessions.give({{7, 5, last / 2 + 1}}, kNoEventTime.us);
  std::vector<Click> clicks;
  for (int64_t time = 0; time <= last; time += 2 * kGap) clicks.push_back({7, time, time});
  sessions.give(clicks, kNoEventTime.us);
  CHECK(sessions.rows() == 20'001);
  clicks.clear();
  // Rows between two of them, in an order that makes neighbours, then neighbours of these, one.
  for (int64_t step = 1; step < 20'000; step *= 2) {
    for (int64_t i = step; i <= 20'000; i += 2 * step) {
      clicks.push_back({7, 0, (2 * i - 1) * kGap});
    }
  }
  std::map<int64_t, int64_t> times;
  for (const Click& click : clicks) times[click.time] += click.time;
  for (int64_t i = 1; i <= 20'000; ++i) {
    if (!times.contains((2 * i - 1) * kGap)) clicks.push_back({7, 0, (2 * i - 1) * kGap});
  }
  sessions.give(clicks, kNoEventTime.us);
  CHECK(sessions.only(1) == 0);
  CHECK(sessions.only(2) == last + kGap);
  CHECK(sessions.only(3) == 40'002);
  CHECK(sessions.only(5) == 20'002);
  CHECK(std::abs(sessions.only(6) - 20'002) < 1'300);  // four times the standard error
  CHECK(sessions.only_of<double>(7) == quantile_of_bucket(quantile_bucket(10'000 * 2 * kGap)));
  CHECK(sessions.only(8) == 5);  // of the row that came first
}

TEST_CASE("sessions whose retention has ended leave nothing, though every key was late once") {
  Sessions sessions(kGap);
  size_t bytes = 0;
  for (int64_t round = 1; round <= 40; ++round) {
    const int64_t time = round * 1'000;
    std::vector<Click> clicks;
    for (int64_t i = 0; i < 2'000; ++i) clicks.push_back({round * 10'000 + i, i, time});
    sessions.give(clicks, time);
    for (Click& click : clicks) click.key += 5'000;
    sessions.give(clicks, time + 500);  // all of them are late
    CHECK(sessions.rows() == 0);
    CHECK(sessions.late() == static_cast<size_t>(2'000 * round));
    if (round == 3) bytes = sessions.bytes();
  }
  CHECK(sessions.bytes() <= 2 * bytes);
}

}  // namespace kappa::operators
