#include "test/serve/fake_generations.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace kappa::serve {
namespace {

std::string text_of(const ReplayBudget& budget) {
  return absl::StrCat(
      budget.cpu_cores_max, " cores ", budget.records_per_second_max, " a second",
      budget.memory_bytes_max > 0 ? absl::StrCat(" ", budget.memory_bytes_max, " bytes") : "");
}

}  // namespace

FakeGenerations::FakeGenerations()
    : generations_({live_generation(1)}), comparison_(example_comparison()) {}

void FakeGenerations::set(std::vector<GenerationStatus> generations) {
  std::lock_guard lock(mutex_);
  generations_ = std::move(generations);
}

void FakeGenerations::fail_with(absl::Status answer) {
  std::lock_guard lock(mutex_);
  failure_ = std::move(answer);
}

void FakeGenerations::set_comparison(Comparison comparison) {
  std::lock_guard lock(mutex_);
  comparison_ = std::move(comparison);
}

void FakeGenerations::set_long_work(std::function<absl::Status(runtime::Deadline)> work) {
  std::lock_guard lock(mutex_);
  long_work_ = std::move(work);
}

std::vector<std::string> FakeGenerations::asked() const {
  std::lock_guard lock(mutex_);
  return asked_;
}

std::map<std::string, std::string> FakeGenerations::files() const {
  std::lock_guard lock(mutex_);
  return files_;
}

std::vector<GenerationStatus> FakeGenerations::generations() {
  std::lock_guard lock(mutex_);
  return generations_;
}

absl::StatusOr<uint32_t> FakeGenerations::start_replay(const ReplayRequest& request) {
  std::string call = "start " + text_of(request.budget);
  for (const std::string& topic : request.accepted_gaps) call += " without all of " + topic;
  if (request.start.from_ms) absl::StrAppend(&call, " from ", *request.start.from_ms);
  if (request.start.order == state::ReplayStart::Order::kLogTime) call += " by log time";
  if (request.recompute_all) call += " and all of it";
  if (absl::Status failure = ask(call); !failure.ok()) return failure;
  std::lock_guard lock(mutex_);
  files_ = request.files;
  generations_.push_back(replaying_generation(2));
  generations_.back().budget = request.budget;
  generations_.back().start = request.start;
  generations_.back().kept_views = {"kept"};
  return 2;
}

absl::Status FakeGenerations::pause_replay(uint32_t generation) {
  if (absl::Status failure = ask(absl::StrCat("pause ", generation)); !failure.ok()) return failure;
  return find(generation);
}

absl::Status FakeGenerations::resume_replay(uint32_t generation,
                                            std::optional<ReplayBudget> budget) {
  const std::string with = budget ? " with " + text_of(*budget) : "";
  absl::Status failure = ask(absl::StrCat("resume ", generation, with));
  return failure.ok() ? find(generation) : failure;
}

absl::Status FakeGenerations::cancel_replay(uint32_t generation) {
  absl::Status failure = ask(absl::StrCat("cancel ", generation));
  return failure.ok() ? find(generation) : failure;
}

absl::StatusOr<Comparison> FakeGenerations::compare(uint32_t generation, size_t samples_max,
                                                    runtime::Deadline deadline) {
  absl::Status failure = ask(absl::StrCat("compare ", generation, " samples ", samples_max));
  if (failure.ok()) failure = find(generation);
  if (!failure.ok()) return failure;
  if (failure = work_long(deadline); !failure.ok()) return failure;
  std::lock_guard lock(mutex_);
  return comparison_;
}

absl::StatusOr<SwapReport> FakeGenerations::swap(const SwapRequest& request,
                                                 runtime::Deadline deadline) {
  absl::Status failure = ask(absl::StrCat("swap ", request.generation, " require ",
                                          absl::StrJoin(request.require_equal, ","),
                                          request.keep_following ? " keep" : ""));
  if (failure.ok()) failure = find(request.generation);
  if (!failure.ok()) return failure;
  if (failure = work_long(deadline); !failure.ok()) return failure;
  return SwapReport{1, 2, 1.5, 0.012};
}

