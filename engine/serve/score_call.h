#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/serve/backend.h"
#include "engine/serve/contract_check.h"
#include "engine/serve/fraud_contract.h"
#include "engine/serve/unary_call.h"

namespace kappa::v1 {
class ScoreRequest;
class ScoreResponse;
}  // namespace kappa::v1

namespace kappa::serve {

// A transaction between its arrival and the decision on it:
//
//   start ─► looked up ──there already──► answered
//                └──not there──► appended ─► parked until applied ─► read ─► answered
//                                               ▲                     └─rejected, none─► failed
//                                               └── again, if another generation is live
//
// The pipeline's thread, the append group's and short tasks work on it, one after the other;
// retry() comes beside.
class ScoreCall : public std::enable_shared_from_this<ScoreCall> {
 public:
  using Ref = std::shared_ptr<ScoreCall>;

  // Calls that wait for their record, by number: told when another generation may be live.
  class Waiting {
   public:
    void add(const Ref& call);
    void remove(const ScoreCall* call);
    std::vector<Ref> all();

   private:
    std::mutex mutex_;
    std::map<const ScoreCall*, std::weak_ptr<ScoreCall>> calls_;
  };

  // What calls share. The backend outlives whatever works for a call.
  struct Shared {
    explicit Shared(const Backend& its_backend)
        : backend(its_backend), contracts(&backend.products), check(&backend.products) {}
    // A product was set: another generation may be live.
    void products_set();

    const Backend& backend;
    FraudContracts contracts;
    ContractCheck check;
    Waiting waiting;
  };

  // `pseudonyms` as of DecisionColumns::write().
  ScoreCall(std::shared_ptr<Shared> shared, UnaryCall::Ref call, const v1::ScoreRequest& request,
            v1::ScoreResponse* response, runtime::Deadline deadline, const Pseudonyms* pseudonyms);
  ~ScoreCall();

  // An error: it has not begun.
  absl::Status start(const std::string& product);
  // Waits for the record in the generation that is live now.
  void retry();

 private:
  void append();
  absl::Status check_payload() const;
  void appended(const absl::StatusOr<log::AppendedAt>& at);
  void wait_applied();
  void applied(uint64_t attempt, const FraudContractRef& contract,
               absl::StatusOr<runtime::ViewReader::Rows> rows);
  bool is_current(uint64_t attempt);
  void read_rejection(uint64_t attempt, const FraudContractRef& contract);
  void rejected(const absl::StatusOr<runtime::ViewReader::Rows>& rows, size_t reason);
  void decided(const FraudContractRef& contract, runtime::ViewReader::Rows rows);
  void synced(const absl::Status& status);
  void answer(const FraudContractRef& contract, runtime::ViewReader::Rows rows, bool duplicate);
  void fail(const absl::Status& status);

  const std::shared_ptr<Shared> shared_;
  const UnaryCall::Ref call_;
  v1::ScoreResponse* const response_;  // until the call has ended
  const runtime::Deadline deadline_;
  const Pseudonyms* const pseudonyms_;
  const bool wants_sync_;
  std::string product_;
  const std::unique_ptr<const v1::ScoreRequest> request_;
  std::string topic_;
  std::string payload_;

  std::mutex mutex_;
  uint64_t attempt_ = 0;  // what earlier ones say counts no longer
  std::optional<log::AppendedAt> at_;
  bool synced_ = false;
  FraudContractRef decided_by_;  // with `decision_`, if syncing takes longer
  runtime::ViewReader::Rows decision_;
};

}  // namespace kappa::serve
