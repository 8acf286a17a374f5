#include "test/runtime/model/draft.h"

#include <algorithm>

#include "engine/types/time.h"
#include "test/runtime/model/expression_generator.h"

namespace kappa::model {

std::string join(const std::vector<std::string>& parts, const std::string& with) {
  std::string joined;
  for (const std::string& part : parts) joined += (joined.empty() ? "" : with) + part;
  return joined;
}

std::vector<std::string> names_of(const std::vector<Field>& fields) {
  std::vector<std::string> names;
  for (const Field& field : fields) names.push_back(field.name);
  return names;
}

std::string seconds(int64_t us) {
  return "'" + std::to_string(us / kMicrosPerMilli) + " milliseconds'";
}

void drop_unread(Plan* plan) {
  std::vector<bool> read(plan->nodes.size(), false);
  for (size_t n = plan->nodes.size(); n-- > 0;) {
    const Node& node = plan->nodes[n];
    read[n] = read[n] || std::holds_alternative<ViewNode>(node.op) ||
              std::holds_alternative<OutputNode>(node.op);
    for (const size_t input : node.inputs) read[input] = read[input] || read[n];
  }
  std::vector<Node> nodes;
  std::vector<size_t> moved(plan->nodes.size(), 0);
  for (size_t n = 0; n < plan->nodes.size(); ++n) {
    if (!read[n]) continue;
    moved[n] = nodes.size();
    Node& node = nodes.emplace_back(std::move(plan->nodes[n]));
    for (size_t& input : node.inputs) input = moved[input];
  }
  plan->nodes = std::move(nodes);
}

const std::vector<Field>& identity_fields() {
  static const std::vector<Field> fields{{"record_topic", Type::text()},
                                         {"record_partition", Type::integer()},
                                         {"record_offset", Type::bigint()},
                                         {"record_ordinal", Type::integer()}};
  return fields;
}

size_t Draft::add(decltype(Node::op) op, std::vector<size_t> inputs) {
  plan().nodes.push_back({std::move(op), std::move(inputs)});
  return plan().nodes.size() - 1;
}

Relation Draft::nest(Query query, Nesting nesting) {
  const std::string name = "q" + std::to_string(nested_++);
  if (nesting == Nesting::kAny) nesting = dice_.coin() ? Nesting::kFrom : Nesting::kWith;
  if (nesting == Nesting::kFrom) {
    query.rows.name = "(" + query.sql + ") AS " + name;
  } else {
    with_.push_back(name + " AS (" + query.sql + ")");
    query.rows.name = name;
  }
  return std::move(query.rows);
}

std::string Draft::take_with() {
  const std::string with = with_.empty() ? "" : "WITH " + join(with_, ", ") + " ";
  with_.clear();
  return with;
}

void Draft::create_view(const std::string& name, const std::vector<std::string>& options,
                        const std::string& select) {
  result_.sql += "CREATE MATERIALIZED VIEW " + name +
                 (options.empty() ? "" : " WITH (" + join(options, ", ") + ")") + " AS " +
                 take_with() + select + ";\n";
  result_.views.push_back(name);
}

size_t Draft::add_where(const Relation& input, std::string* sql) {
  if (plain_ || !dice_.one_in(3)) return input.node;
  const ExprRef predicate = ExpressionGenerator(dice_, input.fields).predicate();
  *sql += " WHERE " + to_sql(*predicate, names_of(input.fields));
  return add(FilterNode{predicate}, {input.node});
}

Draft::RowsView Draft::view_of_rows(const Relation& input, const std::vector<ExprRef>& exprs,
                                    bool final) {
  RowsView rows{.view = {.name = next_view()},
                .made = {.name = next_view(), .node = 0, .fields = fields_of(exprs)},
                .options = {}};
  ViewNode& view = rows.view;
  Relation& made = rows.made;
  made.changelog = input.changelog;
  made.by_records = input.by_records && !final;
  made.timed = input.timed || final;
  if (input.event_time) made.event_time = position_of(exprs, *input.event_time);
  if (final) rows.options.push_back("emit = 'final'");
  const auto key = kept_key(input, exprs);
  if (!input.changelog && (input.keyless || dice_.one_in(3))) {
    made.key = choose_key(exprs.size());
    rows.options.push_back("key = '" + key_names(made) + "'");
    // The key that the rows have anyway is no reason to replace any.
    const bool natural =
        !input.is_source && key && !key->empty() &&
        std::is_permutation(made.key.begin(), made.key.end(), key->begin(), key->end());
    view.grouped = natural;
    view.latest_wins = made.changelog = !natural;
    made.by_records = natural && made.by_records;
  } else if (key && !key->empty()) {
    made.key = *key;
    view.grouped = !input.is_source;
  } else if (final) {
    rows.by_identity = view.grouped = true;
    for (const Field& field : identity_fields()) {
      made.key.push_back(made.fields.size());
      made.fields.push_back(field);
    }
  } else {
    view.by_record = true;
  }
  view.key = made.key;
  view.event_time = made.event_time;
  view.visible = made.fields.size();
  if (made.event_time && !made.changelog && !input.takes_no_options && dice_.coin()) {
    view.retention_us = dice_.between(1, 60) * kMicrosPerSecond;
    rows.options.push_back("retention = " + seconds(*view.retention_us));
    made.forgets = true;
  }
  return rows;
}

bool Draft::has_few_values(Type type) const {
  if (type.id == TypeId::kDouble) return result_.plan.odd_doubles;
  return type.id == TypeId::kText || type.id == TypeId::kInteger || type.id == TypeId::kBoolean;
}

std::optional<size_t> Draft::odd_column(const Relation& input, int64_t one_in) {
  if (!plan().odd_doubles || !dice_.one_in(one_in)) return std::nullopt;
  std::vector<size_t> doubles;
  for (size_t i = 0; i < input.fields.size(); ++i) {
    if (input.fields[i].type.id == TypeId::kDouble) doubles.push_back(i);
  }
  if (doubles.empty()) return std::nullopt;
  return dice_.pick(doubles);
}

size_t Draft::key_column(const Relation& input) {
  if (const auto odd = odd_column(input, 2)) return *odd;
  std::vector<size_t> few;
  for (size_t i = 0; i < input.fields.size(); ++i) {
    if (has_few_values(input.fields[i].type)) few.push_back(i);
  }
  if (!few.empty() && (plain_ || !dice_.one_in(5))) return dice_.pick(few);
  return static_cast<size_t>(dice_.below(static_cast<int64_t>(input.fields.size())));
}

ExprRef Draft::item(const Relation& input) {
  if (const auto odd = odd_column(input, 4)) return bare(input, *odd);
  if (plain_ || !dice_.one_in(4)) {
    return bare(input, static_cast<size_t>(dice_.below(static_cast<int64_t>(input.fields.size()))));
  }
  return ExpressionGenerator(dice_, input.fields).anything();
}

std::vector<size_t> Draft::choose_key(size_t columns) {
  std::vector<size_t> all;
  for (size_t i = 0; i < columns; ++i) all.push_back(i);
  dice_.shuffle(&all);
  all.resize(
      static_cast<size_t>(dice_.between(1, std::min<int64_t>(2, static_cast<int64_t>(columns)))));
  return all;
}

std::string Draft::key_names(const Relation& relation) {
  std::vector<std::string> names;
  for (const size_t column : relation.key) names.push_back(relation.fields[column].name);
  return join(names, ", ");
}

std::vector<std::string> Draft::select_items(const std::vector<ExprRef>& exprs,
                                             const Relation& input) {
  std::vector<std::string> items;
  for (const ExprRef& expr : exprs) {
    items.push_back(to_sql(*expr, names_of(input.fields)) + " AS c" + std::to_string(items.size()));
  }
  return items;
}

std::vector<Field> Draft::fields_of(const std::vector<ExprRef>& exprs) {
  std::vector<Field> fields;
  for (const ExprRef& expr : exprs) {
    fields.push_back({"c" + std::to_string(fields.size()), expr->type});
  }
  return fields;
}

std::optional<size_t> Draft::position_of(const std::vector<ExprRef>& exprs, size_t index) {
  for (size_t i = 0; i < exprs.size(); ++i) {
    if (exprs[i]->op == Op::kColumn && exprs[i]->column == index) return i;
  }
  return std::nullopt;
}

std::optional<std::vector<size_t>> Draft::kept_key(const Relation& input,
                                                   const std::vector<ExprRef>& exprs) {
  std::vector<size_t> key;
  for (const size_t column : input.key) {
    const auto at = position_of(exprs, column);
    if (!at) return std::nullopt;
    key.push_back(*at);
  }
  return key;
}

}  // namespace kappa::model
