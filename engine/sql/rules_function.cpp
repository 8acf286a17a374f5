#include "engine/sql/rules_function.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/sql/construct.h"
#include "engine/sql/fault.h"
#include "engine/sql/rule_condition.h"
#include "engine/sql/window_function.h"
#include "engine/types/status_macros.h"

namespace kappa::sql {

using operators::ExprRef;
using operators::NodeId;

namespace {

constexpr char kUsage[] =
    "write apply_rules(rows, rules): a view of append-only rows, and one of rules with the key "
    "rule_id";
constexpr std::array<const char*, 3> kAdded = {"rule_ids", "reason_codes", "rule_weight"};
constexpr int kWeightDigitsMax = 18;

absl::StatusOr<const Relation*> find_argument(const Node& arg, const NestedQueries& queries) {
  KAPPA_ASSIGN_OR_RETURN(const std::string name, bare_name(arg, "a table or view", kUsage));
  return queries.find(arg, name);
}

ExprRef column_of(const Relation& relation, int column) {
  return operators::column_expr(column, relation.columns[static_cast<size_t>(column)].type);
}

int find_column(const Relation& relation, std::string_view name) {
  for (size_t i = 0; i < relation.columns.size(); ++i) {
    if (relation.columns[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

// ---- the rules ------------------------------------------------------------------------------

struct RuleField {
  const char* name;
  Type type;
  bool optional;
};
const std::array<RuleField, 6>& rule_fields() {
  static const std::array<RuleField, 6> kFields = {{
      {"rule_id", Type::text(), false},
      {"condition", Type::text(), false},
      {"reason_code", Type::text(), true},
      {"weight", Type::numeric(kWeightDigitsMax, 0), true},
      {"valid_from", Type::timestamptz(), true},
      {"valid_until", Type::timestamptz(), true},
  }};
  return kFields;
}

bool fits(const Type& type, const RuleField& field) {
  if (field.type.id != TypeId::kNumeric) return type == field.type;
  return type.id == TypeId::kNumeric && type.precision <= kWeightDigitsMax;
}

// A field of the rules as it stands in the relation, or NULL where it may be missing.
absl::StatusOr<ExprRef> bind_field(const Node& at, const Relation& rules, const RuleField& field) {
  const int column = find_column(rules, field.name);
  if (column < 0) {
    if (field.optional) return operators::constant_expr(Value::null(field.type));
    return fault(at, absl::StrCat("\"", rules.name, "\" has no column \"", field.name, "\""),
                 "rules have rule_id text, condition text and, if they like, reason_code text, "
                 "weight numeric, valid_from and valid_until timestamptz");
  }
  ExprRef expr = column_of(rules, column);
  if (fits(expr->type, field)) return expr;
  const bool weight = field.type.id == TypeId::kNumeric;
  return fault(
      at, absl::StrCat("\"", field.name, "\" of \"", rules.name, "\" is ", to_string(expr->type),
                       ", and rules have it as ",
                       weight ? absl::StrCat("numeric of at most ", kWeightDigitsMax, " digits")
                              : to_string(field.type)));
}

absl::StatusOr<NodeId> plan_rules(const Node& at, const Relation& rules, PlanBuilder& builder) {
  const int id = find_column(rules, rule_fields()[0].name);
  const bool keyed = rules.key && *rules.key == std::vector<int>{id};
  if (rules.source || !keyed || rules.conflict != operators::ViewNode::Conflict::kGrouped) {
    return fault(at, absl::StrCat("\"", rules.name, "\" does not keep one rule for each rule_id"),
                 "declare the topic of the rules with OPTIONS (mode 'upsert') and PRIMARY KEY "
                 "(rule_id), or make a view WITH (key = 'rule_id')");
  }
  std::vector<ExprRef> fields;
  for (const RuleField& field : rule_fields()) {
    KAPPA_ASSIGN_OR_RETURN(ExprRef expr, bind_field(at, rules, field));
    fields.push_back(std::move(expr));
  }
  return builder.project(rules.node, std::move(fields));
}

// ---- the rows -------------------------------------------------------------------------------

absl::Status check_rows(const Node& at, const Relation& rows) {
  if (rows.changelog) {
    return fault(at, absl::StrCat("rows of \"", rows.name, "\" change, and rules judge a row once"),
                 "apply the rules to the rows that it is made of");
  }
  if (!rows.event_time()) {
    return fault(at, absl::StrCat("\"", rows.name, "\" has no event time"),
                 "rules are valid at a time: select the event time in the views between");
  }
  for (const char* name : kAdded) {
    if (find_column(rows, name) < 0) continue;
    return fault(at,
                 absl::StrCat("\"", rows.name, "\" has a column \"", name,
                              "\" already, which apply_rules() adds"),
                 "select it under another name");
  }
  return absl::OkStatus();
}

// The rows without what SELECT * leaves out, unless it is their key.
Relation without_hidden(const Relation& rows, PlanBuilder& builder) {
  Relation narrow = rows;
  narrow.columns.clear();
  std::vector<int> moved(rows.columns.size(), -1);
  std::vector<ExprRef> kept;
  for (int i = 0; i < static_cast<int>(rows.columns.size()); ++i) {
    const RelationColumn& column = rows.columns[static_cast<size_t>(i)];
    const bool in_key =
        rows.key && std::find(rows.key->begin(), rows.key->end(), i) != rows.key->end();
    if (column.hidden && !in_key) continue;
    moved[static_cast<size_t>(i)] = static_cast<int>(kept.size());
    kept.push_back(column_of(rows, i));
    narrow.columns.push_back(column);
  }
  if (narrow.key) {
    for (int& column : *narrow.key) column = moved[static_cast<size_t>(column)];
  }
  if (narrow.expiry && narrow.expiry->column >= 0) {
    narrow.expiry->column = moved[static_cast<size_t>(narrow.expiry->column)];
  }
  narrow.node = builder.project(builder.read(rows), std::move(kept));
  narrow.source.reset();
  return narrow;
}

Scope scope_of(const Relation& rows) {
  Scope scope;
  for (const RelationColumn& column : rows.columns) {
    scope.add({.relation = rows.name,
               .name = column.name,
               .type = column.type,
               .in_star = !column.hidden});
  }
  return scope;
}

}  // namespace

absl::StatusOr<const Relation*> bind_apply_rules(const Node& call, NestedQueries& queries,
                                                 const SourceText& text) {
  KAPPA_RETURN_IF_ERROR(expect_only(call, {{"funcname"}, {"args"}, {"funcformat"}}));
  const auto args = call.list("args");
  if (args.size() != 2) {
    return fault(call, absl::StrCat("apply_rules takes 2 arguments, found ", args.size()), kUsage);
  }
  KAPPA_ASSIGN_OR_RETURN(const Relation* rows, find_argument(args[0], queries));
  KAPPA_ASSIGN_OR_RETURN(const Relation* rules, find_argument(args[1], queries));
  KAPPA_RETURN_IF_ERROR(check_rows(args[0], *rows));
  PlanBuilder& builder = queries.builder();
  Relation judged = without_hidden(*rows, builder);
  KAPPA_ASSIGN_OR_RETURN(const NodeId right, plan_rules(args[1], *rules, builder));
  operators::RulesNode op{.key = {},
                          .event_time = *judged.event_time(),
                          .compiler = make_rule_compiler(scope_of(judged)),
                          .position = text.position(call.offset)};
  std::vector<std::string> names;
  for (const RelationColumn& column : judged.columns) names.push_back(column.name);
  judged.node = builder.rules(judged.node, right, std::move(op), names);
  const operators::Schema& schema = builder.node(judged.node).schema;
  for (size_t i = schema.size() - kAdded.size(); i < schema.size(); ++i) {
    judged.columns.push_back({.name = schema[i].name, .type = schema[i].type});
  }
  return queries.own(std::move(judged));
}

}  // namespace kappa::sql
