// Turns: an epoch is filled, taken through the front, applied, and becomes visible.

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "engine/runtime/live_pipeline.h"
#include "engine/types/status_macros.h"

namespace kappa::runtime {
namespace {

// Little work is done sooner by one thread than handed around.
constexpr size_t kPlacesForThreads = 256;

// Of so many records a turn may always be; and what fewer cost says little.
constexpr size_t kTurnRecordsLeast = 256;

}  // namespace

ReadPosition LivePipeline::read_position() const {
  return {reader_->positions(), reader_->entry(), journal_->bookmark(), order_clock_};
}

// Lets a thread run that waits for this core, if there is one: the live generation's, say.
// Otherwise the kernel would let a follower, which always has something to do, finish its time
// slice, which is some milliseconds and more than a turn of the live one takes.
void LivePipeline::give_way() const {
  if (follows_) std::this_thread::yield();
}

// Fills the turn ahead and opens the tasks that prepare it: reading on in each partition, which
// takes longest, then its chunks. Reading that fails fails again when its records are needed.
void LivePipeline::fill_ahead(const Fill& fill) {
  Epoch& epoch = ahead_->epoch;
  reader_->take_back(epoch);
  epoch.clear();
  ahead_status_ = fill(epoch);
  ahead_filled_ = ahead_status_.ok() && epoch.size() > 0;
  if (!ahead_filled_) return ahead_tasks_.open([](size_t) { return 0; });
  epoch.after = read_position();
  watermarks_.begin(epoch);
  if (ahead_->flow.size() < epoch.chunks()) ahead_->flow.resize(epoch.chunks());
  ahead_tasks_.open([&](size_t worker) { return partitions_of(worker) + epoch.runs(); });
}

void LivePipeline::prepare_ahead(uint32_t worker) {
  const size_t workers = pool_.workers();
  flow_->begin_prepare(worker, *ahead_);
  ahead_tasks_.run(worker, [&](size_t owner, size_t task) {
    const size_t loads = partitions_of(owner);
    if (task >= loads) {
      const size_t chunk = (task - loads) * workers + owner;
      return flow_->prepare(worker, *ahead_, chunk, *reader_, watermarks_);
    }
    const size_t records = 2 * size_t{options_.epoch_records_max} / reader_->partitions();
    reader_->load(owner + task * workers, records).IgnoreError();
  });
}

// How many partitions a worker reads ahead in. One alone reads when it needs to.
size_t LivePipeline::partitions_of(size_t worker) const {
  const size_t workers = pool_.workers();
  return workers > 1 ? (reader_->partitions() + workers - 1 - worker) / workers : 0;
}

// One epoch: the one that was prepared ahead, or what `fill` gives now. False: there is none. While
// it is applied, workers that are done prepare the next one, if `more` says that there may be one.
absl::StatusOr<bool> LivePipeline::next_turn(const Fill& fill, const std::function<bool()>& more) {
  if (!ahead_filled_ && ahead_status_.ok()) {
    ahead_tasks_.close();
    fill_ahead(fill);
    give_way();
    pool_.run([&](uint32_t w) { prepare_ahead(w); }, ahead_->size() >= kPlacesForThreads);
    give_way();
  }
  if (!ahead_filled_) {
    KAPPA_RETURN_IF_ERROR(std::exchange(ahead_status_, absl::OkStatus()));
    return false;
  }
  std::swap(turn_, ahead_);
  ahead_filled_ = false;
  const bool large = turn_->size() >= kPlacesForThreads;
  apply_turn(fill, large && pool_.workers() > 1 && more());
  return true;
}

// What is there before the first record, a total over nothing, goes to those who read it: at a
// place of its own, a moment that moves no watermark.
void LivePipeline::show_first_rows() {
  const Fill moment = [](Epoch& epoch) {
    epoch.add(JournalEntry::Kind::kTick, LogTime{0});
    return absl::OkStatus();
  };
  ahead_tasks_.close();
  fill_ahead(moment);
  pool_.run([&](uint32_t w) { prepare_ahead(w); }, false);
  std::swap(turn_, ahead_);
  ahead_filled_ = false;
  run_turn(moment, false);
}

void LivePipeline::apply_turn(const Fill& fill, bool look_ahead) {
  const auto begun = std::chrono::steady_clock::now();
  run_turn(fill, look_ahead);
  count_turn(std::chrono::steady_clock::now() - begun);
}

void LivePipeline::run_turn(const Fill& fill, bool look_ahead) {
  flow_->begin(*turn_, watermarks_);
  if (look_ahead) ahead_tasks_.close();
  const uint32_t last = flow_->shape().stages();
  for (uint32_t stage = 1; stage <= last; ++stage) {
    const bool looks_ahead = look_ahead && stage == last;
    const auto step = [&](uint32_t worker) {
      if (looks_ahead && worker == 0) {
        beside_turn_ = true;
        fill_ahead(fill);
        beside_turn_ = false;
      }
      flow_->run_stage(worker, stage, *turn_, *reader_, watermarks_);
      if (looks_ahead) prepare_ahead(worker);
    };
    pool_.run(step, turn_->size() >= kPlacesForThreads);
    give_way();
  }
  outbox_.collect(flow_->end(*turn_), turn_->epoch, *reader_, &state_);
  flow_->remove_expired(watermarks_);
  applied_ = std::move(turn_->epoch.after);
}

// How many records the next turn may have, by what they cost lately.
size_t LivePipeline::turn_records_max() const {
  const size_t most = options_.epoch_records_max;
  const double seconds_max = options_.epoch_ms_max / 1e3;
  if (record_seconds_ * static_cast<double>(most) <= seconds_max) return most;
  const auto fit = static_cast<size_t>(seconds_max / record_seconds_);
  return std::min(most, std::max(kTurnRecordsLeast, fit));
}

void LivePipeline::count_turn(std::chrono::steady_clock::duration took) {
  const Epoch& epoch = turn_->epoch;
  for (const operators::PlanNode& node : plan_.nodes) {
    const auto* source = std::get_if<operators::SourceNode>(&node.op);
    if (!source || flow_->shape().rests(node.id)) continue;
    state_.source_records[static_cast<size_t>(source->source)] +=
        epoch.records_of(flow_->shape().topic_of_source(source->source));
  }
  state_.records += epoch.size() - epoch.moments.size();
  changed_ = true;
  constexpr size_t kDurationsKept = 512;
  const double seconds = std::chrono::duration<double>(took).count();
  if (epoch_seconds_.size() < kDurationsKept) {
    epoch_seconds_.push_back(seconds);
  } else {
    epoch_seconds_[epochs_ % kDurationsKept] = seconds;
  }
  ++epochs_;
  if (epoch.size() < kTurnRecordsLeast) return;
  const double cost = seconds / static_cast<double>(epoch.size());
  record_seconds_ = record_seconds_ == 0 ? cost : 0.8 * record_seconds_ + 0.2 * cost;
}

}  // namespace kappa::runtime
