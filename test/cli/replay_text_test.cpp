// What `kappa replay` shows of generations and of how they differ.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "engine/cli/commands/replay.h"
#include "engine/cli/replay/comparison_text.h"
#include "engine/cli/replay/generation_text.h"
#include "test/serve/fake_generations.h"

namespace kappa::cli {
namespace {

using serve::GenerationStatus;
using state::GenerationState;

std::vector<GenerationStatus> some_generations() {
  GenerationStatus retired = serve::live_generation(1);
  retired.state = GenerationState::kRetired;
  retired.runs = false;
  GenerationStatus failed = serve::replaying_generation(4);
  failed.runs = false;
  failed.failure = absl::DataLossError("the log lacks\nrecords");
  return {retired, serve::live_generation(2), serve::replaying_generation(3), failed};
}

}  // namespace

TEST_CASE("the table of generations shows how far each is, and nothing of those that do not run") {
  CHECK(
      aligned(generation_table(some_generations())) ==
      R"(generation  state      records  remaining    rate  left  event time               size  created
──────────  ─────────  ───────  ─────────  ──────  ────  ────────────────────  ───────  ────────────────────
         1  retired          -          -       -     -  -                           -  2024-04-01T10:00:00Z
         2  live        100000          0   250/s     -  none yet                512 B  2024-04-01T10:00:00Z
         3  replaying    25000      75000  1000/s  1:40  2024-05-01T10:00:00Z  3.0 MiB  2024-05-01T10:00:00Z
         4  failed           -          -       -     -  -                           -  2024-05-01T10:00:00Z
)");
  CHECK(failures_text(some_generations()) ==
        "kappa: generation 4 has stopped: the log lacks\\nrecords\n");
}

TEST_CASE("the state of a generation is one word, but for one that follows") {
  GenerationStatus status = serve::replaying_generation(2);
  CHECK(state_text(status) == "replaying");
  status.paused = true;
  CHECK(state_text(status) == "paused");
  status.state = GenerationState::kReady;
  CHECK(state_text(status) == "ready");
  status.state = GenerationState::kRetired;
  CHECK(state_text(status) == "retired, follows");
  CHECK(to_json(status)["state"] == "retired");
  CHECK(to_json(status)["runs"] == true);
  status.failure = absl::InternalError("no");
  CHECK(state_text(status) == "failed");
}

TEST_CASE("a generation as JSON has everything, and null for what is not to be foreseen") {
  GenerationStatus status = serve::replaying_generation(3);
  CHECK(
      to_json(status).dump() ==
      R"({"generation":3,"state":"replaying","runs":true,"created":"2024-05-01T10:00:00Z",)"
      R"("plan":"0000000000000abc","cpu_cores_max":1.5,"records_per_second_max":0.0,"memory_bytes_max":0,)"
      R"("records":25000,"records_remaining":75000,"records_per_second":1000.0,)"
      R"("arriving_per_second":250.0,"eta_seconds":100.0,"watermark":"2024-05-01T10:00:00Z",)"
      R"("state_bytes":3145728,"order":"journal","from":null,"kept_views":[]})");
  status.start = {state::ReplayStart::Order::kLogTime, 1'714'557'600'000};
  status.kept_views = {"totals"};
  CHECK(to_json(status)["order"] == "log-time");
  CHECK(to_json(status)["from"] == "2024-05-01T10:00:00Z");
  CHECK(to_json(status)["kept_views"] == nlohmann::json::array({"totals"}));
  status.records_per_second = 200;
  CHECK(to_json(status)["eta_seconds"].is_null());
  status.failure = absl::InternalError("disk full");
  CHECK(to_json(status)["failure"] == "disk full");
}

TEST_CASE("the progress of a replay shows the way, the rate, what is left and where in time") {
  GenerationStatus status = serve::replaying_generation(3);
  CHECK(progress_text(status) ==
        "[#######                       ]  25 %  25000 of 100000 records  1000/s  1:40 left  at "
        "2024-05-01T10:00:00Z");
  status.watermark = kNoEventTime;
  status.records_per_second = 200;
  CHECK(progress_text(status) ==
        "[#######                       ]  25 %  25000 of 100000 records  200/s, slower than they "
        "arrive");
  status.paused = true;
  CHECK(progress_text(status) ==
        "[#######                       ]  25 %  25000 of 100000 records  paused");
  status.records_per_second = 251;
  status.paused = false;
  CHECK_THAT(progress_text(status), Catch::Contains("20:50:00 left"));
}

TEST_CASE("a comparison shows equal views in a line, and in what the others differ") {
  CHECK(comparison_text(serve::example_comparison()) ==
        R"(generation 2 against generation 1, both at {"sales":[120,118]}

  = sales   40 rows, checksum 000000000000cccc
  ~ totals  10 → 11 rows: 3 changed, 2 added, 1 removed
      changed in    sales (3), share (1)
      only after    returns
      checksums     000000000000aaaa → 000000000000bbbb
      ~ store s1, sales 4 → 5, share 1 → 1.5
      + store s8, sales 1, share NULL
      - store s9, sales 7, share 2
  ! visits  0 → 4 rows: only generation 2 has it

1 of 3 views is equal
)");
}

TEST_CASE("values of a comparison cannot command the terminal") {
  serve::Comparison comparison = serve::example_comparison();
  comparison.views[1].samples[0].before->at(0) = Value::text("\x1b[2Ja\nb");
  const std::string text = comparison_text(comparison);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK_THAT(text, Catch::Contains("store ?[2Ja\\nb → s1"));
}

TEST_CASE("a comparison as JSON has counts, columns and rows") {
  const auto json = to_json(serve::example_comparison());
  CHECK(json["before"] == 1);
  CHECK(json["after"] == 2);
  CHECK(json["equal"] == false);
  CHECK(json["place"].dump() == R"({"sales":[120,118]})");
  CHECK(json["views"][0]["equal"] == true);
  const auto& totals = json["views"][1];
  CHECK(totals["rows_after"] == 11);
  CHECK(totals["checksum_before"] == "000000000000aaaa");
  CHECK(totals["columns"].dump() == R"({"sales":3,"share":1})");
  CHECK(totals["columns_after"].dump() == R"(["returns"])");
  CHECK(
      totals["samples"][0].dump() ==
      R"({"before":{"store":"s1","sales":4,"share":1},"after":{"store":"s1","sales":5,"share":1.5}})");
  CHECK(totals["samples"][1]["before"].is_null());
  CHECK(totals["samples"][2]["after"].is_null());
  CHECK(json["views"][2]["incomparable"] == "only generation 2 has it");
}

TEST_CASE("views that must be equal are found by name, or all of them") {
  const serve::Comparison comparison = serve::example_comparison();
  using Names = std::vector<std::string>;
  CHECK(*unequal_views(comparison, required_views({})) == Names{});
  CHECK(*unequal_views(comparison, required_views({"sales"})) == Names{});
  CHECK(*unequal_views(comparison, required_views({"sales", "totals"})) == Names{"totals"});
  CHECK(*unequal_views(comparison, required_views({"all"})) == Names{"totals", "visits"});
  const auto unknown = unequal_views(comparison, {"total"});
  CHECK(absl::IsNotFound(unknown.status()));
  CHECK_THAT(std::string(unknown.status().message()), Catch::Contains("did you mean \"totals\"?"));
}

TEST_CASE("a budget on the command line takes the place of what it names") {
  BudgetOptions options;
  CHECK_FALSE(options.given());
  CHECK(options.over({2, 300}) == serve::ReplayBudget{2, 300});
  options.records_per_second_max = 10;
  CHECK(options.given());
  CHECK(options.over({2, 300}) == serve::ReplayBudget{2, 10});
}

}  // namespace kappa::cli
