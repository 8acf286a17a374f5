#include "operators/view_table.h"

#include <algorithm>
#include <map>
#include <random>
#include <utility>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "test/operators/expressions.h"

// A view that keeps the latest row of a key for a while, taken as a changelog.
namespace kappa::operators {
namespace {

constexpr int64_t kKept = 20;

// A record and the watermark at its place. Its row has key, value and event time.
struct Step {
  int64_t key;
  int64_t value;
  std::optional<int64_t> time;
  int64_t watermark;
};

Plan plan_of_view() {
  Plan plan;
  PlanNode source;
  source.op = SourceNode{0, {0, 1, 2}};
  source.schema = {{"k", Type::bigint()}, {"n", Type::bigint()}, {"at", Type::timestamptz()}};
  PlanNode view = source;
  view.id = 1;
  view.inputs = {0};
  view.changelog = true;
  ViewNode op;
  op.name = "latest";
  op.key = {0};
  op.conflict = ViewNode::Conflict::kLatestWins;
  op.expiry = {2, kKept};
  view.op = op;
  plan.nodes = {source, view};
  return plan;
}

std::vector<Step> random_steps(uint32_t seed) {
  std::mt19937 random(seed);
  const auto between = [&](int64_t from, int64_t to) {
    return std::uniform_int_distribution<int64_t>(from, to)(random);
  };
  std::vector<Step> steps;
  int64_t watermark = 0;
  for (int64_t i = 0; i < 300; ++i) {
    std::optional<int64_t> time;
    if (between(0, 20) > 0) time = watermark + between(-kKept - 5, 8);
    if (between(0, 2) == 0) watermark += between(1, between(0, 9) == 0 ? 60 : 6);
    steps.push_back({between(0, 7), i, time, watermark});
  }
  return steps;
}

std::string line(int64_t place, bool timer, int sign, int64_t key, int64_t value) {
  return absl::StrCat(place, timer ? " timer " : " row ", sign > 0 ? "+" : "-", key, "=", value);
}

using Lines = std::vector<std::string>;

// What must come of it: every row by itself, all rows looked at for each.
Lines expected(const std::vector<Step>& steps) {
  Lines lines;
  std::map<int64_t, Step> latest;
  for (size_t i = 0; i < steps.size(); ++i) {
    const auto place = static_cast<int64_t>(i);
    const Step& step = steps[i];
    std::vector<std::pair<int64_t, int64_t>> due;
    for (const auto& [key, row] : latest) {
      if (row.time && *row.time + kKept <= step.watermark) due.emplace_back(*row.time, key);
    }
    std::sort(due.begin(), due.end());
    for (const auto& [time, key] : due) {
      lines.push_back(line(place, true, -1, key, latest.at(key).value));
      latest.erase(key);
    }
    if (const auto old = latest.find(step.key); old != latest.end()) {
      lines.push_back(line(place, false, -1, step.key, old->second.value));
      latest.erase(old);
    }
    if (step.time && *step.time + kKept <= step.watermark) continue;
    lines.push_back(line(place, false, 1, step.key, step.value));
    latest.emplace(step.key, step);
  }
  return lines;
}

// Runs a view over the steps, `epoch` at a time.
class Run {
 public:
  explicit Run(const std::vector<Step>& steps)
      : steps_(steps), view_(std::make_unique<ViewTable>(plan_, 1, true)) {}

  void advance(size_t epoch) {
    Arena arena;
    const size_t end = std::min(steps_.size(), at_ + epoch);
    WatermarkTrack track = {at_ == 0 ? 0 : steps_[at_ - 1].watermark};
    std::vector<Row> rows;
    for (size_t i = at_; i < end; ++i) {
      const Step& step = steps_[i];
      const Type time = Type::timestamptz();
      rows.push_back({Value::bigint(step.key), Value::bigint(step.value),
                      step.time ? Value{time, *step.time} : Value::null(time)});
      track.push_back(step.watermark);
    }
    Batch batch = batch_of({Type::bigint(), Type::bigint(), Type::timestamptz()}, rows, arena);
    for (uint32_t i = 0; i < rows.size(); ++i) batch.places.push_back(RowPlace::of_record(i));
    std::vector<SideRow> side;
    const std::function<std::pair<const TopicPartition*, Offset>(uint32_t)> nowhere;
    std::vector<Batch> out;
    view_->process(batch, {track, arena, side, nowhere}, &out);
    CHECK(side.empty());
    for (const Batch& changes : out) note(changes);
    at_ = end;
  }

  // As after a crash: a new operator, and the rows of the old one.
  void restart() {
    auto restored = std::make_unique<ViewTable>(plan_, 1, true);
    const state::Table& rows = view_->table();
    for (state::RowId id = 0; id < rows.row_ids_end(); ++id) {
      if (!rows.live(id)) continue;
      std::string key;
      std::string value;
      rows.encode(rows.row(id), &key, &value);
      REQUIRE(restored->tables()[0]->load(key, value).ok());
    }
    view_ = std::move(restored);
    view_->restored(steps_[at_ - 1].watermark);
  }

  bool done() const { return at_ == steps_.size(); }
  const Lines& lines() const { return lines_; }
  size_t rows() const { return view_->table().rows(); }

 private:
  void note(const Batch& changes) {
    CHECK(std::is_sorted(changes.places.begin(), changes.places.end()));
    for (size_t i = 0; i < changes.rows; ++i) {
      const RowPlace place = changes.places[i];
      lines_.push_back(line(static_cast<int64_t>(at_ + place.place()), place.is_timer(),
                            changes.signs[i], changes.columns[0]->values<int64_t>()[i],
                            changes.columns[1]->values<int64_t>()[i]));
      CHECK((!changes.ties.empty() && changes.ties[i].size > 0) == place.is_timer());
    }
  }

  const Plan plan_ = plan_of_view();
  const std::vector<Step>& steps_;
  std::unique_ptr<ViewTable> view_;
  size_t at_ = 0;
  Lines lines_;
};

}  // namespace

TEST_CASE(
    "rows that expire are retracted at their place, however the records are cut into epochs") {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    const std::vector<Step> steps = random_steps(seed);
    const Lines all = expected(steps);
    for (const size_t epoch : {size_t{1}, size_t{2}, size_t{7}, size_t{64}, steps.size()}) {
      for (const bool restarts : {false, true}) {
        INFO("seed " << seed << ", epoch " << epoch << ", restarts " << restarts);
        Run run(steps);
        while (!run.done()) {
          run.advance(epoch);
          if (restarts) run.restart();
        }
        REQUIRE(run.lines() == all);
      }
    }
  }
}

TEST_CASE("a row expires at its event time and the retention, not a microsecond before") {
  const std::vector<Step> steps = {
      {1, 10, 100, 100}, {2, 20, std::nullopt, 119}, {3, 30, 119, 120}};
  Run run(steps);
  run.advance(2);
  CHECK(run.rows() == 2);
  run.advance(1);
  CHECK(run.rows() == 2);
  CHECK(run.lines() == Lines{"0 row +1=10", "1 row +2=20", "2 timer -1=10", "2 row +3=30"});
}

}  // namespace kappa::operators
