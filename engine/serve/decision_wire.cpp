#include "engine/serve/decision_wire.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "engine/serve/api_error.h"
#include "engine/serve/wire.h"
#include "engine/types/text.h"
#include "kappa/v1/fraud.pb.h"
#include "kappa/v1/value.pb.h"

namespace kappa::serve {
namespace {

using Strings = google::protobuf::RepeatedPtrField<std::string>;

constexpr std::array<std::string_view, 13> kDecisionColumns = {
    "transaction_id", "event_time",  "card_id",      "customer_id", "terminal_id",
    "amount",         "currency",    "score",        "decision",    "reason_codes",
    "rule_ids",       "rule_weight", "model_version"};
constexpr std::array<std::string_view, 10> kAlertColumns = {
    "transaction_id", "event_time", "card_id",      "customer_id", "amount",
    "score",          "decision",   "reason_codes", "rule_ids",    "model_version"};

std::string text_of(const v1::Value& value) {
  switch (value.kind_case()) {
    case v1::Value::kTextValue:
      return value.text_value();
    case v1::Value::kDecimalValue:
      return value.decimal_value();
    case v1::Value::kInt64Value:
      return absl::StrCat(value.int64_value());
    default:
      return "";
  }
}

// What has no number is NULL to who wants one.
std::optional<double> number_of(const v1::Value& value) {
  switch (value.kind_case()) {
    case v1::Value::kDoubleValue:
      return value.double_value();
    case v1::Value::kInt64Value:
      return static_cast<double>(value.int64_value());
    case v1::Value::kBoolValue:
      return value.bool_value() ? 1 : 0;
    case v1::Value::kDecimalValue:
      return std::strtod(value.decimal_value().c_str(), nullptr);
    case v1::Value::kIntervalUs:
      return static_cast<double>(value.interval_us());
    default:
      return std::nullopt;
  }
}

void add_parts(const v1::Value& value, Strings* out) {
  for (const absl::string_view part :
       absl::StrSplit(value.text_value(), ',', absl::SkipWhitespace())) {
    out->Add(std::string(strip_spaces(to_std(part))));
  }
}

v1::Verdict verdict_of(const v1::Value& value) {
  const std::string& text = value.text_value();
  if (text == "approve") return v1::VERDICT_APPROVE;
  if (text == "review") return v1::VERDICT_REVIEW;
  if (text == "decline") return v1::VERDICT_DECLINE;
  return v1::VERDICT_UNSPECIFIED;
}

std::string id_of(std::string_view domain, const v1::Value& value, const Pseudonyms* pseudonyms) {
  std::string id = text_of(value);
  if (id.empty() || pseudonyms == nullptr) return id;
  return pseudonyms->token(domain, id);
}

using Write = void (*)(const v1::Value&, const Pseudonyms*, v1::Decision*);

// How the columns that a Decision names are written.
const std::map<std::string, Write, std::less<>>& writers() {
  static const std::map<std::string, Write, std::less<>> kWriters = {
      {"transaction_id",
       [](const auto& value, auto*, auto* out) { out->set_transaction_id(text_of(value)); }},
      {"event_time",
       [](const auto& value, auto*, auto* out) {
         if (value.has_timestamp_us()) out->set_event_time_us(value.timestamp_us());
       }},
      {"card_id", [](const auto& value, auto* ids,
                     auto* out) { out->set_card_id(id_of("card", value, ids)); }},
      {"customer_id", [](const auto& value, auto* ids,
                         auto* out) { out->set_customer_id(id_of("customer", value, ids)); }},
      {"terminal_id",
       [](const auto& value, auto*, auto* out) { out->set_terminal_id(text_of(value)); }},
      {"amount", [](const auto& value, auto*, auto* out) { out->set_amount(text_of(value)); }},
      {"currency", [](const auto& value, auto*, auto* out) { out->set_currency(text_of(value)); }},
      {"score",
       [](const auto& value, auto*, auto* out) {
         if (const auto number = number_of(value)) out->set_score(*number);
       }},
      {"decision",
       [](const auto& value, auto*, auto* out) { out->set_verdict(verdict_of(value)); }},
      {"reason_codes",
       [](const auto& value, auto*, auto* out) { add_parts(value, out->mutable_reason_codes()); }},
      {"rule_ids",
       [](const auto& value, auto*, auto* out) { add_parts(value, out->mutable_rule_ids()); }},
      {"rule_weight",
       [](const auto& value, auto*, auto* out) { out->set_rule_weight(text_of(value)); }},
      {"model_version",
       [](const auto& value, auto*, auto* out) { out->set_model_version(text_of(value)); }},
  };
  return kWriters;
}

void add_feature(const std::string& name, const v1::Value& value, v1::Decision* out) {
  v1::Feature* feature = out->add_features();
  feature->set_name(name);
  if (const auto number = number_of(value)) feature->set_value(*number);
}

}  // namespace

std::span<const std::string_view> decision_columns() {
  return kDecisionColumns;
}

std::span<const std::string_view> alert_columns() {
  return kAlertColumns;
}

absl::StatusOr<DecisionColumns> DecisionColumns::find(std::string_view what,
                                                      std::vector<std::string> columns,
                                                      std::span<const std::string_view> needed) {
  std::vector<std::string> missing;
  for (const std::string_view name : needed) {
    if (std::find(columns.begin(), columns.end(), name) == columns.end())
      missing.emplace_back(name);
  }
  if (!missing.empty()) {
    return with_reason(absl::FailedPreconditionError(
                           absl::StrCat(to_absl(what), " lacks ", absl::StrJoin(missing, ", "))),
                       "NOT_SERVED_BY_PRODUCT");
  }
  DecisionColumns found;
  for (std::string& name : columns) {
    const auto writer = writers().find(name);
    found.columns_.push_back(
        {std::move(name), writer == writers().end() ? nullptr : writer->second});
  }
  return found;
}

void DecisionColumns::write(const v1::Row& row, const Pseudonyms* pseudonyms,
                            v1::Decision* out) const {
  const size_t columns = std::min(columns_.size(), static_cast<size_t>(row.values_size()));
  for (size_t c = 0; c < columns; ++c) {
    const v1::Value& value = row.values(static_cast<int>(c));
    if (columns_[c].write != nullptr) {
      columns_[c].write(value, pseudonyms, out);
    } else {
      add_feature(columns_[c].name, value, out);
    }
  }
}

void DecisionColumns::write(const Row& row, const Pseudonyms* pseudonyms, v1::Decision* out) const {
  v1::Row wire;
  to_wire(row, &wire);
  write(wire, pseudonyms, out);
}

}  // namespace kappa::serve
