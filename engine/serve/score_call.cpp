#include "engine/serve/score_call.h"

#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/serve/api_error.h"
#include "engine/serve/wire.h"
#include "engine/types/status_macros.h"
#include "kappa/v1/fraud.pb.h"

namespace kappa::serve {
namespace {

using runtime::ViewReader;

std::vector<Row> key_of(const std::string& id) {
  return {{Value::text(id)}};
}

// Errors after which the transaction is in the log all the same say so.
absl::Status taken_in(const absl::Status& status) {
  absl::Status said(status.code(), absl::StrCat(status.message(),
                                                "; the transaction has been taken in: call again "
                                                "with its id, or ask GetScore"));
  return with_reason(std::move(said), "TRANSACTION_TAKEN_IN");
}

absl::Status no_decision(const std::string& id) {
  return with_reason(
      absl::FailedPreconditionError(absl::StrCat(
          "transaction ", id,
          " was applied, and the product has made no decision of it; its dead letters say why")),
      "NO_DECISION");
}

}  // namespace

void ScoreCall::Waiting::add(const Ref& call) {
  std::lock_guard lock(mutex_);
  calls_[call.get()] = call;
}

void ScoreCall::Waiting::remove(const ScoreCall* call) {
  std::lock_guard lock(mutex_);
  calls_.erase(call);
}

std::vector<ScoreCall::Ref> ScoreCall::Waiting::all() {
  std::vector<Ref> calls;
  std::lock_guard lock(mutex_);
  for (const auto& [address, weak] : calls_) {
    if (Ref call = weak.lock()) calls.push_back(std::move(call));
  }
  return calls;
}

void ScoreCall::Shared::products_set() {
  contracts.forget();
  for (const Ref& call : waiting.all()) {
    backend.short_tasks.submit([call] { call->retry(); });
  }
}

ScoreCall::ScoreCall(std::shared_ptr<Shared> shared, UnaryCall::Ref call,
                     const v1::ScoreRequest& request, v1::ScoreResponse* response,
                     runtime::Deadline deadline, const Pseudonyms* pseudonyms)
    : shared_(std::move(shared)),
      call_(std::move(call)),
      response_(response),
      deadline_(deadline),
      pseudonyms_(pseudonyms),
      wants_sync_(request.durability() == v1::DURABILITY_SYNCED),
      request_(std::make_unique<v1::ScoreRequest>(request)) {}

ScoreCall::~ScoreCall() {
  shared_->waiting.remove(this);
}

absl::Status ScoreCall::start(const std::string& product) {
  product_ = product;
  KAPPA_ASSIGN_OR_RETURN(FraudContractRef contract, shared_->contracts.find(product_));
  KAPPA_ASSIGN_OR_RETURN(payload_, contract->payload(request_->transaction()));
  topic_ = contract->transactions->topic;
  KAPPA_RETURN_IF_ERROR(check_payload());
  contract->reader().get(
      contract->decisions, key_of(request_->transaction().transaction_id()),
      [self = shared_from_this(), contract](absl::StatusOr<ViewReader::Rows> rows) {
        if (self->call_->ended()) return;
        if (!rows.ok()) return self->call_->finish(rows.status());
        if (rows->rows[0]) return self->answer(contract, *std::move(rows), true);
        self->append();
      });
  return absl::OkStatus();
}

void ScoreCall::append() {
  shared_->backend.appends.append(
      topic_, request_->transaction().card_id(), payload_,
      [self = shared_from_this()](const absl::StatusOr<log::AppendedAt>& at) {
        self->appended(at);
      });
}

absl::Status ScoreCall::check_payload() const {
  const std::string padded = payload_ + std::string(kRecordPadding, '\0');
  RecordView view;
  view.value = padded.data();
  view.value_size = static_cast<uint32_t>(payload_.size());
  KAPPA_ASSIGN_OR_RETURN(const std::vector<ContractViolation> violations,
                         shared_->check.check(topic_, {&view, 1}));
  if (violations.empty()) return absl::OkStatus();
  return invalid_field("transaction", absl::StrCat("product ", violations.front().product, ": ",
                                                   violations.front().reason));
}

void ScoreCall::appended(const absl::StatusOr<log::AppendedAt>& at) {
  if (!at.ok()) return call_->finish(at.status());
  if (call_->ended()) return;
  {
    std::lock_guard lock(mutex_);
    at_ = *at;
    synced_ = !wants_sync_;
  }
  if (wants_sync_) {
    shared_->backend.syncs.after_sync(
        [self = shared_from_this()](const absl::Status& status) { self->synced(status); });
  }
  shared_->waiting.add(shared_from_this());
  wait_applied();
}

void ScoreCall::retry() {
  if (!call_->ended()) wait_applied();
}

void ScoreCall::wait_applied() {
  // Numbered before the look at what is live, so that the last attempt has the last look.
  uint64_t attempt = 0;
  ViewReader::After after{{topic_, 0}, Offset(), deadline_};
  {
    std::lock_guard lock(mutex_);
    attempt = ++attempt_;
    after.partition.partition = at_->partition;
    after.offset = at_->offset;
  }
  const absl::StatusOr<FraudContractRef> contract = shared_->contracts.find(product_);
  if (!contract.ok()) return fail(contract.status());
  (*contract)->reader().get_after(std::move(after), (*contract)->decisions,
                                  key_of(request_->transaction().transaction_id()),
                                  [self = shared_from_this(), attempt,
                                   contract = *contract](absl::StatusOr<ViewReader::Rows> rows) {
                                    self->applied(attempt, contract, std::move(rows));
                                  });
}

bool ScoreCall::is_current(uint64_t attempt) {
  if (call_->ended()) return false;
  std::lock_guard lock(mutex_);
  return attempt == attempt_;
}

// On the pipeline's thread, as all that follows.
void ScoreCall::applied(uint64_t attempt, const FraudContractRef& contract,
                        absl::StatusOr<ViewReader::Rows> rows) {
  if (!is_current(attempt)) return;
  if (!rows.ok()) return fail(rows.status());
  if (!rows->rows[0]) return read_rejection(attempt, contract);
  decided(contract, *std::move(rows));
}

void ScoreCall::read_rejection(uint64_t attempt, const FraudContractRef& contract) {
  contract->reader().get(
      contract->rejected, key_of(request_->transaction().transaction_id()),
      [self = shared_from_this(), attempt, contract](const absl::StatusOr<ViewReader::Rows>& rows) {
        if (!self->is_current(attempt)) return;
        self->rejected(rows, contract->rejected_reason);
      });
}

void ScoreCall::rejected(const absl::StatusOr<ViewReader::Rows>& rows, size_t reason) {
  if (!rows.ok()) return fail(rows.status());
  const std::string& id = request_->transaction().transaction_id();
  if (!rows->rows[0]) return call_->finish(no_decision(id));
  const Value& why = (*rows->rows[0])[reason];
  const std::string text = why.is_null() ? "unknown" : to_text(why);
  call_->finish(with_reason(absl::InvalidArgumentError(absl::StrCat(
                                "transaction ", id, " was rejected: ", valid_utf8(text))),
                            "TRANSACTION_REJECTED", {{"reason", text}}));
}

// Answers, unless the disk is still to be waited for.
void ScoreCall::decided(const FraudContractRef& contract, ViewReader::Rows rows) {
  {
    std::lock_guard lock(mutex_);
    if (!synced_) {
      decided_by_ = contract;
      decision_ = std::move(rows);
      return;
    }
  }
  answer(contract, std::move(rows), /*duplicate=*/false);
}

void ScoreCall::synced(const absl::Status& status) {
  if (call_->ended()) return;
  if (!status.ok()) return fail(status);
  FraudContractRef contract;
  {
    std::lock_guard lock(mutex_);
    synced_ = true;
    contract = decided_by_;
  }
  if (contract) answer(contract, std::move(decision_), /*duplicate=*/false);
}

// A decision has many features: written away from the pipeline's thread.
void ScoreCall::answer(const FraudContractRef& contract, ViewReader::Rows rows, bool duplicate) {
  auto kept = std::make_shared<const ViewReader::Rows>(std::move(rows));
  shared_->backend.short_tasks.submit([self = shared_from_this(), contract, kept, duplicate] {
    self->call_->answer([&] {
      to_wire(kept->stamp, self->response_->mutable_stamp());
      contract->columns.write(*kept->rows[0], self->pseudonyms_,
                              self->response_->mutable_decision());
      self->response_->set_duplicate(duplicate);
      return absl::OkStatus();
    });
  });
}

void ScoreCall::fail(const absl::Status& status) {
  call_->finish(taken_in(status));
}

}  // namespace kappa::serve
