#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/runtime/reads.h"

namespace kappa::serve {

// A snapshot that asks before each slice of rows whether they are still wanted: OK, or the reason
// to stop. `still_wanted` outlives it.
std::unique_ptr<runtime::Snapshot> cancellable(std::unique_ptr<runtime::Snapshot> snapshot,
                                               const std::function<absl::Status()>& still_wanted);

// A ViewReader that asks, before each slice of rows, whether the answer is still wanted. So a query
// whose caller has gone away ends within one slice. Used by one thread at a time.
class CancellableReader final : public runtime::ViewReader {
 public:
  // `still_wanted` is OK, or the reason to stop. Both outlive this reader and its snapshots.
  CancellableReader(runtime::ViewReader& reader, std::function<absl::Status()> still_wanted);

  const operators::Plan& plan() const override { return reader_.plan(); }
  void get(operators::NodeId view, std::vector<Row> keys,
           std::function<void(absl::StatusOr<Rows>)> done) override;
  void get_after(After after, operators::NodeId view, std::vector<Row> keys,
                 std::function<void(absl::StatusOr<Rows>)> done) override;
  void stamp_now(std::vector<operators::NodeId> nodes,
                 std::function<void(absl::StatusOr<runtime::Stamp>)> done) override;
  absl::StatusOr<std::unique_ptr<runtime::Snapshot>> pin(std::vector<operators::NodeId> views,
                                                         runtime::Deadline deadline) override;

 private:
  runtime::ViewReader& reader_;
  std::function<absl::Status()> still_wanted_;
};

}  // namespace kappa::serve
