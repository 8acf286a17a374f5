#include "replay/generations.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/types/datetime.h"
#include "engine/types/failpoint.h"
#include "engine/types/status_macros.h"
#include "replay/changed_outputs.h"
#include "replay/swap.h"
#include "state/generation.h"

namespace kappa::replay {

using runtime::Deadline;
using state::GenerationInfo;
using state::GenerationState;
using state::ProductInfo;
using std::chrono::steady_clock;

namespace {

// With the watcher, which closes what nobody needs; of what answers at once, and of the rest.
constexpr std::chrono::milliseconds kShortPatience{500};
constexpr std::chrono::seconds kPatience{10};
constexpr std::chrono::milliseconds kNearLook{5};

Deadline soon() {
  return steady_clock::now() + std::chrono::seconds(10);
}

// Whether it is to apply what arrives, beside the live one.
bool follows(const GenerationInfo& info) {
  return is_replay(info) || (info.state == GenerationState::kRetired && info.keeps_following);
}

// The live one becomes the one before.
void make_live(ProductInfo& info, uint32_t generation, bool keep_following) {
  GenerationInfo& retired = *info.find(info.live_generation);
  retired.state = GenerationState::kRetired;
  retired.keeps_following = keep_following;
  GenerationInfo& live = *info.find(generation);
  live.state = GenerationState::kLive;
  live.paused = false;
  live.paused_because.clear();
  live.keeps_following = false;
  info.previous_live = retired.id;
  info.live_generation = generation;
}

absl::Status no_generation(const ProductInfo& info, uint32_t generation) {
  std::vector<std::string> there;
  for (const GenerationInfo& other : info.generations) {
    there.push_back(absl::StrCat(other.id, " ", state_text(other)));
  }
  return absl::NotFoundError(absl::StrCat("product ", info.name, " has no generation ", generation,
                                          "; of those it has, ", absl::StrJoin(there, ", ")));
}

}  // namespace

// ---- lifecycle ------------------------------------------------------------------------------

absl::StatusOr<std::unique_ptr<Generations>> Generations::open(Surroundings surroundings,
                                                               ProductInfo info,
                                                               GenerationsOptions options,
                                                               bool live_only) {
  std::unique_ptr<Generations> all(
      new Generations(std::move(surroundings), std::move(info), std::move(options)));
  const GenerationInfo* live = all->info_.find(all->info_.live_generation);
  if (!live) return absl::DataLossError("the catalogue does not hold its live generation");
  const Role role = all->info_.handover ? Role::kStandsStill : Role::kLeads;
  KAPPA_ASSIGN_OR_RETURN(auto leader, open_generation(all->surroundings_, *live, role));
  all->keep(std::move(leader));
  if (live_only) return all;
  KAPPA_RETURN_IF_ERROR(sweep_generations(all->surroundings_.directory, all->info_));
  for (const GenerationInfo& other : all->info_.generations) {
    if (!follows(other)) continue;
    auto follower = open_generation(all->surroundings_, other, Role::kFollows);
    if (follower.ok()) {
      all->keep(*std::move(follower));
    } else {
      all->failures_[other.id] = follower.status();
    }
  }
  return all;
}

Generations::~Generations() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  if (watcher_.joinable()) watcher_.join();
}

absl::Status Generations::start() {
  for (auto& [id, running] : running_) {
    const absl::Status started = running.generation->pipeline->start();
    if (id == info_.live_generation) {
      KAPPA_RETURN_IF_ERROR(started);
    } else if (started.ok()) {
      KAPPA_RETURN_IF_ERROR(
          running.generation->pipeline->set_pace(pace_of(*info_.find(id)), soon()));
    } else {
      failures_[id] = started;
    }
  }
  KAPPA_RETURN_IF_ERROR(finish_handover());
  watcher_ = std::thread([this] { watch(); });
  return absl::OkStatus();
}

absl::Status Generations::stop() {
  const Operation operation(operation_);
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  if (watcher_.joinable()) watcher_.join();
  // Followers first: what the live one still writes is for their next start.
  for (auto& [id, running] : running_) {
    if (id != info_.live_generation) running.generation->pipeline->stop().IgnoreError();
  }
  return running_.at(info_.live_generation).generation->pipeline->stop();
}

std::shared_ptr<Generation> Generations::live() const {
  const std::lock_guard lock(mutex_);
  return running_.at(info_.live_generation).generation;
}

