#include "state/store.h"

#include <map>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"

namespace kappa::state {

void WriteBatch::put(std::string key, std::string value) {
  bytes_ += key.size() + value.size();
  changes_.push_back({Change::Kind::kPut, std::move(key), std::move(value)});
}

void WriteBatch::erase(std::string key) {
  bytes_ += key.size();
  changes_.push_back({Change::Kind::kErase, std::move(key), {}});
}

void WriteBatch::erase_range(std::string from, std::string to) {
  bytes_ += from.size() + to.size();
  changes_.push_back({Change::Kind::kEraseRange, std::move(from), std::move(to)});
}

namespace {

class MemoryStore final : public StateStore {
 public:
  absl::Status write(const WriteBatch& batch, bool /*sync*/) override {
    const std::lock_guard lock(mutex_);
    for (const WriteBatch::Change& change : batch.changes()) {
      switch (change.kind) {
        case WriteBatch::Change::Kind::kPut:
          rows_[change.key] = change.value;
          break;
        case WriteBatch::Change::Kind::kErase:
          rows_.erase(change.key);
          break;
        case WriteBatch::Change::Kind::kEraseRange:
          if (change.key < change.value) {
            rows_.erase(rows_.lower_bound(change.key), rows_.lower_bound(change.value));
          }
          break;
      }
    }
    return absl::OkStatus();
  }

  absl::Status add_run(std::span<const Entry> entries) override {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, value] : entries) rows_[key] = value;
    return absl::OkStatus();
  }

  absl::Status drop_run(std::string_view first, std::string_view last) override {
    const std::lock_guard lock(mutex_);
    rows_.erase(rows_.lower_bound(first), rows_.upper_bound(last));
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> get(std::string_view key) const override {
    const std::lock_guard lock(mutex_);
    const auto found = rows_.find(key);
    if (found == rows_.end()) return absl::NotFoundError("no such key in the store");
    return found->second;
  }

  // Of the rows as they were when it began, as RocksDB scans: `visit` may write.
  absl::Status scan(std::string_view from, std::string_view to,
                    const std::function<bool(std::string_view key, std::string_view value)>& visit)
      const override {
    std::vector<std::pair<std::string, std::string>> found;
    if (from < to) {
      const std::lock_guard lock(mutex_);
      found.assign(rows_.lower_bound(from), rows_.lower_bound(to));
    }
    for (const auto& [key, value] : found) {
      if (!visit(key, value)) break;
    }
    return absl::OkStatus();
  }

  size_t bytes_on_disk() const override { return 0; }
  absl::Status copy_to(const std::string& /*directory*/) const override {
    return absl::UnimplementedError("a store in memory has no files to copy");
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> rows_;
};

}  // namespace

std::unique_ptr<StateStore> make_memory_store() {
  return std::make_unique<MemoryStore>();
}

}  // namespace kappa::state
