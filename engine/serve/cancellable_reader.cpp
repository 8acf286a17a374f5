#include "engine/serve/cancellable_reader.h"

#include <utility>

#include "engine/types/status_macros.h"

namespace kappa::serve {
namespace {

class CancellableSnapshot final : public runtime::Snapshot {
 public:
  CancellableSnapshot(std::unique_ptr<Snapshot> snapshot,
                      const std::function<absl::Status()>& still_wanted)
      : snapshot_(std::move(snapshot)), still_wanted_(still_wanted) {}

  const runtime::Stamp& stamp() const override { return snapshot_->stamp(); }
  absl::StatusOr<Batch> next(operators::NodeId view, const std::vector<int>& columns,
                             Arena& arena) override {
    KAPPA_RETURN_IF_ERROR(still_wanted_());
    return snapshot_->next(view, columns, arena);
  }
  absl::Status rewind(operators::NodeId view) override {
    KAPPA_RETURN_IF_ERROR(still_wanted_());
    return snapshot_->rewind(view);
  }
  absl::StatusOr<std::optional<Row>> get(operators::NodeId view, const Row& key) override {
    KAPPA_RETURN_IF_ERROR(still_wanted_());
    return snapshot_->get(view, key);
  }
  absl::StatusOr<Waiting> waiting(operators::NodeId view) override {
    KAPPA_RETURN_IF_ERROR(still_wanted_());
    return snapshot_->waiting(view);
  }

 private:
  std::unique_ptr<Snapshot> snapshot_;
  const std::function<absl::Status()>& still_wanted_;
};

}  // namespace

std::unique_ptr<runtime::Snapshot> cancellable(std::unique_ptr<runtime::Snapshot> snapshot,
                                               const std::function<absl::Status()>& still_wanted) {
  return std::make_unique<CancellableSnapshot>(std::move(snapshot), still_wanted);
}

CancellableReader::CancellableReader(runtime::ViewReader& reader,
                                     std::function<absl::Status()> still_wanted)
    : reader_(reader), still_wanted_(std::move(still_wanted)) {}

void CancellableReader::get(operators::NodeId view, std::vector<Row> keys,
                            std::function<void(absl::StatusOr<Rows>)> done) {
  reader_.get(view, std::move(keys), std::move(done));
}

void CancellableReader::get_after(After after, operators::NodeId view, std::vector<Row> keys,
                                  std::function<void(absl::StatusOr<Rows>)> done) {
  reader_.get_after(std::move(after), view, std::move(keys), std::move(done));
}

void CancellableReader::stamp_now(std::vector<operators::NodeId> nodes,
                                  std::function<void(absl::StatusOr<runtime::Stamp>)> done) {
  reader_.stamp_now(std::move(nodes), std::move(done));
}

absl::StatusOr<std::unique_ptr<runtime::Snapshot>> CancellableReader::pin(
    std::vector<operators::NodeId> views, runtime::Deadline deadline) {
  KAPPA_RETURN_IF_ERROR(still_wanted_());
  KAPPA_ASSIGN_OR_RETURN(std::unique_ptr<runtime::Snapshot> snapshot,
                         reader_.pin(std::move(views), deadline));
  return cancellable(std::move(snapshot), still_wanted_);
}

}  // namespace kappa::serve
