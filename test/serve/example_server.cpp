// A server for tests in other languages: the views of test_server.h and a topic "notes". Prints
// where it listens and serves until its input ends.
#define CATCH_CONFIG_RUNNER  // test_server.cpp checks with Catch; main() is our own
#include <cstdio>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "test/serve/test_server.h"

namespace {

using kappa::Type;
using kappa::Value;
using kappa::serve::FakeViews;

FakeViews::View keyed(kappa::operators::Schema schema, std::vector<kappa::Row> rows = {}) {
  FakeViews::View view;
  view.schema = std::move(schema);
  view.key = {0};
  view.rows = std::move(rows);
  return view;
}

// What FraudService needs, with a decision on the transaction t1.
void add_fraud(FakeViews* views) {
  const Type text = Type::text();
  views->add("decisions", keyed({{"transaction_id", text},
                                 {"event_time", Type::timestamptz()},
                                 {"card_id", text},
                                 {"customer_id", text},
                                 {"terminal_id", text},
                                 {"amount", Type::numeric(12, 2)},
                                 {"currency", text},
                                 {"score", Type::double_precision()},
                                 {"decision", text},
                                 {"reason_codes", text},
                                 {"rule_ids", text},
                                 {"rule_weight", Type::numeric(6, 2)},
                                 {"model_version", text}},
                                {{Value::text("t1"), Value::timestamptz(0), Value::text("card-1"),
                                  Value::text("customer-1"), Value::null(text),
                                  Value{Type::numeric(12, 2), int64_t{1250}}, Value::text("EUR"),
                                  Value::double_precision(0.5), Value::text("review"),
                                  Value::text("large_amount,watched"), Value::text(""),
                                  Value{Type::numeric(6, 2), int64_t{0}}, Value::text("m1")}}));
  views->add("latest_by_card", keyed({{"card_id", text}, {"transaction_id", text}}));
  views->add("latest_by_customer", keyed({{"customer_id", text}, {"transaction_id", text}}));
  views->add("rejected_transactions", keyed({{"transaction_id", text}, {"reason", text}}));
  views->add_source("transactions", {{"transaction_id", "transaction_id", text},
                                     {"event_time", "event_time", Type::timestamptz()},
                                     {"card_id", "card_id", text},
                                     {"amount", "amount", Type::numeric(12, 2)}});
}

}  // namespace

int main() {
  using kappa::serve::Server;
  kappa::serve::TemporaryDirectory directory;
  kappa::serve::FakeViews views;
  views.add("cards", kappa::serve::cards_view());
  views.add("sales", kappa::serve::sales_view());
  add_fraud(&views);
  auto log = kappa::log::open_embedded_log(directory / "log", {});
  if (!log.ok() || !(*log)->create_topic("notes", {}).ok()) return 1;
  kappa::serve::ServedProduct product;
  product.name = "shop";
  product.reader = &views;
  auto server = Server::start(kappa::serve::test_options(), {product}, log->get());
  if (!server.ok()) return 1;
  std::printf("listening on 127.0.0.1:%d\n", (*server)->port());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}