absl::StatusOr<SwapReport> FakeGenerations::roll_back(bool keep_following,
                                                      runtime::Deadline deadline) {
  absl::Status failure = ask(keep_following ? "roll back keep" : "roll back");
  if (!failure.ok()) return failure;
  if (failure = work_long(deadline); !failure.ok()) return failure;
  return SwapReport{2, 1, 0.5, 0.004};
}

absl::StatusOr<std::vector<uint32_t>> FakeGenerations::drop_retired(size_t keep) {
  absl::Status failure = ask(absl::StrCat("drop, keep ", keep));
  if (!failure.ok()) return failure;
  std::lock_guard lock(mutex_);
  std::vector<uint32_t> retired;
  for (const GenerationStatus& one : generations_) {
    if (one.state == state::GenerationState::kRetired) retired.push_back(one.id);
  }
  retired.resize(retired.size() - std::min(keep, retired.size()));
  return retired;
}

absl::Status FakeGenerations::ask(const std::string& line) {
  std::lock_guard lock(mutex_);
  asked_.push_back(line);
  return failure_;
}

absl::Status FakeGenerations::find(uint32_t generation) const {
  std::lock_guard lock(mutex_);
  if (generation == 0) return absl::OkStatus();
  for (const GenerationStatus& one : generations_) {
    if (one.id == generation) return absl::OkStatus();
  }
  return absl::NotFoundError(absl::StrCat("there is no generation ", generation));
}

absl::Status FakeGenerations::work_long(runtime::Deadline deadline) {
  std::function<absl::Status(runtime::Deadline)> work;
  {
    std::lock_guard lock(mutex_);
    work = long_work_;
  }
  return work ? work(deadline) : absl::OkStatus();
}

GenerationStatus replaying_generation(uint32_t id) {
  GenerationStatus status;
  status.id = id;
  status.state = state::GenerationState::kReplaying;
  status.runs = true;
  status.created = "2024-05-01T10:00:00Z";
  status.plan_fingerprint = 0xabc;
  status.budget = {1.5, 0};
  status.records = 25'000;
  status.records_remaining = 75'000;
  status.records_per_second = 1'000;
  status.arriving_per_second = 250;
  status.watermark = EventTime{1'714'557'600'000'000};
  status.state_bytes = 3 << 20;
  return status;
}

GenerationStatus live_generation(uint32_t id) {
  GenerationStatus status;
  status.id = id;
  status.state = state::GenerationState::kLive;
  status.runs = true;
  status.created = "2024-04-01T10:00:00Z";
  status.records = 100'000;
  status.records_per_second = 250;
  status.arriving_per_second = 250;
  status.state_bytes = 512;
  return status;
}

Comparison example_comparison() {
  const auto row = [](const char* store, int64_t sales, Value share) {
    return Row{Value::text(store), Value::bigint(sales), std::move(share)};
  };
  ViewDifference totals;
  totals.view = "totals";
  totals.rows_before = 10;
  totals.rows_after = 11;
  totals.checksum_before = 0xaaaa;
  totals.checksum_after = 0xbbbb;
  totals.changed = 3;
  totals.added = 2;
  totals.removed = 1;
  totals.columns = {{"sales", 3}, {"share", 1}};
  totals.columns_after = {"returns"};
  totals.sample_columns = {"store", "sales", "share"};
  totals.samples = {{row("s1", 4, Value::integer(1)), row("s1", 5, Value::double_precision(1.5))},
                    {std::nullopt, row("s8", 1, Value::null(Type::double_precision()))},
                    {row("s9", 7, Value::integer(2)), std::nullopt}};
  ViewDifference sales;
  sales.view = "sales";
  sales.rows_before = sales.rows_after = 40;
  sales.checksum_before = sales.checksum_after = 0xcccc;
  ViewDifference visits;
  visits.view = "visits";
  visits.incomparable = "only generation 2 has it";
  visits.rows_after = 4;
  visits.checksum_after = 0xdddd;
  Comparison comparison;
  comparison.before = 1;
  comparison.after = 2;
  comparison.place = {{{"sales", 0}, Offset{120}}, {{"sales", 1}, Offset{118}}};
  comparison.views = {sales, totals, visits};
  return comparison;
}

}  // namespace kappa::serve