// ---- what there is --------------------------------------------------------------------------

absl::StatusOr<Generations::Operation> Generations::begin_operation(
    std::chrono::milliseconds patience) {
  KAPPA_RETURN_IF_ERROR(still_wanted());
  Operation operation(operation_, patience);
  if (!operation) {
    return absl::AbortedError(absl::StrCat("another operation on generations of product ",
                                           surroundings_.product,
                                           " runs: ask again when it is done"));
  }
  KAPPA_RETURN_IF_ERROR(finish_handover());
  return operation;
}

absl::Status Generations::still_wanted() const {
  if (!interrupted_) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("product ", surroundings_.product, " is being stopped"));
}

ProductInfo Generations::info() const {
  const std::lock_guard lock(mutex_);
  return info_;
}

absl::Status Generations::change(const std::function<void(ProductInfo&)>& edit) {
  const std::lock_guard lock(mutex_);
  ProductInfo changed = info_;
  edit(changed);
  KAPPA_RETURN_IF_ERROR(options_.save(changed));
  info_ = std::move(changed);
  return absl::OkStatus();
}

absl::StatusOr<GenerationInfo> Generations::find_replay(uint32_t generation) const {
  const ProductInfo info = this->info();
  for (const GenerationInfo& candidate : info.generations) {
    if (generation == 0 ? is_replay(candidate) : candidate.id == generation) {
      if (is_replay(candidate)) return candidate;
      return absl::FailedPreconditionError(absl::StrCat("generation ", candidate.id, " of product ",
                                                        info.name, " ", state_text(candidate),
                                                        ": it does not replay"));
    }
  }
  if (generation != 0) return no_generation(info, generation);
  return absl::NotFoundError(absl::StrCat("no generation of product ", info.name,
                                          " is replaying or ready: kappa replay start DIR"));
}

absl::StatusOr<std::shared_ptr<Generation>> Generations::running(uint32_t generation) const {
  const std::lock_guard lock(mutex_);
  const auto failed = failures_.find(generation);
  if (failed != failures_.end()) return failed->second;
  const auto found = running_.find(generation);
  if (found == running_.end()) {
    return absl::FailedPreconditionError(absl::StrCat("generation ", generation, " does not run"));
  }
  if (found->second.stats && !found->second.stats->failure.ok()) {
    return found->second.stats->failure;
  }
  return found->second.generation;
}

void Generations::keep(std::shared_ptr<Generation> generation) {
  const std::lock_guard lock(mutex_);
  const uint32_t id = generation->id;
  failures_.erase(id);
  running_[id] = {std::move(generation), {}, {}};
}

// Closes it as a crash would.
void Generations::forget(uint32_t generation) {
  std::shared_ptr<Generation> closing;
  const std::lock_guard lock(mutex_);
  failures_.erase(generation);
  const auto found = running_.find(generation);
  if (found == running_.end()) return;
  closing = std::move(found->second.generation);
  running_.erase(found);
}

absl::StatusOr<std::shared_ptr<Generation>> Generations::follow(const GenerationInfo& info) {
  auto opened = open_generation(surroundings_, info, Role::kFollows);
  if (opened.ok()) {
    const absl::Status started = (*opened)->pipeline->start();
    if (!started.ok()) opened = started;
  }
  if (!opened.ok()) {
    const std::lock_guard lock(mutex_);
    failures_[info.id] = opened.status();
    return opened.status();
  }
  KAPPA_RETURN_IF_ERROR((*opened)->pipeline->set_pace(pace_of(info), soon()));
  keep(*opened);
  return *opened;
}

// ---- replays --------------------------------------------------------------------------------

absl::Status Generations::pause_replay(uint32_t generation) {
  KAPPA_ASSIGN_OR_RETURN(const Operation operation, begin_operation(kShortPatience));
  KAPPA_ASSIGN_OR_RETURN(GenerationInfo paused, find_replay(generation));
  paused.paused = true;
  KAPPA_RETURN_IF_ERROR(change([&](ProductInfo& info) { *info.find(paused.id) = paused; }));
  const auto there = running(paused.id);
  return there.ok() ? (*there)->pipeline->set_pace(pace_of(paused), soon()) : absl::OkStatus();
}

