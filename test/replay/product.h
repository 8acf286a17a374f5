#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "engine/log/header_outbox.h"
#include "replay/generations.h"
#include "state/data_directory.h"
#include "test/replay/shop.h"

namespace kappa::replay {

// The shop as a product of a data directory, with its catalogue: as the binary puts it together.
class ShopProduct {
 public:
  // Takes the directory up where it is: makes the product of `sql` if it is not there.
  explicit ShopProduct(const std::string& directory, const std::string& sql = kShortWindows,
                       std::optional<int64_t> retention_ms = std::nullopt);
  ~ShopProduct();

  // Closes everything as a crash would, and opens it again.
  void reopen();
  void close();
  Generations* operator->() { return generations_.get(); }
  // Whom readers read from.
  std::shared_ptr<Generation> served() const;
  serve::GenerationStatus status(uint32_t generation);
  std::string path(uint32_t generation) const;
  std::string journal() const;
  // Once it has started from `sql`. What does not change is not computed, unless nothing changes.
  uint32_t replay(const std::string& sql, const serve::ReplayBudget& budget = {});
  uint32_t replay(const serve::ReplayRequest& request);
  void wait_until_ready(uint32_t generation);
  // Until the live one, or another one, has applied all hits there are.
  void wait_until_applied();
  void wait_until_applied(uint32_t generation);

  Shop shop;
  // Counts down with each write of the catalogue; the one that makes it zero fails.
  std::atomic<int> save_fails_in{0};

 private:
  void open();

  std::string directory_;
  std::unique_ptr<state::DataDirectory> data_;
  state::Catalogue catalogue_;
  std::unique_ptr<log::HeaderOutbox> outbox_;
  mutable std::mutex mutex_;
  std::shared_ptr<Generation> served_;
  std::unique_ptr<Generations> generations_;
};

FileTexts files_of(const std::string& sql);

}  // namespace kappa::replay
