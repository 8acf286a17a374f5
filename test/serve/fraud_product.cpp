#include "test/serve/fraud_product.h"

#include <chrono>
#include <utility>

#include <catch2/catch.hpp>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include "absl/strings/str_cat.h"
#include "engine/serve/api_error.h"

namespace kappa::serve {
namespace {

constexpr int64_t kNowMs = 1'714'557'600'000;

constexpr const char* kSql = R"(
CREATE FOREIGN TABLE transactions (
  transaction_id text, event_time timestamptz, card_id text, customer_id text, terminal_id text,
  amount numeric(12,2), currency text, country text, latitude double precision,
  PRIMARY KEY (transaction_id)
) SERVER log OPTIONS (topic 'transactions', format 'json', event_time 'event_time');

CREATE MATERIALIZED VIEW decisions AS
SELECT transaction_id, event_time, card_id, customer_id, terminal_id, amount, currency,
       CAST(amount AS double precision) / 1000 AS score,
       CASE WHEN amount >= 500 THEN 'decline' WHEN amount >= 100 THEN 'review' ELSE 'approve' END
         AS decision,
       CASE WHEN amount >= 100 THEN 'large_amount, watched' ELSE '' END AS reason_codes,
       CASE WHEN amount >= 500 THEN 'r1,r2' ELSE '' END AS rule_ids,
       CAST(0.5 AS numeric(6,2)) AS rule_weight, 'm1' AS model_version,
       count(*) OVER (PARTITION BY card_id ORDER BY event_time RANGE '1 hour' PRECEDING) AS sales_1h,
       latitude, 1 / (amount - 13) AS oddity
FROM transactions WHERE amount <> 0;

CREATE MATERIALIZED VIEW rejected_transactions WITH (key = 'transaction_id') AS
SELECT transaction_id, event_time, 'no_amount' AS reason FROM transactions WHERE amount = 0;

CREATE MATERIALIZED VIEW latest_by_card WITH (key = 'card_id') AS
SELECT card_id, transaction_id FROM transactions WHERE amount <> 0;
CREATE MATERIALIZED VIEW latest_by_customer WITH (key = 'customer_id') AS
SELECT customer_id, transaction_id FROM transactions WHERE amount <> 0;

CREATE FOREIGN TABLE fraud_alerts (
  transaction_id text, event_time timestamptz, card_id text, customer_id text,
  amount numeric(12,2), score double precision, decision text, reason_codes text, rule_ids text,
  model_version text
) SERVER log OPTIONS (topic 'fraud-alerts', format 'json');
INSERT INTO fraud_alerts
SELECT transaction_id, event_time, card_id, customer_id, amount,
       CAST(amount AS double precision) / 1000 AS score, 'decline' AS decision,
       'large_amount' AS reason_codes, 'r1' AS rule_ids, 'm1' AS model_version
FROM transactions WHERE amount >= 500;
)";

void prepare(grpc::ClientContext& context, const std::string& token, int64_t timeout_ms) {
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_ms));
  if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
}

}  // namespace

FraudProduct::FraudProduct(runtime::PipelineOptions pipeline_options)
    : product(kSql, std::move(pipeline_options)) {
  product.clock.set(LogTime{kNowMs});
  test::require_ok(product.log->create_topic("transactions", {.partitions = 2}));
  test::require_ok(product.log->create_topic("fraud-alerts", {.partitions = 1}));
  product.rows("decisions");  // opens it
}

FraudProduct::~FraudProduct() {
  server.reset();  // before what it reads
}

ServedProduct FraudProduct::served(uint32_t generation, runtime::ViewReader* reader) {
  ServedProduct served;
  served.name = "fraud";
  served.generation = generation;
  served.reader = reader != nullptr ? reader : product.pipeline.get();
  return served;
}

void FraudProduct::start() {
  test::require_ok(product->start());
  auto started = Server::start(options, {served()}, product.log.get());
  test::require_ok(started.status());
  server = *std::move(started);
}

std::unique_ptr<v1::FraudService::Stub> FraudProduct::stub() const {
  return v1::FraudService::NewStub(grpc::CreateChannel(absl::StrCat("127.0.0.1:", server->port()),
                                                       grpc::InsecureChannelCredentials()));
}

absl::StatusOr<v1::ScoreResponse> FraudProduct::score(const v1::ScoreRequest& request,
                                                      const std::string& token,
                                                      int64_t timeout_ms) const {
  grpc::ClientContext context;
  prepare(context, token, timeout_ms);
  v1::ScoreResponse response;
  const absl::Status status = from_grpc(stub()->Score(&context, request, &response));
  if (!status.ok()) return status;
  return response;
}

absl::StatusOr<v1::GetScoreResponse> FraudProduct::get_score(const v1::GetScoreRequest& request,
                                                             const std::string& token) const {
  grpc::ClientContext context;
  prepare(context, token, 60'000);
  v1::GetScoreResponse response;
  const absl::Status status = from_grpc(stub()->GetScore(&context, request, &response));
  if (!status.ok()) return status;
  return response;
}

v1::ScoreRequest purchase(const std::string& id, const std::string& amount) {
  v1::ScoreRequest request;
  v1::Transaction* transaction = request.mutable_transaction();
  transaction->set_transaction_id(id);
  transaction->set_event_time_us(kNowMs * 1000);
  transaction->set_card_id("card-1");
  transaction->set_customer_id("customer-1");
  transaction->set_amount(amount);
  return request;
}

void StuckReader::get_after(After, operators::NodeId, std::vector<Row>,
                            std::function<void(absl::StatusOr<Rows>)> done) {
  std::lock_guard lock(mutex_);
  stuck_.push_back(std::move(done));
}

size_t StuckReader::stuck() const {
  std::lock_guard lock(mutex_);
  return stuck_.size();
}

void StuckReader::drop(const absl::Status& why) {
  std::vector<std::function<void(absl::StatusOr<Rows>)>> dropped;
  {
    std::lock_guard lock(mutex_);
    dropped.swap(stuck_);
  }
  for (const auto& done : dropped) done(why);
}

}  // namespace kappa::serve