absl::Status Generations::resume_replay(uint32_t generation,
                                        std::optional<serve::ReplayBudget> budget) {
  KAPPA_ASSIGN_OR_RETURN(const Operation operation, begin_operation(kShortPatience));
  KAPPA_ASSIGN_OR_RETURN(GenerationInfo resumed, find_replay(generation));
  resumed.paused = false;
  resumed.paused_because.clear();
  if (budget) {
    resumed.cpu_cores_max = budget->cpu_cores_max;
    resumed.records_per_second_max = budget->records_per_second_max;
    resumed.memory_bytes_max = budget->memory_bytes_max;
  }
  KAPPA_RETURN_IF_ERROR(change([&](ProductInfo& info) { *info.find(resumed.id) = resumed; }));
  const auto there = running(resumed.id);
  if (there.ok()) return (*there)->pipeline->set_pace(pace_of(resumed), soon());
  // It has failed: perhaps what it failed of has passed.
  forget(resumed.id);
  return follow(resumed).status();
}

// The catalogue has forgotten it; its directory may be left by a crash, to nobody's harm.
absl::Status Generations::drop(uint32_t generation) {
  forget(generation);
  return state::drop_generation(
      surroundings_.directory.generation_path(surroundings_.product, generation));
}

absl::Status Generations::cancel_replay(uint32_t generation) {
  KAPPA_ASSIGN_OR_RETURN(const Operation operation, begin_operation(kPatience));
  KAPPA_ASSIGN_OR_RETURN(const GenerationInfo cancelled, find_replay(generation));
  KAPPA_RETURN_IF_ERROR(change([&](ProductInfo& info) {
    std::erase_if(info.generations, [&](const auto& other) { return other.id == cancelled.id; });
  }));
  fail_here_if_asked("replay.cancelled");
  return drop(cancelled.id);
}

absl::StatusOr<std::vector<uint32_t>> Generations::drop_retired(size_t keep) {
  KAPPA_ASSIGN_OR_RETURN(const Operation operation, begin_operation(kPatience));
  const ProductInfo info = this->info();
  std::vector<uint32_t> retired;
  for (const GenerationInfo& other : info.generations) {
    // The one to roll back to is the last to go.
    if (other.state == GenerationState::kRetired && other.id != info.previous_live) {
      retired.push_back(other.id);
    }
  }
  const GenerationInfo* previous = info.find(info.previous_live);
  if (previous && previous->state == GenerationState::kRetired) retired.push_back(previous->id);
  retired.resize(retired.size() - std::min(keep, retired.size()));
  for (const uint32_t id : retired) {
    KAPPA_RETURN_IF_ERROR(change([&](ProductInfo& changed) {
      std::erase_if(changed.generations, [&](const auto& other) { return other.id == id; });
      if (changed.previous_live == id) changed.previous_live = 0;
    }));
    fail_here_if_asked("replay.dropped");
    KAPPA_RETURN_IF_ERROR(drop(id));
  }
  std::sort(retired.begin(), retired.end());
  return retired;
}

// ---- comparing and swapping -----------------------------------------------------------------

absl::StatusOr<serve::Comparison> Generations::compare(uint32_t generation, size_t samples_max,
                                                       Deadline deadline) {
  KAPPA_ASSIGN_OR_RETURN(const Operation operation, begin_operation(kPatience));
  KAPPA_ASSIGN_OR_RETURN(const GenerationInfo other, find_replay(generation));
  if (other.state != GenerationState::kReady || other.paused) {
    return absl::FailedPreconditionError(
        absl::StrCat("generation ", other.id, " of product ", surroundings_.product, " ",
                     other.paused ? "is paused" : state_text(other),
                     ": it is compared once it has come to where the live one is"));
  }
  KAPPA_ASSIGN_OR_RETURN(const std::shared_ptr<Generation> there, running(other.id));
  return compare_with_live(*there, samples_max, deadline);
}

absl::Status Generations::require_equal(Generation& other, const std::vector<std::string>& views,
                                        Deadline deadline) {
  if (views.empty()) return absl::OkStatus();
  KAPPA_ASSIGN_OR_RETURN(const serve::Comparison comparison, compare_with_live(other, 0, deadline));
  std::set<std::string> missing(views.begin(), views.end());
  const bool all = missing.erase("*") > 0;
  std::vector<std::string> different;
  for (const serve::ViewDifference& view : comparison.views) {
    const bool named = missing.erase(view.view) > 0;
    if ((all || named) && !view.equal()) different.push_back(view.view);
  }
  if (!missing.empty()) {
    return absl::NotFoundError(absl::StrCat("no view ", absl::StrJoin(missing, ", "),
                                            " is there to be equal; nothing was done"));
  }
  if (different.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("in generations ", comparison.before, " and ", comparison.after,
                   " differ what must be equal: ", absl::StrJoin(different, ", "),
                   "; nothing was done (see how: kappa replay diff)"));
}

