#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/serve/generations.h"
#include "replay/generation.h"
#include "replay/progress.h"
#include "state/data_directory.h"

namespace kappa::replay {

struct GenerationsOptions {
  // Makes what the catalogue says of the product durable, in one write.
  std::function<absl::Status(const state::ProductInfo&)> save;
  // Called once a swap is durable: whoever reads from now on reads this one. The old one is kept
  // open until nobody holds it any more.
  std::function<void(const std::shared_ptr<Generation>&)> on_live;
};

// The generations of a product: the live one, and those that follow it.
//
//   open ─► opened ─start()─► running ─stop()─► stopped
//
// What is durable of them is the catalogue's; this keeps the pipelines as it says. Operations
// (GenerationControl) come one at a time, under `operation_`; a thread of its own samples progress,
// finds who is ready, and closes what nobody needs any longer. Thread-safe once it runs.
class Generations final : public serve::GenerationControl {
 public:
  // Opens the live one, and unless `live_only` those that follow. A follower that cannot be opened
  // is told in its status; it harms nobody else.
  static absl::StatusOr<std::unique_ptr<Generations>> open(Surroundings surroundings,
                                                           state::ProductInfo info,
                                                           GenerationsOptions options,
                                                           bool live_only);
  ~Generations() override;

  absl::Status start();
  // Lets what is compared or waited for end soon, and begins nothing more: before stop(), so that
  // nobody waits for it.
  void interrupt() { interrupted_ = true; }
  // Ends every pipeline after its present epoch, with a checkpoint: how the live one ended.
  absl::Status stop();

  std::shared_ptr<Generation> live() const;

  std::vector<serve::GenerationStatus> generations() override;
  absl::StatusOr<uint32_t> start_replay(const serve::ReplayRequest& request) override;
  absl::Status pause_replay(uint32_t generation) override;
  absl::Status resume_replay(uint32_t generation,
                             std::optional<serve::ReplayBudget> budget) override;
  absl::Status cancel_replay(uint32_t generation) override;
  absl::StatusOr<serve::Comparison> compare(uint32_t generation, size_t samples_max,
                                            runtime::Deadline deadline) override;
  absl::StatusOr<serve::SwapReport> swap(const serve::SwapRequest& request,
                                         runtime::Deadline deadline) override;
  absl::StatusOr<serve::SwapReport> roll_back(bool keep_following,
                                              runtime::Deadline deadline) override;
  absl::StatusOr<std::vector<uint32_t>> drop_retired(size_t keep) override;

 private:
  // One that is open, as it was last seen.
  struct Running {
    std::shared_ptr<Generation> generation;
    Progress progress;
    std::optional<runtime::PipelineStats> stats;
  };
  using Operation = std::unique_lock<std::timed_mutex>;

  Generations(Surroundings surroundings, state::ProductInfo info, GenerationsOptions options)
      : surroundings_(std::move(surroundings)),
        options_(std::move(options)),
        info_(std::move(info)) {}

  // Aborted: another one still runs after that time. Unavailable: it is interrupted. What a swap
  // has left to do is done first.
  absl::StatusOr<Operation> begin_operation(std::chrono::milliseconds patience);

  // Asking and changing what the catalogue says.
  state::ProductInfo info() const;
  absl::Status change(const std::function<void(state::ProductInfo&)>& edit);
  // The one that replays or is ready, by its number or, with 0, because it is the only one.
  absl::StatusOr<state::GenerationInfo> find_replay(uint32_t generation) const;

  // Pipelines.
  absl::StatusOr<std::shared_ptr<Generation>> running(uint32_t generation) const;
  absl::StatusOr<std::shared_ptr<Generation>> follow(const state::GenerationInfo& info);
  void keep(std::shared_ptr<Generation> generation);
  void forget(uint32_t generation);
  absl::Status drop(uint32_t generation);

  absl::StatusOr<serve::Comparison> compare_with_live(Generation& other, size_t samples_max,
                                                      runtime::Deadline deadline);
  absl::Status require_equal(Generation& other, const std::vector<std::string>& views,
                             runtime::Deadline deadline);
  absl::StatusOr<serve::SwapReport> swap_in(const std::shared_ptr<Generation>& to,
                                            bool keep_following, runtime::Deadline deadline);
  absl::Status wait_until_near(uint32_t generation, runtime::Deadline deadline);

  // Topics that hold relations by key (handover.h). FailedPrecondition: they could not be handed
  // over.
  absl::Status check_handover(const operators::Plan& plan, const schemas::ProductFiles& protos,
                              const FileTexts& files) const;
  // Lets `to` say in what it differs from `from`, if the catalogue asks for it. Both stand at the
  // place of their swap.
  absl::Status hand_over(Generation& from, Generation& to);
  absl::Status hand_over(Generation& from, Generation& to, const state::Handover& pending);
  // Does it for a swap that has ended before that, under `operation_`, and concludes the swap.
  absl::Status finish_handover();

  // The watcher's.
  void watch();
  void look();
  void pause_what_grows_too_large();
  void tell_followers(const std::vector<std::shared_ptr<Generation>>& all);
  bool is_near(uint32_t generation) const;         // under mutex_
  double rate_reached(uint32_t generation) const;  // records a second; under mutex_
  void close_unneeded();
  absl::Status release_leader();  // under `operation_`

  absl::Status still_wanted() const;

  const Surroundings surroundings_;
  const GenerationsOptions options_;
  std::atomic<bool> interrupted_{false};
  std::timed_mutex operation_;
  mutable std::mutex mutex_;  // of what follows
  state::ProductInfo info_;
  std::map<uint32_t, Running> running_;
  std::map<uint32_t, absl::Status> failures_;  // of opening
  bool stopping_ = false;
  std::condition_variable stop_;
  std::thread watcher_;
};

}  // namespace kappa::replay
