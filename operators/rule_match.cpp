#include "operators/rule_match.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/types/hash.h"
#include "engine/types/status_macros.h"
#include "operators/join_order.h"
#include "operators/row_errors.h"
#include "operators/table_rows.h"

namespace kappa::operators {
namespace {

// The right side's columns; behind the first they are the values of the stored row, in this order.
enum RuleColumn : size_t { kId, kCondition, kReason, kWeight, kFrom, kUntil };

// What goes into a list that commas separate.
absl::Status check_item(std::string_view what, std::string_view text) {
  if (text.empty()) return absl::InvalidArgumentError(absl::StrCat(std::string(what), " is empty"));
  if (text.find(',') == std::string_view::npos) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(std::string(what), " \"", std::string(text),
                                                 "\" has a comma, which separates them in lists"));
}

bool has_item(std::string_view list, std::string_view item) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    if (list.substr(0, comma) == item) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

void add_item(std::string_view item, std::string* list) {
  if (!list->empty()) list->push_back(',');
  list->append(item);
}

ColumnRef text_column(const std::vector<std::string>& texts, Arena& arena) {
  auto column = std::make_shared<Column>(Type::text(), texts.size());
  const auto values = column->values<StringRef>();
  for (size_t i = 0; i < texts.size(); ++i) values[i] = arena.copy(texts[i]);
  return column;
}

std::optional<int64_t> optional_time(const std::byte* image, const state::RowField& field) {
  if (state::Table::is_null(image, field)) return std::nullopt;
  return state::Table::get<int64_t>(image, field);
}

}  // namespace

struct RuleMatch::Findings {
  explicit Findings(size_t rows) : ids(rows), reasons(rows), weights(rows) {}
  std::vector<std::string> ids;
  std::vector<std::string> reasons;
  std::vector<int128> weights;
};

RuleMatch::RuleMatch(const Plan& plan, NodeId node)
    : node_(node),
      op_(std::get<RulesNode>(plan.node(node).op)),
      weight_type_(plan.node(node).schema.back().type) {
  const Schema& right = plan.node(plan.node(node).inputs[1]).schema;
  std::vector<Type> values;
  for (size_t c = kCondition; c < right.size(); ++c) values.push_back(right[c].type);
  table_ = std::make_unique<state::Table>(state::TableId{operator_id(plan, node), 0},
                                          state::RowLayout({right[kId].type}, values));
}

void RuleMatch::process_both(const Batch& left, const Batch& right, const OperatorContext& context,
                             std::vector<Batch>* out) {
  Findings findings(left.rows);
  for_each_place_run(
      left, right, [&](size_t begin, size_t end) { judge(left, begin, end, context, findings); },
      [&](size_t begin, size_t end) {
        for (size_t row = begin; row < end; ++row) apply(right, row, context);
      });
  if (left.empty()) return;
  Batch batch = left;
  batch.key_hashes.clear();
  batch.columns.push_back(text_column(findings.ids, context.arena));
  batch.columns.push_back(text_column(findings.reasons, context.arena));
  auto weights = std::make_shared<Column>(weight_type_, left.rows);
  std::copy(findings.weights.begin(), findings.weights.end(), weights->values<int128>().begin());
  batch.columns.push_back(std::move(weights));
  out->push_back(std::move(batch));
}

void RuleMatch::apply(const Batch& right, size_t row, const OperatorContext& context) {
  const Batch one = gather(right, {static_cast<uint32_t>(row)});
  const std::string id(one.columns[kId]->values<StringRef>()[0].view());
  rules_.erase(id);
  std::vector<uint64_t> hashes;
  const std::vector<ColumnRef> key = {one.columns[kId]};
  hash_columns(key, 1, &hashes);
  state::RowId stored = state::kNoRow;
  if (!one.signs.empty() && one.signs[0] < 0) {
    table_->find(key, hashes, {&stored, 1});
    if (stored != state::kNoRow) table_->erase(stored);
    return;
  }
  table_->find_or_insert(key, hashes, {&stored, 1}, nullptr);
  for (size_t c = kCondition; c < one.columns.size(); ++c) {
    store_value(*table_, stored, table_->layout().values()[c - 1], *one.columns[c], 0);
  }
  absl::StatusOr<Rule> rule = read_rule(table_->row(stored));
  if (rule.ok()) {
    rules_.emplace(id, *std::move(rule));
    return;
  }
  report(one.places[0], one.ties.empty() ? std::string_view() : one.ties[0].view(),
         absl::StrCat("rule ", id, " is not applied: ", rule.status().message()), context);
}