absl::StatusOr<serve::SwapReport> Generations::swap(const serve::SwapRequest& request,
                                                    Deadline deadline) {
  KAPPA_ASSIGN_OR_RETURN(const Operation operation, begin_operation(kPatience));
  KAPPA_ASSIGN_OR_RETURN(const GenerationInfo to, find_replay(request.generation));
  if (to.state != GenerationState::kReady || to.paused) {
    return absl::FailedPreconditionError(
        absl::StrCat("generation ", to.id, " of product ", surroundings_.product, " ",
                     to.paused ? "is paused" : state_text(to), ": it has to be ready"));
  }
  KAPPA_ASSIGN_OR_RETURN(const std::shared_ptr<Generation> there, running(to.id));
  KAPPA_RETURN_IF_ERROR(require_equal(*there, request.require_equal, deadline));
  return swap_in(there, request.keep_following, deadline);
}

absl::StatusOr<serve::SwapReport> Generations::roll_back(bool keep_following, Deadline deadline) {
  KAPPA_ASSIGN_OR_RETURN(const Operation operation, begin_operation(kPatience));
  const ProductInfo info = this->info();
  const GenerationInfo* previous = info.find(info.previous_live);
  if (!previous || previous->state != GenerationState::kRetired) {
    return absl::FailedPreconditionError(
        absl::StrCat("product ", info.name, " has no generation that was live before ",
                     info.live_generation, " and is kept: there is nothing to roll back to"));
  }
  if (!running(previous->id).ok()) {
    forget(previous->id);
    KAPPA_RETURN_IF_ERROR(follow(*previous).status());
  }
  fail_here_if_asked("rollback.follows");
  KAPPA_RETURN_IF_ERROR(wait_until_near(previous->id, deadline));
  KAPPA_ASSIGN_OR_RETURN(const std::shared_ptr<Generation> to, running(previous->id));
  return swap_in(to, keep_following, deadline);
}

absl::Status Generations::wait_until_near(uint32_t generation, Deadline deadline) {
  while (true) {
    KAPPA_RETURN_IF_ERROR(still_wanted());
    look();
    KAPPA_RETURN_IF_ERROR(running(generation).status());
    {
      const std::lock_guard lock(mutex_);
      if (is_near(generation)) return absl::OkStatus();
    }
    if (steady_clock::now() > deadline) {
      return absl::DeadlineExceededError(
          absl::StrCat("generation ", generation,
                       " has not caught up in time; what it has done so far is kept: ask again"));
    }
    std::this_thread::sleep_for(kNearLook);
  }
}

absl::StatusOr<serve::SwapReport> Generations::swap_in(const std::shared_ptr<Generation>& to,
                                                       bool keep_following, Deadline deadline) {
  const std::shared_ptr<Generation> from = live();
  const steady_clock::time_point begun = steady_clock::now();
  const operators::Plan& plan = to->pipeline->plan();
  KAPPA_RETURN_IF_ERROR(check_handover(plan, to->protos, info().find(to->id)->files));
  KAPPA_RETURN_IF_ERROR(to->pipeline->set_pace({}, deadline));
  const bool changes = !changed_outputs(logic_of(*from), logic_of(*to)).empty();
  const auto commit = [&](const runtime::Pipeline::Standstill& at) -> absl::Status {
    KAPPA_RETURN_IF_ERROR(change([&](ProductInfo& info) {
      make_live(info, to->id, keep_following);
      if (changes) info.handover = {from->id, to->id, at.outbox_next};
    }));
    options_.on_live(to);
    return absl::OkStatus();
  };
  const steady_clock::time_point held = steady_clock::now();
  KAPPA_RETURN_IF_ERROR(replay::swap(*from->pipeline, *to->pipeline,
                                     surroundings_.pipeline.publisher,
                                     {commit, [&] { return hand_over(*from, *to); }}, deadline));
  const std::chrono::duration<double> in_all = steady_clock::now() - begun;
  const std::chrono::duration<double> for_swap = steady_clock::now() - held;
  return serve::SwapReport{from->id, to->id, in_all.count(), for_swap.count()};
}

}  // namespace kappa::replay
