// Generations: looking after those that run, and what two of them show at one place.

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/serve/cancellable_reader.h"
#include "engine/types/status_macros.h"
#include "replay/compare.h"
#include "replay/estimate.h"
#include "replay/generations.h"

namespace kappa::replay {

using runtime::Deadline;
using state::GenerationInfo;
using state::GenerationState;
using std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds kLook{200};

Deadline soon() {
  return steady_clock::now() + std::chrono::seconds(10);
}

// A follower is near if so much is left to apply: as much as it takes in a second, or this.
constexpr int64_t kNearRecords = 1000;
constexpr size_t kCompareBytesMax = size_t{1} << 30;

int64_t records_remaining(const runtime::PipelineStats& stats) {
  int64_t remaining = 0;
  std::set<std::string> topics;  // two sources may be of one topic
  for (const runtime::SourceStats& source : stats.sources) {
    if (topics.insert(source.topic).second) remaining += source.lag_records;
  }
  return remaining;
}

EventTime watermark_of(const runtime::PipelineStats& stats) {
  EventTime least = stats.sources.empty() ? kNoEventTime : kEndOfTime;
  for (const runtime::SourceStats& source : stats.sources) {
    least = std::min(least, source.watermark);
  }
  return least;
}

}  // namespace

void Generations::watch() {
  std::unique_lock lock(mutex_);
  while (!stop_.wait_for(lock, kLook, [this] { return stopping_; })) {
    lock.unlock();
    look();
    pause_what_grows_too_large();
    close_unneeded();
    lock.lock();
  }
}

// Asks each pipeline how far it is. A replay that is near is ready from now on.
void Generations::look() {
  std::vector<std::shared_ptr<Generation>> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, running] : running_) all.push_back(running.generation);
  }
  tell_followers(all);
  std::vector<uint32_t> ready;
  for (const std::shared_ptr<Generation>& generation : all) {
    runtime::PipelineStats stats = generation->pipeline->stats();
    if (absl::IsDeadlineExceeded(stats.failure)) continue;  // it is busy: what was seen last holds
    const std::lock_guard lock(mutex_);
    const auto found = running_.find(generation->id);
    if (found == running_.end()) continue;
    if (stats.failure.ok()) found->second.progress.note(steady_clock::now(), stats.records);
    found->second.stats = std::move(stats);
  }
  {
    const std::lock_guard lock(mutex_);
    for (const GenerationInfo& info : info_.generations) {
      if (info.state == GenerationState::kReplaying && is_near(info.id)) ready.push_back(info.id);
    }
  }
  for (const uint32_t id : ready) {
    // If it cannot be written down now, the next look tries again.
    change([this, id](state::ProductInfo& info) {
      GenerationInfo* found = info.find(id);
      if (!found || found->state != GenerationState::kReplaying) return;
      found->state = GenerationState::kReady;
      const double rate = rate_reached(id);
      if (rate > 0) info.replay_records_per_second = rate;
    }).IgnoreError();
  }
}

// How far the leader has said its final outputs, as last seen.
void Generations::tell_followers(const std::vector<std::shared_ptr<Generation>>& all) {
  operators::OutputMarks said_to;
  uint32_t leader = 0;
  {
    const std::lock_guard lock(mutex_);
    leader = info_.live_generation;
    const auto live = running_.find(leader);
    const bool seen = live != running_.end() && live->second.stats &&
                      live->second.stats->failure.ok() && !live->second.stats->follows;
    if (!seen) return;
    said_to = live->second.stats->said_to;
  }
  for (const std::shared_ptr<Generation>& generation : all) {
    if (generation->id != leader) generation->pipeline->note_said(said_to);
  }
}

// A replay holds no more state in memory than it may: with more it rests until somebody decides.
void Generations::pause_what_grows_too_large() {
  const Operation operation(operation_, std::try_to_lock);
  if (!operation) return;
  for (GenerationInfo& info : this->info().generations) {
    if (!is_replay(info) || info.paused || info.memory_bytes_max == 0) continue;
    const absl::StatusOr<std::shared_ptr<Generation>> there = running(info.id);
    if (!there.ok()) continue;
    uint64_t bytes = 0;
    {
      const std::lock_guard lock(mutex_);
      const auto& stats = running_.at(info.id).stats;
      bytes = stats ? stats->state_bytes : 0;
    }
    if (bytes <= info.memory_bytes_max) continue;
    info.paused = true;
    info.paused_because = absl::StrCat(
        "its state takes ", bytes, " bytes of memory, more than the ", info.memory_bytes_max,
        " that it may; to let it go on: kappa replay resume ", info.id, " --max-memory MIB");
    const absl::Status paused =
        change([&](state::ProductInfo& changed) { *changed.find(info.id) = info; });
    // If it cannot be written down now, the next look tries again.
    if (paused.ok()) (*there)->pipeline->set_pace(pace_of(info), soon()).IgnoreError();
  }
}

