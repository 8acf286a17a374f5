#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "absl/strings/str_cat.h"
#include "engine/serve/api_error.h"
#include "engine/serve/backend.h"
#include "engine/serve/decision_wire.h"
#include "engine/serve/fraud_contract.h"
#include "engine/serve/score_call.h"
#include "engine/serve/subscription_reactor.h"
#include "engine/serve/unary_call.h"
#include "engine/serve/wire.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"
#include "kappa/v1/fraud.grpc.pb.h"

namespace kappa::serve {
namespace {

using runtime::ViewReader;

constexpr const char* kAlerts = "fraud_alerts";

absl::Status none_of(std::string_view what, const std::string& id) {
  return with_reason(absl::NotFoundError(
                         absl::StrCat("there is no decision on ", to_absl(what), " ", excerpt(id))),
                     "NO_DECISION");
}

// A GetScore: of a card or a customer, the transaction first.
class ScoreRead : public std::enable_shared_from_this<ScoreRead> {
 public:
  ScoreRead(UnaryCall::Ref call, FraudContractRef contract, const Pseudonyms* pseudonyms,
            v1::GetScoreResponse* response)
      : call_(std::move(call)),
        contract_(std::move(contract)),
        pseudonyms_(pseudonyms),
        response_(response) {}

  absl::Status start(const v1::GetScoreRequest& request) {
    switch (request.subject_case()) {
      case v1::GetScoreRequest::kTransactionId:
        read_decision("transaction", request.transaction_id(), request.transaction_id());
        return absl::OkStatus();
      case v1::GetScoreRequest::kCardId:
        read_latest("card", request.card_id(), contract_->by_card);
        return absl::OkStatus();
      case v1::GetScoreRequest::kCustomerId:
        read_latest("customer", request.customer_id(), contract_->by_customer);
        return absl::OkStatus();
      case v1::GetScoreRequest::SUBJECT_NOT_SET:
        break;
    }
    return invalid_field("subject", "expected a transaction_id, a card_id or a customer_id");
  }

 private:
  void read_latest(const char* what, const std::string& id, const FraudContract::Latest& latest) {
    contract_->reader().get(latest.view, {{Value::text(id)}},
                            [self = shared_from_this(), what, id, column = latest.transaction_id](
                                const absl::StatusOr<ViewReader::Rows>& rows) {
                              if (self->call_->ended()) return;
                              if (!rows.ok()) return self->call_->finish(rows.status());
                              const std::optional<Row>& row = rows->rows[0];
                              if (!row || (*row)[column].is_null())
                                return self->call_->finish(none_of(what, id));
                              self->read_decision(what, id, to_text((*row)[column]));
                            });
  }

  void read_decision(const char* what, const std::string& id, const std::string& transaction) {
    contract_->reader().get(
        contract_->decisions, {{Value::text(transaction)}},
        [self = shared_from_this(), what, id](const absl::StatusOr<ViewReader::Rows>& rows) {
          if (!rows.ok()) return self->call_->finish(rows.status());
          if (!rows->rows[0]) return self->call_->finish(none_of(what, id));
          self->answer(*rows);
        });
  }

  void answer(const ViewReader::Rows& rows) {
    call_->answer([&] {
      to_wire(rows.stamp, response_->mutable_stamp());
      contract_->columns.write(*rows.rows[0], pseudonyms_, response_->mutable_decision());
      return absl::OkStatus();
    });
  }

  const UnaryCall::Ref call_;
  const FraudContractRef contract_;
  const Pseudonyms* const pseudonyms_;
  v1::GetScoreResponse* const response_;
};

// Turns events of the output into alerts.
class AlertWriter {
 public:
  explicit AlertWriter(const Pseudonyms* pseudonyms) : pseudonyms_(pseudonyms) {}

  absl::Status write(const v1::SubscribeResponse& event, v1::StreamAlertsResponse* out) {
    out->set_resume_token(event.resume_token());
    switch (event.event_case()) {
      case v1::SubscribeResponse::kHeader:
        out->mutable_begin()->set_generation(event.header().generation());
        return take_columns(event.header());
      case v1::SubscribeResponse::kChange:
        columns_->write(event.change().row(), pseudonyms_, out->mutable_alert());
        break;
      case v1::SubscribeResponse::kHeartbeat:
        *out->mutable_heartbeat() = event.heartbeat();
        break;
      case v1::SubscribeResponse::kLagged:
        *out->mutable_lagged() = event.lagged();
        break;
      case v1::SubscribeResponse::kGenerationChanged:
        *out->mutable_generation_changed() = event.generation_changed();
        break;
      case v1::SubscribeResponse::kUnreadable:
        *out->mutable_unreadable() = event.unreadable();
        break;
      case v1::SubscribeResponse::EVENT_NOT_SET:
        break;
    }
    return absl::OkStatus();
  }

