#include "operators/output.h"

#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/types/value.h"
#include "test/sql/compiled.h"

namespace kappa::operators {
namespace {

const char kProduct[] = R"(
CREATE FOREIGN TABLE hits (page bigint, n bigint, at timestamptz)
SERVER log OPTIONS (topic 'hits', format 'json', event_time 'at');
CREATE FOREIGN TABLE busy (page bigint, n bigint, time timestamptz)
SERVER log OPTIONS (topic 'busy', format 'json');
INSERT INTO busy SELECT page, n, at FROM hits;
)";

// JSON, but for rows of a page above 100.
class PickyEncoder final : public schemas::RowEncoder {
 public:
  absl::Status encode(std::span<const ColumnRef> columns, size_t row,
                      std::string* out) const override {
    ++encoded;
    if (columns[0]->values<int64_t>()[row] > 100) return absl::InvalidArgumentError("too large");
    const std::vector<std::string> names = {"page", "n", "time"};
    schemas::encode_json(names, columns, row, out);
    return absl::OkStatus();
  }
  bool can_fail() const override { return fails; }

  static inline bool fails = true;
  static inline int encoded = 0;
};

using Cells = std::vector<std::optional<int64_t>>;

Batch batch_of(const std::vector<Cells>& rows, Arena& arena) {
  Batch batch;
  batch.rows = rows.size();
  const Type types[] = {Type::bigint(), Type::bigint(), Type::timestamptz()};
  for (size_t c = 0; c < 3; ++c) {
    Column column(types[c]);
    for (const Cells& row : rows) {
      append_value(column, row[c] ? Value{types[c], *row[c]} : Value::null(types[c]), arena);
    }
    batch.columns.push_back(std::make_shared<const Column>(std::move(column)));
  }
  for (uint32_t i = 0; i < rows.size(); ++i) batch.places.push_back(RowPlace::of_record(i));
  return batch;
}

// What an output gives out of rows, of which those from a time on are wanted.
std::vector<SideRow> leave(const std::vector<Cells>& rows, int64_t wanted_from_us, bool final) {
  const Plan plan = sql::plan_of(kProduct);
  const auto node = static_cast<NodeId>(plan.nodes.size() - 1);
  std::optional<FinalOutput> how;
  if (final) how = FinalOutput{{"busy", 0}, node, 2, 10, 0};
  Output output(plan, node, std::make_unique<PickyEncoder>(), &wanted_from_us, how);
  Arena arena;
  std::vector<SideRow> side;
  const WatermarkTrack track(rows.size() + 1);
  output.process(batch_of(rows, arena), {track, arena, side, {}}, nullptr);
  return side;
}

// What is counted of them: rows, errors, and the sum of what they say.
std::vector<uint64_t> counts(const std::vector<SideRow>& side) {
  std::vector<uint64_t> sums(3);
  for (const SideRow& row : side) {
    const bool error = row.kind == SideRow::Kind::kError;
    sums[error ? 1 : 0] += row.rows;
    if (!error) sums[2] += row.content;
  }
  return sums;
}

const std::vector<Cells> kRows = {
    {1, 10, 100}, {2, 20, 200}, {300, 30, 300}, {4, std::nullopt, 400}};

}  // namespace

TEST_CASE("rows that are not wanted count as those that are, errors too") {
  PickyEncoder::fails = true;
  const bool final = GENERATE(false, true);
  const std::vector<uint64_t> all = counts(leave(kRows, kAllWanted, final));
  CHECK(all[0] == 3);
  CHECK(all[1] == 1);
  CHECK(counts(leave(kRows, kNoneWanted, final)) == all);
  for (const SideRow& row : leave(kRows, kNoneWanted, final)) {
    CHECK_FALSE(row.wanted);
    CHECK((row.kind == SideRow::Kind::kError || row.text.empty()));
  }
}

TEST_CASE("where no row can fail, one stands for all that are not wanted, and none is encoded") {
  PickyEncoder::fails = false;
  const std::vector<Cells> rows = {kRows[0], kRows[1], kRows[3]};
  const std::vector<uint64_t> all = counts(leave(rows, kAllWanted, false));
  PickyEncoder::encoded = 0;
  const std::vector<SideRow> none = leave(rows, kNoneWanted, false);
  CHECK(PickyEncoder::encoded == 0);
  CHECK(none.size() == 1);
  CHECK(counts(none) == all);
}

TEST_CASE("of a final output rows are wanted from an event time on") {
  PickyEncoder::fails = false;
  PickyEncoder::encoded = 0;
  const std::vector<Cells> rows = {kRows[0], kRows[1], kRows[3]};
  const std::vector<SideRow> side = leave(rows, 210, true);
  REQUIRE(side.size() == 3);
  CHECK(PickyEncoder::encoded == 2);
  CHECK(side[0].event_time_us == 110);
  CHECK_FALSE(side[0].wanted);
  CHECK(side[1].wanted);
  CHECK(side[2].text == R"({"page":4,"n":null,"time":"1970-01-01T00:00:00.0004Z"})");
}

TEST_CASE("what a row says depends on each value, its column, and whether it is there") {
  PickyEncoder::fails = false;
  const auto content = [](const Cells& row) { return leave({row}, kAllWanted, false)[0].content; };
  CHECK(content({1, 2, 3}) == content({1, 2, 3}));
  CHECK(content({1, 2, 3}) != content({2, 1, 3}));
  CHECK(content({1, 0, 3}) != content({1, std::nullopt, 3}));
  CHECK(content({0, 0, 0}) != content({std::nullopt, 0, 0}));
}

}  // namespace kappa::operators
