#include "engine/serve/fraud_contract.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/serve/api_error.h"
#include "engine/types/datetime.h"
#include "engine/types/decimal.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"
#include "kappa/v1/fraud.pb.h"

namespace kappa::serve {
namespace {

absl::Status not_served(const ServedProduct& product, std::string_view what) {
  return with_reason(absl::FailedPreconditionError(absl::StrCat(
                         "product ", product.name, " does not serve this: ", to_absl(what))),
                     "NOT_SERVED_BY_PRODUCT", {{"product", product.name}});
}

std::vector<std::string> names_of(const operators::Schema& schema) {
  std::vector<std::string> names;
  names.reserve(schema.size());
  for (const operators::Field& field : schema) names.push_back(field.name);
  return names;
}

// The view of that name whose key is that text column.
absl::StatusOr<operators::NodeId> keyed_view(const ServedProduct& product, std::string_view name,
                                             std::string_view key) {
  const operators::Plan& plan = product.reader->plan();
  const operators::NodeId id = plan.find_view(name);
  if (id == operators::kNoNode) {
    return not_served(product, absl::StrCat("it has no view ", to_absl(name)));
  }
  const operators::PlanNode& node = plan.node(id);
  const auto& view = std::get<operators::ViewNode>(node.op);
  const bool fits = view.key.size() == 1 && node.schema[static_cast<size_t>(view.key[0])] ==
                                                operators::Field{std::string(key), Type::text()};
  if (fits) return id;
  return not_served(product, absl::StrCat("the key of its view ", to_absl(name), " is not ",
                                          to_absl(key), " text"));
}

absl::StatusOr<size_t> text_column(const ServedProduct& product, operators::NodeId view,
                                   std::string_view name) {
  const operators::PlanNode& node = product.reader->plan().node(view);
  for (size_t c = 0; c < node.schema.size(); ++c) {
    if (node.schema[c] == operators::Field{std::string(name), Type::text()}) return c;
  }
  return not_served(product, absl::StrCat("its view ", std::get<operators::ViewNode>(node.op).name,
                                          " has no column ", to_absl(name), " text"));
}

absl::StatusOr<FraudContract::Latest> latest_view(const ServedProduct& product,
                                                  std::string_view name, std::string_view key) {
  FraudContract::Latest latest;
  KAPPA_ASSIGN_OR_RETURN(latest.view, keyed_view(product, name, key));
  KAPPA_ASSIGN_OR_RETURN(latest.transaction_id,
                         text_column(product, latest.view, "transaction_id"));
  return latest;
}

// Its records are written from what Score is given, so it must take in at least what names one.
absl::Status check_transactions(const ServedProduct& product, const schemas::Source& source) {
  const std::vector<std::string> fields = schemas::field_names(source);
  for (const std::string needed : {"transaction_id", "event_time", "card_id", "amount"}) {
    if (std::find(fields.begin(), fields.end(), needed) != fields.end()) continue;
    return not_served(product, absl::StrCat("its source transactions has no field ", needed));
  }
  return absl::OkStatus();
}

absl::Status find_transactions(FraudContract* contract) {
  const ServedProduct& product = *contract->product;
  for (const schemas::Source& source : contract->reader().plan().sources) {
    if (source.name == "transactions") contract->transactions = &source;
  }
  if (contract->transactions == nullptr) {
    return not_served(product, "it has no source transactions");
  }
  KAPPA_RETURN_IF_ERROR(check_transactions(product, *contract->transactions));
  KAPPA_ASSIGN_OR_RETURN(contract->encoder,
                         schemas::make_encoder(*contract->transactions, product.files));
  return absl::OkStatus();
}

absl::Status invalid_part(std::string_view field, std::string_view why) {
  return invalid_field(absl::StrCat("transaction.", to_absl(field)), why);
}

// A field's value as the column wants it; nothing is rounded.
absl::StatusOr<Value> field_value(const std::string& field, const std::string& text, Type type) {
  if (type.id == TypeId::kNumeric && !parse_decimal_exactly(text, type.scale)) {
    return invalid_part(field, absl::StrCat("expected a number with at most ", type.scale,
                                            " digits after the point, got ", excerpt(text)));
  }
  absl::StatusOr<Value> value = parse_value(type, text);
  if (!value.ok()) return invalid_part(field, to_std(value.status().message()));
  return value;
}

using Fields = std::map<std::string, std::string, std::less<>>;

absl::Status add_degrees(std::string_view field, double degrees, Fields* fields) {
  if (!std::isfinite(degrees)) return invalid_part(field, "expected a finite number");
  (*fields)[std::string(field)] = to_text(Value::double_precision(degrees));
  return absl::OkStatus();
}

absl::Status add_event_time(const v1::Transaction& transaction, Fields* fields) {
  if (!transaction.has_event_time_us()) return invalid_part("event_time_us", "expected a time");
  const int64_t us = transaction.event_time_us();
  if (us < kFirstTimestampUs || us >= kEndTimestampUs) {
    return invalid_part("event_time_us", "expected a time in the years 1 to 9999");
  }
  (*fields)["event_time"] = timestamp_to_text(us);
  return absl::OkStatus();
}

// What is set, by the names in the topic.
absl::StatusOr<Fields> fields_of(const v1::Transaction& t) {
  const std::pair<const char*, const std::string*> texts[] = {
      {"transaction_id", &t.transaction_id()},
      {"card_id", &t.card_id()},
      {"amount", &t.amount()},
      {"customer_id", &t.customer_id()},
      {"device_id", &t.device_id()},
      {"ip_address", &t.ip_address()},
      {"terminal_id", &t.terminal_id()},
      {"merchant_id", &t.merchant_id()},
      {"currency", &t.currency()},
      {"country", &t.country()},
      {"status", &t.status()},
      {"channel", &t.channel()}};
  Fields fields;
  for (const auto& [name, text] : texts) {
    if (!text->empty()) fields[name] = *text;
  }
  for (const char* needed : {"transaction_id", "card_id", "amount"}) {
    if (!fields.contains(needed)) return invalid_part(needed, "it must be set");
  }
  KAPPA_RETURN_IF_ERROR(add_event_time(t, &fields));
  if (t.has_latitude()) KAPPA_RETURN_IF_ERROR(add_degrees("latitude", t.latitude(), &fields));
  if (t.has_longitude()) KAPPA_RETURN_IF_ERROR(add_degrees("longitude", t.longitude(), &fields));
  return fields;
}

}  // namespace

absl::StatusOr<std::string> FraudContract::payload(const v1::Transaction& transaction) const {
  KAPPA_ASSIGN_OR_RETURN(const Fields fields, fields_of(transaction));
  const std::vector<std::string> names = schemas::field_names(*transactions);
  Arena arena;
  std::vector<ColumnRef> row;
  for (size_t c = 0; c < names.size(); ++c) {
    Column column(transactions->columns[c].type);
    Value value = Value::null(column.type());
    if (const auto field = fields.find(names[c]); field != fields.end()) {
      KAPPA_ASSIGN_OR_RETURN(value, field_value(names[c], field->second, column.type()));
    }
    append_value(column, value, arena);
    row.push_back(std::make_shared<const Column>(std::move(column)));
  }
  std::string bytes;
  KAPPA_RETURN_IF_ERROR(encoder->encode(row, 0, &bytes));
  return bytes;
}

absl::StatusOr<FraudContractRef> find_fraud_contract(Products::Ref product) {
  auto contract = std::make_shared<FraudContract>();
  contract->product = std::move(product);
  const ServedProduct& served = *contract->product;
  KAPPA_ASSIGN_OR_RETURN(contract->decisions, keyed_view(served, "decisions", "transaction_id"));
  KAPPA_ASSIGN_OR_RETURN(
      contract->columns,
      DecisionColumns::find(absl::StrCat("view decisions of product ", served.name),
                            names_of(contract->reader().plan().node(contract->decisions).schema),
                            decision_columns()));
  KAPPA_ASSIGN_OR_RETURN(contract->by_card, latest_view(served, "latest_by_card", "card_id"));
  KAPPA_ASSIGN_OR_RETURN(contract->by_customer,
                         latest_view(served, "latest_by_customer", "customer_id"));
  KAPPA_ASSIGN_OR_RETURN(contract->rejected,
                         keyed_view(served, "rejected_transactions", "transaction_id"));
  KAPPA_ASSIGN_OR_RETURN(contract->rejected_reason,
                         text_column(served, contract->rejected, "reason"));
  KAPPA_RETURN_IF_ERROR(find_transactions(contract.get()));
  return contract;
}

absl::StatusOr<FraudContractRef> FraudContracts::find(std::string_view name) {
  KAPPA_ASSIGN_OR_RETURN(Products::Ref product, products_->find_readable(name));
  {
    std::lock_guard lock(mutex_);
    const auto found = found_.find(product->name);
    if (found != found_.end() && found->second->product == product) return found->second;
  }
  KAPPA_ASSIGN_OR_RETURN(FraudContractRef contract, find_fraud_contract(product));
  std::lock_guard lock(mutex_);
  found_[product->name] = contract;
  return contract;
}

void FraudContracts::forget() {
  std::map<std::string, FraudContractRef, std::less<>> gone;  // without the lock
  {
    std::lock_guard lock(mutex_);
    gone.swap(found_);
  }
}

}  // namespace kappa::serve
