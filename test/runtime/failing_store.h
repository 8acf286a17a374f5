#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "state/store.h"

namespace kappa::runtime {

// A store in memory whose writes fail from a chosen one on, as those of a full disk do. What was
// written before stays readable. One thread chooses, any may write.
class FailingStore final : public state::StateStore {
 public:
  FailingStore() : store_(state::make_memory_store()) {}

  void fail_after(int64_t writes) { writes_left_ = writes; }
  void heal() {
    writes_left_ = std::numeric_limits<int64_t>::max();
    failed_ = false;
  }
  bool failed() const { return failed_; }

  absl::Status write(const state::WriteBatch& batch, bool sync) override {
    if (writes_left_ <= 0) {
      failed_ = true;
      return absl::UnavailableError("the test's store is full");
    }
    --writes_left_;
    return store_->write(batch, sync);
  }
  absl::Status add_run(std::span<const Entry> entries) override {
    if (writes_left_ <= 0) {
      failed_ = true;
      return absl::UnavailableError("the test's store is full");
    }
    --writes_left_;
    return store_->add_run(entries);
  }
  absl::Status drop_run(std::string_view first, std::string_view last) override {
    return store_->drop_run(first, last);
  }
  absl::StatusOr<std::string> get(std::string_view key) const override { return store_->get(key); }
  absl::Status scan(std::string_view from, std::string_view to,
                    const std::function<bool(std::string_view key, std::string_view value)>& visit)
      const override {
    return store_->scan(from, to, visit);
  }
  size_t bytes_on_disk() const override { return store_->bytes_on_disk(); }
  absl::Status copy_to(const std::string& directory) const override {
    return store_->copy_to(directory);
  }

 private:
  std::unique_ptr<state::StateStore> store_;
  std::atomic<int64_t> writes_left_{std::numeric_limits<int64_t>::max()};
  std::atomic<bool> failed_{false};
};

}  // namespace kappa::runtime
