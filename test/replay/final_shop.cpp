#include "test/replay/final_shop.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "engine/sql/catalog.h"
#include "replay/recompute.h"
#include "schemas/encoder.h"
#include "test/pipeline/test_product.h"

namespace kappa::replay {

using test::require_ok;

namespace {

struct FinalRow {
  int64_t event_time_us;
  std::string payload;
};

// All rows that a logic says of the order so far.
std::vector<FinalRow> rows_of(Shop& shop, const std::string& journal, const FinalLogic& logic) {
  auto compiled = sql::compile_product({{"product.sql", logic.sql()}}, {});
  REQUIRE(compiled.ok());
  const auto store = state::make_memory_store();
  const auto pipeline = recompute(std::move(compiled.plan), {}, shop.log.get(), store.get(),
                                  journal, &shop.clock, {});
  require_ok(pipeline.status());
  const operators::NodeId view = (*pipeline)->plan().find_view("windows");
  const auto snapshot = (*pipeline)->pin({view}, in(60));
  require_ok(snapshot.status());
  const std::vector<std::string> names = {"page", "n", "window_start"};
  std::vector<FinalRow> rows;
  Arena arena;
  while (true) {
    const auto batch = (*snapshot)->next(view, {1, 2, 0}, arena);
    require_ok(batch.status());
    if (batch->empty()) return rows;
    for (size_t i = 0; i < batch->rows; ++i) {
      std::string payload;
      schemas::encode_json(names, batch->columns, i, &payload);
      payload.pop_back();
      absl::StrAppend(&payload, R"(,"logic":")", logic.name, "\"}");
      const int64_t start_us = batch->columns[2]->values<int64_t>()[i];
      const int64_t size_us = logic.window_seconds * kMicrosPerSecond;
      rows.push_back({start_us + size_us - 1, std::move(payload)});
    }
  }
}

}  // namespace

std::string FinalLogic::sql() const {
  return absl::Substitute(R"(
CREATE FOREIGN TABLE hits (page text, n bigint, at timestamptz)
SERVER log OPTIONS (topic 'hits', format 'json', event_time 'at', out_of_orderness '$1 seconds');
CREATE FOREIGN TABLE busy (page text, n bigint, window_start timestamptz, logic text)
SERVER log OPTIONS (topic 'busy', format 'json');
CREATE MATERIALIZED VIEW windows WITH (emit = 'final', grace = '$2 seconds') AS
SELECT window_start, page, count(*) AS n
FROM tumble(hits, at, INTERVAL '$0 seconds') GROUP BY window_start, page;
INSERT INTO busy SELECT page, n, window_start, '$3' FROM windows;
)",
                          window_seconds, bound_seconds, grace_seconds, name);
}

std::multiset<std::string> said_by_turns(Shop& shop, const std::string& journal,
                                         const std::vector<FinalTurn>& turns) {
  std::multiset<std::string> said;
  for (size_t i = 0; i < turns.size(); ++i) {
    const int64_t to_us =
        i + 1 < turns.size() ? turns[i + 1].from_us : std::numeric_limits<int64_t>::max();
    for (FinalRow& row : rows_of(shop, journal, turns[i].logic)) {
      const bool its_turn = turns[i].from_us <= row.event_time_us && row.event_time_us < to_us;
      if (its_turn) said.insert(std::move(row.payload));
    }
  }
  return said;
}

int64_t said_to(const operators::OutputMarks& marks) {
  return marks.at({"busy", 0});
}

size_t kept_in(const ShopGeneration& generation) {
  size_t kept = 0;
  require_ok(generation.store->scan("k", "l", [&](std::string_view, std::string_view) {
    ++kept;
    return true;
  }));
  return kept;
}

}  // namespace kappa::replay
