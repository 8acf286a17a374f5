#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "engine/serve/generations.h"

namespace kappa::serve {

// Generations that a test moves by hand: 1 is live, 2 is what was started last. Thread-safe.
class FakeGenerations final : public GenerationControl {
 public:
  FakeGenerations();

  // What is answered from now on. `answer`: instead of doing anything.
  void set(std::vector<GenerationStatus> generations);
  void fail_with(absl::Status answer);
  void set_comparison(Comparison comparison);
  // What compare(), swap() and roll_back() do with their deadline before they succeed.
  void set_long_work(std::function<absl::Status(runtime::Deadline)> work);
  // What was asked, a line each: "swap 2 require a,b keep".
  std::vector<std::string> asked() const;
  std::map<std::string, std::string> files() const;

  std::vector<GenerationStatus> generations() override;
  absl::StatusOr<uint32_t> start_replay(const ReplayRequest& request) override;
  absl::Status pause_replay(uint32_t generation) override;
  absl::Status resume_replay(uint32_t generation, std::optional<ReplayBudget> budget) override;
  absl::Status cancel_replay(uint32_t generation) override;
  absl::StatusOr<Comparison> compare(uint32_t generation, size_t samples_max,
                                     runtime::Deadline deadline) override;
  absl::StatusOr<SwapReport> swap(const SwapRequest& request, runtime::Deadline deadline) override;
  absl::StatusOr<SwapReport> roll_back(bool keep_following, runtime::Deadline deadline) override;
  absl::StatusOr<std::vector<uint32_t>> drop_retired(size_t keep) override;

 private:
  // Notes the request; gives back what it is to fail with.
  absl::Status ask(const std::string& line);
  absl::Status find(uint32_t generation) const;
  absl::Status work_long(runtime::Deadline deadline);

  mutable std::mutex mutex_;
  std::vector<GenerationStatus> generations_;
  absl::Status failure_;
  Comparison comparison_;
  std::function<absl::Status(runtime::Deadline)> long_work_;
  std::vector<std::string> asked_;
  std::map<std::string, std::string> files_;
};

// A generation that has worked through a quarter of its records, a thousand a second.
GenerationStatus replaying_generation(uint32_t id);
GenerationStatus live_generation(uint32_t id);
// A view that is equal, one with every kind of difference, and one that cannot be compared.
Comparison example_comparison();

}  // namespace kappa::serve
