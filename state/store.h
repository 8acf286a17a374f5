#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace kappa::state {

// Puts and deletes that take effect together or not at all, in order.
class WriteBatch {
 public:
  void put(std::string key, std::string value);
  void erase(std::string key);
  // All keys in [from, to).
  void erase_range(std::string from, std::string to);
  size_t bytes() const { return bytes_; }

  struct Change {
    enum class Kind : uint8_t { kPut, kErase, kEraseRange } kind;
    std::string key;
    std::string value;  // or the end of the range
  };
  const std::vector<Change>& changes() const { return changes_; }

 private:
  std::vector<Change> changes_;
  size_t bytes_ = 0;
};

// The port to durable key-value storage, ordered by key bytes. Implementations: RocksDB, in memory.
// Thread-safe. Any I/O error leaves the store refusing writes (Unavailable or ResourceExhausted).
class StateStore {
 public:
  virtual ~StateStore() = default;
  // Durable on return if `sync`.
  virtual absl::Status write(const WriteBatch& batch, bool sync) = 0;
  // Adds much at once: entries ascending by key, at least one, where no key from the first to the
  // last was ever put or erased. They are written once, and never again for what comes and goes
  // around them. Durable on return. It is no part of any batch: what makes the entries count is
  // written afterwards, and if that never comes they are there all the same.
  using Entry = std::pair<std::string, std::string>;
  virtual absl::Status add_run(std::span<const Entry> entries) = 0;
  // Takes back the room of a run at once, whose first and last key these are. Its keys may be there
  // afterwards or not: who wants them gone erases them as well.
  virtual absl::Status drop_run(std::string_view first, std::string_view last) = 0;
  virtual absl::StatusOr<std::string> get(std::string_view key) const = 0;  // NotFound
  // Calls `visit` for each key in [from, to) in order until it returns false.
  virtual absl::Status scan(
      std::string_view from, std::string_view to,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) const = 0;
  virtual size_t bytes_on_disk() const = 0;
  // Makes a store of its own of all that was written, in a directory that is not there yet. Files
  // that will not change are shared (hard links), so it costs little on the same file system.
  // Unimplemented: this store has no files.
  virtual absl::Status copy_to(const std::string& directory) const = 0;
};

// Makes the directory if need be. DataLoss: what is there is damaged.
absl::StatusOr<std::unique_ptr<StateStore>> open_rocksdb_store(const std::string& directory);
std::unique_ptr<StateStore> make_memory_store();

// The memory that all RocksDB stores of the process share, for cached blocks and write buffers;
// 256 MiB until it is set. Any thread, any time.
void set_storage_budget(size_t bytes);

}  // namespace kappa::state
