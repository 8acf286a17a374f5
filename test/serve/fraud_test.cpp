// FraudService, over a running pipeline.
#include <cmath>
#include <set>
#include <thread>

#include <catch2/catch.hpp>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <sys/stat.h>

#include "absl/strings/str_cat.h"
#include "engine/serve/api_error.h"
#include "engine/serve/pseudonyms.h"
#include "test/serve/fraud_product.h"

namespace kappa::serve {
namespace {

constexpr const char* kKey = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

std::string token_of(const char* domain, const std::string& id) {
  return Pseudonyms::parse("key", kKey)->token(domain, id);
}

bool contains(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

v1::GetScoreRequest of_transaction(const std::string& id) {
  v1::GetScoreRequest request;
  request.set_transaction_id(id);
  return request;
}

std::string text_of(const v1::Decision& decision) {
  std::string text =
      absl::StrCat(decision.transaction_id(), " ", v1::Verdict_Name(decision.verdict()), " ",
                   decision.amount(), " ", decision.score());
  for (const v1::Feature& feature : decision.features()) {
    absl::StrAppend(&text, " ", feature.name(), "=",
                    feature.has_value() ? absl::StrCat(feature.value()) : "NULL");
  }
  return text;
}

TEST_CASE("a transaction is answered with its decision, once it has been applied") {
  FraudProduct fraud;
  fraud.start();
  const auto first = fraud.score(purchase("t1", "50.00"));
  INFO(first.status().ToString());
  REQUIRE(first.ok());
  CHECK_FALSE(first->duplicate());
  CHECK(first->stamp().generation() == 1);
  CHECK(contains(text_of(first->decision()),
                 "t1 VERDICT_APPROVE 50.00 0.05 sales_1h=1 latitude=NULL"));
  CHECK(first->decision().reason_codes().empty());
  v1::ScoreRequest request = purchase("t2", "600");
  request.mutable_transaction()->set_latitude(52.520008);
  request.mutable_transaction()->set_currency("EUR");
  const auto second = fraud.score(request);
  REQUIRE(second.ok());
  const v1::Decision& decision = second->decision();
  CHECK(contains(text_of(decision),
                 "t2 VERDICT_DECLINE 600.00 0.6 sales_1h=2 latitude=52.52 oddity="));
  CHECK(decision.currency() == "EUR");
  CHECK(decision.event_time_us() == request.transaction().event_time_us());
  REQUIRE(decision.reason_codes_size() == 2);
  CHECK(decision.reason_codes(1) == "watched");
  CHECK(decision.rule_ids_size() == 2);
  CHECK(decision.rule_weight() == "0.50");
  CHECK(decision.model_version() == "m1");
}

TEST_CASE("a transaction goes to the topic as one record, with what the source declares") {
  FraudProduct fraud;
  fraud.start();
  v1::ScoreRequest request = purchase("t\"1", "50");
  request.mutable_transaction()->set_device_id("not declared");
  request.set_durability(v1::DURABILITY_SYNCED);
  REQUIRE(fraud.score(request).ok());
  const auto records = fraud.product.topic("transactions");
  REQUIRE(records.size() == 1);
  CHECK(records[0] ==
        R"({"transaction_id":"t\"1","event_time":"2024-05-01T10:00:00Z","card_id":"card-1",)"
        R"("customer_id":"customer-1","terminal_id":null,"amount":"50.00","currency":null,)"
        R"("country":null,"latitude":null})");
}

TEST_CASE("a transaction that was decided on before is answered with that, and not taken in") {
  FraudProduct fraud;
  fraud.start();
  REQUIRE(fraud.score(purchase("t1", "50.00")).ok());
  const auto again = fraud.score(purchase("t1", "600.00"));
  REQUIRE(again.ok());
  CHECK(again->duplicate());
  CHECK(again->decision().amount() == "50.00");
  CHECK(fraud.product.topic("transactions").size() == 1);
}

TEST_CASE("calls that race with one transaction all get the decision on the first one") {
  FraudProduct fraud;
  fraud.start();
  std::vector<absl::StatusOr<v1::ScoreResponse>> answers(8, absl::UnknownError("none"));
  std::vector<std::thread> callers;
  for (size_t i = 0; i < answers.size(); ++i) {
    callers.emplace_back(
        [&, i] { answers[i] = fraud.score(purchase("t1", absl::StrCat(100 * (i + 1)))); });
  }
  for (std::thread& caller : callers) caller.join();
  std::set<std::string> decisions;
  for (const auto& answer : answers) {
    INFO(answer.status().ToString());
    REQUIRE(answer.ok());
    decisions.insert(text_of(answer->decision()));
  }
  CHECK(decisions.size() == 1);
}

TEST_CASE("a transaction that the product rejects is refused with its reason") {
  FraudProduct fraud;
  fraud.start();
  const absl::Status status = fraud.score(purchase("t1", "0")).status();
  REQUIRE(absl::IsInvalidArgument(status));
  CHECK(details_of(status).reason == "TRANSACTION_REJECTED");
  CHECK(details_of(status).metadata.at("reason") == "no_amount");
}

TEST_CASE("a transaction of which no decision comes is said to be one") {
  FraudProduct fraud;
  fraud.start();
  const absl::Status status = fraud.score(purchase("t1", "13")).status();
  CHECK(absl::IsFailedPrecondition(status));
  CHECK(details_of(status).reason == "NO_DECISION");
}

TEST_CASE("what is wrong with a transaction is named by field, and nothing is taken in") {
  FraudProduct fraud;
  fraud.start();
  const auto field = [&](const std::function<void(v1::Transaction*)>& spoil) {
    v1::ScoreRequest request = purchase("t1", "50.00");
    spoil(request.mutable_transaction());
    const absl::Status status = fraud.score(request).status();
    INFO(status.ToString());
    REQUIRE(absl::IsInvalidArgument(status));
    return details_of(status).violations.at(0).field;
  };
  CHECK(field([](auto* t) { t->clear_transaction_id(); }) == "transaction.transaction_id");
  CHECK(field([](auto* t) { t->clear_card_id(); }) == "transaction.card_id");
  CHECK(field([](auto* t) { t->clear_amount(); }) == "transaction.amount");
  CHECK(field([](auto* t) { t->set_amount("1.005"); }) == "transaction.amount");
  CHECK(field([](auto* t) { t->set_amount("much"); }) == "transaction.amount");
  CHECK(field([](auto* t) { t->set_amount("12345678901234567890"); }) == "transaction.amount");
  CHECK(field([](auto* t) { t->clear_event_time_us(); }) == "transaction.event_time_us");
  CHECK(field([](auto* t) { t->set_event_time_us(INT64_MAX); }) == "transaction.event_time_us");
  CHECK(field([](auto* t) { t->set_latitude(std::nan("")); }) == "transaction.latitude");
  CHECK(fraud.product.topic("transactions").empty());
}

TEST_CASE("cards and customers leave as pseudonyms, and as they are for those who may see them") {
  FraudProduct fraud;
  fraud.options.pseudonym_key_file = fraud.directory.write("key", kKey);
  REQUIRE(::chmod(fraud.options.pseudonym_key_file.c_str(), 0600) == 0);
  fraud.options.tokens_file =
      fraud.directory.write("tokens",
                            "till 81f2c64f0a1d4f5d9b3e query=fraud ingest\n"
                            "desk 3c0a6b1f9d5e4b7288aa query=fraud raw_ids=fraud ingest\n");
  fraud.start();
  const auto scored = fraud.score(purchase("t1", "50.00"), "81f2c64f0a1d4f5d9b3e");
  REQUIRE(scored.ok());
  CHECK(scored->decision().card_id() == token_of("card", "card-1"));
  CHECK(scored->decision().customer_id() == token_of("customer", "customer-1"));
  CHECK_FALSE(contains(scored->DebugString(), "card-1"));
  const auto read = fraud.get_score(of_transaction("t1"), "81f2c64f0a1d4f5d9b3e");
  REQUIRE(read.ok());
  CHECK(read->decision().card_id() == token_of("card", "card-1"));
  const auto raw = fraud.get_score(of_transaction("t1"), "3c0a6b1f9d5e4b7288aa");
  REQUIRE(raw.ok());
  CHECK(raw->decision().card_id() == "card-1");
  CHECK(raw->decision().customer_id() == "customer-1");
}

TEST_CASE("without a tokens file ids are shown if the server is told so, and not otherwise") {
  for (const bool raw : {false, true}) {
    FraudProduct fraud;
    fraud.options.raw_ids = raw;
    fraud.start();
    const auto scored = fraud.score(purchase("t1", "50.00"));
    REQUIRE(scored.ok());
    CHECK((scored->decision().card_id() == "card-1") == raw);
    CHECK((scored->decision().card_id().substr(0, 3) == "p1_") != raw);
  }
}

TEST_CASE("decisions are found by transaction, and the latest one by card and by customer") {
  FraudProduct fraud;
  fraud.start();
  REQUIRE(fraud.score(purchase("t1", "50.00")).ok());
  REQUIRE(fraud.score(purchase("t2", "60.00")).ok());
  CHECK(fraud.get_score(of_transaction("t1"))->decision().amount() == "50.00");
  v1::GetScoreRequest by;
  by.set_card_id("card-1");
  CHECK(fraud.get_score(by)->decision().transaction_id() == "t2");
  by.set_customer_id("customer-1");
  CHECK(fraud.get_score(by)->decision().transaction_id() == "t2");
  CHECK(absl::IsNotFound(fraud.get_score(of_transaction("t3")).status()));
  by.set_card_id("card-2");
  CHECK(absl::IsNotFound(fraud.get_score(by).status()));
  by.set_customer_id("customer-2");
  CHECK(absl::IsNotFound(fraud.get_score(by).status()));
  CHECK(absl::IsInvalidArgument(fraud.get_score({}).status()));
}

TEST_CASE("a transaction that is not applied in time has been taken in, which is said") {
  FraudProduct fraud;
  fraud.options.limits.score_ms_max = 50;
  fraud.start();
  const auto soon = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  REQUIRE(fraud.product->hold(soon).ok());
  const absl::Status status = fraud.score(purchase("t1", "50.00")).status();
  CHECK(absl::IsDeadlineExceeded(status));
  CHECK(contains(status.ToString(), "has been taken in"));
  test::require_ok(fraud.product->release(soon));
  test::wait_for([&] { return fraud.get_score(of_transaction("t1")).ok(); });
}

TEST_CASE("a pipeline that stops ends the calls that wait for it") {
  FraudProduct fraud;
  fraud.start();
  StuckReader stuck(fraud.product.pipeline.get());
  fraud.server->set_product(fraud.served(1, &stuck));
  std::thread ending([&] {
    test::wait_for([&] { return stuck.stuck() == 1; });
    stuck.drop(absl::UnavailableError("the pipeline has stopped"));
  });
  const absl::Status status = fraud.score(purchase("t1", "50.00")).status();
  ending.join();
  CHECK(absl::IsUnavailable(status));
  CHECK(details_of(status).reason == "TRANSACTION_TAKEN_IN");
  fraud.server.reset();
}

TEST_CASE("a call that waits while another generation is swapped in is answered by that one") {
  FraudProduct fraud;
  fraud.start();
  StuckReader stuck(fraud.product.pipeline.get());
  fraud.server->set_product(fraud.served(1, &stuck));
  std::thread swapping([&] {
    test::wait_for([&] { return stuck.stuck() == 1; });
    fraud.server->set_product(fraud.served(2));
  });
  const auto answer = fraud.score(purchase("t1", "50.00"));
  swapping.join();
  INFO(answer.status().ToString());
  REQUIRE(answer.ok());
  CHECK(answer->decision().transaction_id() == "t1");
  CHECK(fraud.product.topic("transactions").size() == 1);
  stuck.drop(absl::UnavailableError("the pipeline has stopped"));  // counts no longer
  fraud.server.reset();
}

TEST_CASE("a caller that gives up leaves nothing behind that its answer could reach") {
  FraudProduct fraud;
  fraud.start();
  StuckReader stuck(fraud.product.pipeline.get());
  fraud.server->set_product(fraud.served(1, &stuck));
  CHECK(absl::IsDeadlineExceeded(fraud.score(purchase("t1", "50.00"), "", 200).status()));
  fraud.server.reset();
  stuck.drop(absl::UnavailableError("the pipeline has stopped"));
}

TEST_CASE("a product without the views is told which it lacks") {
  TestServer server;
  server.start();
  const auto stub = v1::FraudService::NewStub(
      grpc::CreateChannel(server.address(), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  v1::GetScoreResponse response;
  const absl::Status status = from_grpc(stub->GetScore(&context, of_transaction("t1"), &response));
  CHECK(absl::IsFailedPrecondition(status));
  CHECK(contains(status.ToString(), "it has no view decisions"));
}

TEST_CASE("scoring needs the rights to ingest and to query, reading that to query") {
  FraudProduct fraud;
  fraud.options.tokens_file = fraud.directory.write("tokens",
                                                    "reader 81f2c64f0a1d4f5d9b3e query=fraud\n"
                                                    "writer 3c0a6b1f9d5e4b7288aa ingest\n");
  fraud.start();
  CHECK(absl::IsPermissionDenied(
      fraud.score(purchase("t1", "50.00"), "81f2c64f0a1d4f5d9b3e").status()));
  CHECK(absl::IsPermissionDenied(
      fraud.score(purchase("t1", "50.00"), "3c0a6b1f9d5e4b7288aa").status()));
  CHECK(absl::IsNotFound(fraud.get_score(of_transaction("t1"), "81f2c64f0a1d4f5d9b3e").status()));
  CHECK(absl::IsPermissionDenied(
      fraud.get_score(of_transaction("t1"), "3c0a6b1f9d5e4b7288aa").status()));
  CHECK(fraud.product.topic("transactions").empty());
}

// Reads a stream of alerts until so many messages have come.
std::vector<v1::StreamAlertsResponse> alerts(const FraudProduct& fraud,
                                             const v1::StreamAlertsRequest& request, size_t count) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(1));
  const auto stub = fraud.stub();
  const auto stream = stub->StreamAlerts(&context, request);
  std::vector<v1::StreamAlertsResponse> events(1);
  while (events.size() <= count && stream->Read(&events.back())) events.emplace_back();
  events.pop_back();
  context.TryCancel();
  (void)stream->Finish();
  REQUIRE(events.size() == count);
  return events;
}

TEST_CASE("alerts are streamed with pseudonyms and heartbeats, and resumed") {
  FraudProduct fraud({.checkpoint_interval_ms = 0});
  fraud.options.pseudonym_key_file = fraud.directory.write("key", kKey);
  REQUIRE(::chmod(fraud.options.pseudonym_key_file.c_str(), 0600) == 0);
  fraud.start();
  for (const char* id : {"t1", "t2"}) REQUIRE(fraud.score(purchase(id, "700.00")).ok());
  v1::StreamAlertsRequest request;
  request.set_from(v1::SUBSCRIBE_FROM_BEGINNING);
  const auto events = alerts(fraud, request, 3);
  CHECK(events[0].begin().generation() == 1);
  CHECK(events[1].alert().transaction_id() == "t1");
  CHECK(events[1].alert().verdict() == v1::VERDICT_DECLINE);
  CHECK(events[1].alert().card_id() == token_of("card", "card-1"));
  CHECK(events[1].alert().customer_id() == token_of("customer", "customer-1"));
  CHECK(events[2].alert().transaction_id() == "t2");
  request.set_resume_token(events[1].resume_token());
  CHECK(alerts(fraud, request, 2)[1].alert().transaction_id() == "t2");
  request.set_resume_token(events[2].resume_token());
  request.set_heartbeat_ms(100);
  CHECK(alerts(fraud, request, 2)[1].heartbeat().stamp().generation() == 1);
}

}  // namespace
}  // namespace kappa::serve