bool Generations::is_near(uint32_t generation) const {
  const auto found = running_.find(generation);
  const auto live = running_.find(info_.live_generation);
  if (found == running_.end() || !found->second.stats || !found->second.stats->failure.ok() ||
      live == running_.end() || !live->second.stats) {
    return false;
  }
  const auto a_second = static_cast<int64_t>(found->second.progress.records_per_second());
  if (found->second.stats->rests) return false;
  return records_remaining(*found->second.stats) <=
         records_remaining(*live->second.stats) + std::max(kNearRecords, a_second);
}

double Generations::rate_reached(uint32_t generation) const {
  const auto found = running_.find(generation);
  if (found == running_.end() || !found->second.stats) return 0;
  return rate_of(found->second.stats->busy_records, found->second.stats->busy_seconds);
}

// One that stands still though no operation is under way: its swap could not be ended.
absl::Status Generations::release_leader() {
  const std::shared_ptr<Generation> leader = live();
  {
    const std::lock_guard lock(mutex_);
    const auto& seen = running_.at(leader->id).stats;
    if (!seen || !seen->failure.ok() || !seen->stands_still) return absl::OkStatus();
  }
  const absl::Status released = leader->pipeline->release(soon());
  if (!released.ok()) {
    return {released.code(),
            absl::StrCat("generation ", leader->id,
                         " is live, and takes records once it can go on, which is tried again: ",
                         released.message())};
  }
  const std::lock_guard lock(mutex_);
  failures_.erase(leader->id);
  return absl::OkStatus();
}

// Ends swaps that have something left to do, and generations that are to follow no more, once
// nobody reads from them.
void Generations::close_unneeded() {
  const Operation operation(operation_, std::try_to_lock);
  if (!operation) return;
  absl::Status swapped = finish_handover();
  if (swapped.ok()) swapped = release_leader();
  if (!swapped.ok()) {
    const std::lock_guard lock(mutex_);
    failures_[info_.live_generation] = swapped;
    return;
  }
  std::vector<std::shared_ptr<Generation>> closing;
  {
    const std::lock_guard lock(mutex_);
    for (auto at = running_.begin(); at != running_.end();) {
      const GenerationInfo* info = info_.find(at->first);
      const bool needed = info && (info->state != GenerationState::kRetired ||
                                   info->keeps_following || at->second.generation.use_count() > 1);
      if (needed) {
        ++at;
        continue;
      }
      closing.push_back(std::move(at->second.generation));
      at = running_.erase(at);
    }
  }
  for (const auto& generation : closing) generation->pipeline->stop().IgnoreError();
}

std::vector<serve::GenerationStatus> Generations::generations() {
  const std::lock_guard lock(mutex_);
  std::vector<serve::GenerationStatus> all;
  double arriving = 0;
  if (const auto live = running_.find(info_.live_generation); live != running_.end()) {
    arriving = live->second.progress.records_per_second();
  }
  for (const GenerationInfo& info : info_.generations) {
    serve::GenerationStatus& status = all.emplace_back();
    status.id = info.id;
    status.state = info.state;
    status.paused = info.paused;
    status.created = info.created;
    status.plan_fingerprint = info.plan_fingerprint;
    status.budget = {info.cpu_cores_max, info.records_per_second_max, info.memory_bytes_max};
    status.paused_because = info.paused_because;
    status.start = info.start;
    status.kept_views = info.kept_views;
    status.arriving_per_second = arriving;
    if (const auto failed = failures_.find(info.id); failed != failures_.end()) {
      status.failure = failed->second;
    }
    const auto found = running_.find(info.id);
    if (found == running_.end()) continue;
    status.runs = true;
    if (!found->second.stats) continue;
    const runtime::PipelineStats& stats = *found->second.stats;
    status.failure.Update(stats.failure);
    status.runs = stats.failure.ok();
    status.records = stats.records;
    status.records_remaining = records_remaining(stats);
    status.records_per_second = found->second.progress.records_per_second();
    status.watermark = watermark_of(stats);
    status.state_bytes = stats.state_bytes;
  }
  return all;
}

absl::StatusOr<serve::Comparison> Generations::compare_with_live(Generation& other,
                                                                 size_t samples_max,
                                                                 Deadline deadline) {
  const std::shared_ptr<Generation> former = live();
  const operators::Plan& before = former->pipeline->plan();
  const operators::Plan& after = other.pipeline->plan();
  KAPPA_RETURN_IF_ERROR(other.pipeline->rest(deadline));
  auto here = former->pipeline->pin_between_entries(before.views(), deadline);
  if (!here.ok()) {
    other.pipeline->stir(deadline).IgnoreError();
    return here.status();
  }
  KAPPA_ASSIGN_OR_RETURN(runtime::Pipeline::EntryPin there,
                         other.pipeline->pin_behind(here->entries, after.views(), deadline));
  const std::function<absl::Status()> wanted = [this] { return still_wanted(); };
  const auto rows_here = serve::cancellable(std::move(here->rows), wanted);
  const auto rows_there = serve::cancellable(std::move(there.rows), wanted);
  serve::Comparison comparison;
  comparison.before = former->id;
  comparison.after = other.id;
  comparison.place = rows_here->stamp().place;
  KAPPA_ASSIGN_OR_RETURN(
      comparison.views,
      replay::compare({before, *rows_here}, {after, *rows_there}, samples_max, kCompareBytesMax));
  return comparison;
}

}  // namespace kappa::replay