 private:
  absl::Status take_columns(const v1::OutputHeader& header) {
    if (header.upsert()) {
      return absl::FailedPreconditionError(
          absl::StrCat("output ", kAlerts, " of product ", header.product(),
                       " is of mode 'upsert', and alerts are never taken back"));
    }
    std::vector<std::string> names;
    for (const v1::Column& column : header.columns()) names.push_back(column.name());
    KAPPA_ASSIGN_OR_RETURN(
        columns_,
        DecisionColumns::find(absl::StrCat("output ", kAlerts, " of product ", header.product()),
                              std::move(names), alert_columns()));
    return absl::OkStatus();
  }

  const Pseudonyms* const pseudonyms_;
  std::optional<DecisionColumns> columns_;  // of the last header
};

class FraudService final : public v1::FraudService::CallbackService {
 public:
  explicit FraudService(const Backend& backend)
      : backend_(backend), shared_(std::make_shared<ScoreCall::Shared>(backend)) {
    products_set_ = backend.products.on_set([shared = shared_] { shared->products_set(); });
  }

  grpc::ServerUnaryReactor* GetScore(grpc::CallbackServerContext* context,
                                     const v1::GetScoreRequest* request,
                                     v1::GetScoreResponse* response) override {
    UnaryCall::Ref call = UnaryCall::start(backend_.metrics, Method::kGetScore, context);
    const absl::Status status = get_score(call, *context, *request, response);
    if (!status.ok()) call->finish(status);
    return call->reactor();
  }

  grpc::ServerUnaryReactor* Score(grpc::CallbackServerContext* context,
                                  const v1::ScoreRequest* request,
                                  v1::ScoreResponse* response) override {
    UnaryCall::Ref call = UnaryCall::start(backend_.metrics, Method::kScore, context);
    const absl::Status status = score(call, *context, *request, response);
    if (!status.ok()) call->finish(status);
    return call->reactor();
  }

  grpc::ServerWriteReactor<v1::StreamAlertsResponse>* StreamAlerts(
      grpc::CallbackServerContext* context, const v1::StreamAlertsRequest* request) override {
    const std::string product = backend_.products.name_for(request->product());
    auto writer = std::make_shared<AlertWriter>(pseudonyms_for(*context, product));
    const bool from_beginning = request->from() == v1::SUBSCRIBE_FROM_BEGINNING;
    return start_subscription<v1::StreamAlertsResponse>(
        backend_, *context,
        {Method::kStreamAlerts, request->product(), kAlerts, request->resume_token(),
         from_beginning, request->heartbeat_ms()},
        [writer](const v1::SubscribeResponse& event, v1::StreamAlertsResponse* out) {
          return writer->write(event, out);
        });
  }

 private:
  // Null: this caller gets raw ids.
  const Pseudonyms* pseudonyms_for(const grpc::ServerContextBase& context,
                                   const std::string& product) const {
    return backend_.gate.may_see_raw_ids(context, product) ? nullptr : &backend_.pseudonyms;
  }

  absl::Status get_score(const UnaryCall::Ref& call, const grpc::ServerContextBase& context,
                         const v1::GetScoreRequest& request, v1::GetScoreResponse* response) {
    const std::string product = backend_.products.name_for(request.product());
    KAPPA_RETURN_IF_ERROR(
        backend_.gate.admit(context, Method::kGetScore, Right::kServices, product));
    KAPPA_ASSIGN_OR_RETURN(FraudContractRef contract, shared_->contracts.find(product));
    return std::make_shared<ScoreRead>(call, std::move(contract), pseudonyms_for(context, product),
                                       response)
        ->start(request);
  }

  absl::Status score(const UnaryCall::Ref& call, const grpc::ServerContextBase& context,
                     const v1::ScoreRequest& request, v1::ScoreResponse* response) {
    const std::string product = backend_.products.name_for(request.product());
    KAPPA_RETURN_IF_ERROR(backend_.gate.admit(context, Method::kScore, Right::kIngest, ""));
    KAPPA_RETURN_IF_ERROR(backend_.gate.admit(context, Method::kScore, Right::kServices, product));
    if (!v1::Durability_IsValid(request.durability())) {
      return invalid_field("durability", "expected DURABILITY_WRITTEN or DURABILITY_SYNCED");
    }
    return std::make_shared<ScoreCall>(shared_, call, request, response,
                                       deadline_of(context, backend_.limits.score_ms_max),
                                       pseudonyms_for(context, product))
        ->start(product);
  }

  const Backend& backend_;
  const std::shared_ptr<ScoreCall::Shared> shared_;
  std::shared_ptr<void> products_set_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_fraud_service(const Backend& backend) {
  return std::make_unique<FraudService>(backend);
}

}  // namespace kappa::serve