absl::StatusOr<RuleMatch::Rule> RuleMatch::read_rule(const std::byte* image) const {
  const auto& values = table_->layout().values();
  const state::RowField& reason = values[kReason - 1];
  const state::RowField& condition = values[kCondition - 1];
  const state::RowField& weight = values[kWeight - 1];
  KAPPA_RETURN_IF_ERROR(
      check_item("rule_id", state::Table::get_string(image, table_->layout().key()[0])));
  std::string reason_code;
  if (!state::Table::is_null(image, reason)) {
    reason_code = std::string(state::Table::get_string(image, reason));
    KAPPA_RETURN_IF_ERROR(check_item("reason_code", reason_code));
  }
  if (state::Table::is_null(image, condition)) {
    return absl::InvalidArgumentError("it has no condition");
  }
  KAPPA_ASSIGN_OR_RETURN(ExprRef expr,
                         op_.compiler->compile(state::Table::get_string(image, condition)));
  return Rule{.condition = Evaluator(std::move(expr)),
              .reason_code = std::move(reason_code),
              .weight = state::Table::get<int64_t>(image, weight),  // a NULL is a zero
              .valid_from_us = optional_time(image, values[kFrom - 1]),
              .valid_until_us = optional_time(image, values[kUntil - 1])};
}

void RuleMatch::judge(const Batch& left, size_t begin, size_t end, const OperatorContext& context,
                      Findings& findings) const {
  if (rules_.empty()) return;
  if (begin == 0 && end == left.rows) {
    for (const auto& [id, rule] : rules_) judge_by(id, rule, left, 0, context, findings);
    return;
  }
  std::vector<uint32_t> rows;
  for (size_t i = begin; i < end; ++i) rows.push_back(static_cast<uint32_t>(i));
  const Batch run = gather(left, rows);
  for (const auto& [id, rule] : rules_) judge_by(id, rule, run, begin, context, findings);
}

// `rows` are those of the left side from `begin` on.
void RuleMatch::judge_by(const std::string& id, const Rule& rule, const Batch& rows, size_t begin,
                         const OperatorContext& context, Findings& findings) const {
  const Column& times = *rows.columns[static_cast<size_t>(op_.event_time)];
  std::vector<uint32_t> valid;
  for (uint32_t i = 0; i < rows.rows; ++i) {
    if (!times.is_null(i) && rule.valid_at(times.values<int64_t>()[i])) valid.push_back(i);
  }
  if (valid.empty()) return;
  const bool all = valid.size() == rows.rows;
  const Batch asked = all ? rows : gather(rows, valid);
  std::vector<uint32_t> matched;
  std::vector<RowError> errors;
  rule.condition.select(asked, context.arena, &matched, &errors);
  for (const uint32_t row : matched) {
    const size_t at = begin + valid[row];
    add_item(id, &findings.ids[at]);
    if (!rule.reason_code.empty() && !has_item(findings.reasons[at], rule.reason_code)) {
      add_item(rule.reason_code, &findings.reasons[at]);
    }
    findings.weights[at] += rule.weight;
  }
  for (const RowError& error : errors) {
    const std::string_view tie =
        asked.ties.empty() ? std::string_view() : asked.ties[error.row].view();
    report(asked.places[error.row], tie,
           absl::StrCat("rule ", id, ", ", error.line, ":", error.column, ": ", error.message),
           context);
  }
}

void RuleMatch::report(RowPlace place, std::string_view tie, std::string text,
                       const OperatorContext& context) const {
  context.side.push_back({.place = place,
                          .node = node_,
                          .kind = SideRow::Kind::kError,
                          .tie = std::string(tie),
                          .text = std::move(text),
                          .position = op_.position});
}

// What was refused was said when it came.
void RuleMatch::restored(int64_t /*watermark_us*/) {
  rules_.clear();
  for (state::RowId id = 0; id < table_->row_ids_end(); ++id) {
    if (!table_->live(id)) continue;
    const state::Table& table = *table_;
    absl::StatusOr<Rule> rule = read_rule(table.row(id));
    if (!rule.ok()) continue;
    rules_.emplace(state::Table::get_string(table.row(id), table.layout().key()[0]),
                   *std::move(rule));
  }
}

}  // namespace kappa::operators
