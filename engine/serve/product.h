#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/log/append_listeners.h"
#include "engine/runtime/pipeline.h"
#include "engine/runtime/reads.h"
#include "engine/serve/generations.h"
#include "schemas/decoder.h"

namespace kappa::serve {

// A data product as the server sees it. Everything in it may be called from any thread.
struct ServedProduct {
  std::string name;
  uint32_t generation = 1;
  // nullptr: the product is restoring and cannot be read yet. Outlives the server, or for as long
  // as somebody holds `owner`, if that is set.
  runtime::ViewReader* reader = nullptr;
  std::shared_ptr<void> owner;
  // For /metrics, readiness and Inspect. May be empty.
  std::function<runtime::PipelineStats()> stats;
  // The checksum of the canonical dump, for Inspect. May be empty: then it is refused.
  std::function<absl::StatusOr<std::string>()> checksum;
  // Applies everything that the log holds and then closes every window, for Complete. May be empty:
  // then it is refused.
  std::function<absl::Status(runtime::Deadline)> complete;
  // Its generations, for replays and swaps; outlives the server. nullptr: refused.
  GenerationControl* generations = nullptr;
  // The product's .proto files, for the contract check of appended records.
  schemas::ProductFiles files;
  // Why it cannot be served, if that is known before there is a pipeline to ask.
  absl::Status failure;
};

enum class ProductState : uint8_t { kRestoring, kRunning, kFailed };

// What a product is doing, and the reason if it failed.
struct ProductCondition {
  ProductState state;
  absl::Status failure;
};
ProductCondition condition_of(const ServedProduct& product);

// The products of a server. Thread-safe; what it hands out stays valid.
class Products {
 public:
  using Ref = std::shared_ptr<const ServedProduct>;

  // Names differ.
  explicit Products(std::vector<ServedProduct> products);

  // Replaces the product of that name, or adds one.
  void set(ServedProduct product);
  // `on_set` is called after each set(), from any thread; it must only wake someone. Returns a
  // handle whose destruction ends the subscription.
  std::shared_ptr<void> on_set(std::function<void()> callback);
  std::vector<Ref> all() const;
  // The name that a request means: the only product's if it names none; empty if that is unclear.
  std::string name_for(std::string_view requested) const;
  // The product of that name; with an empty name, the only one there is. NotFound names those that
  // there are; InvalidArgument: several, and none was named.
  absl::StatusOr<Ref> find(std::string_view name) const;
  // As find(), and it can be read: Unavailable while it is restoring, FailedPrecondition once
  // restoring has failed.
  absl::StatusOr<Ref> find_readable(std::string_view name) const;

 private:
  mutable std::mutex mutex_;
  std::vector<Ref> products_;
  log::AppendListeners listeners_;  // to set()
};

// A view that a request means.
struct ViewRef {
  Products::Ref product;
  operators::NodeId id;
  const operators::ViewNode* node;
  const operators::Schema* schema;

  runtime::ViewReader& reader() const { return *product->reader; }
  const operators::Field& key_column(size_t i) const {
    return (*schema)[static_cast<size_t>(node->key[i])];
  }
};
// NotFound names the nearest view there is.
absl::StatusOr<ViewRef> find_view(const Products& products, std::string_view product,
                                  std::string_view view);

}  // namespace kappa::serve
