#include "test/runtime/model/plan_generator.h"

#include <algorithm>
#include <set>

#include "engine/types/time.h"
#include "test/runtime/model/expression_generator.h"

namespace kappa::model {
namespace {

// Something that a SELECT can read.
struct Relation {
  std::string name;
  size_t node;
  std::vector<Field> fields;
  std::optional<size_t> event_time = {};
  std::optional<size_t> window_end = {};  // of a windowed view: the column, if it shows it
  bool is_source = false;
  bool changelog = false;
  bool by_records = false;
  std::vector<size_t> key = {};  // empty: by record
};

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

class Generator {
 public:
  explicit Generator(Dice& dice) : dice_(dice) {}

  GeneratedPlan run() {
    add_sources();
    const int64_t statements = dice_.between(1, 5);
    for (int64_t i = 0; i < statements; ++i) add_statement();
    return std::move(result_);
  }

 private:
  Plan& plan() { return result_.plan; }

  size_t add(decltype(Node::op) op, std::vector<size_t> inputs) {
    plan().nodes.push_back({std::move(op), std::move(inputs)});
    return plan().nodes.size() - 1;
  }

  // ---- sources ------------------------------------------------------------------------------

  void add_sources() {
    const int64_t sources = dice_.between(2, 3);
    for (int64_t s = 0; s < sources; ++s) add_source("t" + std::to_string(s));
  }

  void add_source(const std::string& name) {
    Source source;
    source.name = name;
    source.fields = {{"id", Type::bigint()},           {"k", Type::text()},
                     {"g", Type::integer()},           {"n", Type::bigint()},
                     {"amount", Type::numeric(12, 2)}, {"x", Type::double_precision()},
                     {"ok", Type::boolean()},          {"at", Type::timestamptz()}};
    source.not_null.assign(source.fields.size(), false);
    if (dice_.one_in(3)) source.primary_key = {0};
    source.not_null[0] = !source.primary_key.empty();
    source.not_null[3] = dice_.one_in(4);
    if (!dice_.one_in(6)) source.event_time = source.fields.size() - 1;
    source.partitions = static_cast<int>(dice_.between(1, 4));
    if (source.event_time) {
      source.not_null.back() = true;
      if (dice_.coin()) source.out_of_orderness_us = dice_.between(0, 12) * kMicrosPerSecond;
      if (dice_.coin()) source.max_future_us = dice_.between(0, 30) * kMicrosPerSecond;
      if (dice_.one_in(3)) source.idle_timeout_us = dice_.between(1, 20) * kMicrosPerSecond;
    }
    declare(source);
    plan().sources.push_back(source);
    Relation relation{.name = name, .node = 0, .fields = source.fields};
    relation.node = add(SourceNode{plan().sources.size() - 1}, {});
    relation.event_time = source.event_time;
    relation.is_source = true;
    relation.by_records = true;
    relation.key = source.primary_key;
    relations_.push_back(std::move(relation));
  }

  void declare(const Source& source) {
    std::vector<std::string> columns;
    for (size_t i = 0; i < source.fields.size(); ++i) {
      const bool not_null = source.not_null[i] && source.primary_key.empty() && dice_.coin();
      // What a key or an event time is anyway need not be said.
      const bool said = not_null || (source.not_null[i] && i == 3);
      columns.push_back(source.fields[i].name + " " + to_string(source.fields[i].type) +
                        (said ? " NOT NULL" : ""));
    }
    if (!source.primary_key.empty()) columns.push_back("PRIMARY KEY (id)");
    std::string options = "topic '" + source.name + "', format 'json'";
    if (source.event_time) {
      options += ", event_time 'at', out_of_orderness " + seconds(source.out_of_orderness_us);
      options += ", max_future " + seconds(source.max_future_us);
      if (source.idle_timeout_us) options += ", idle_timeout " + seconds(*source.idle_timeout_us);
    }
    result_.sql += "CREATE FOREIGN TABLE " + source.name + " (" + join(columns, ", ") +
                   ") SERVER log OPTIONS (" + options + ");\n";
  }

  // ---- statements ---------------------------------------------------------------------------

  void add_statement() {
    if (dice_.one_in(4) && add_over_lookup()) return;
    const Relation input = dice_.pick(relations_);
    switch (dice_.below(11)) {
      case 0:
      case 1:
        return add_rows(input);
      case 2:
      case 3:
        return add_groups(input);
      case 4:
        return add_union();
      case 5:
        return input.changelog ? add_groups(input) : add_output(input);
      case 6:
      case 7:
        return input.changelog ? add_groups(input) : add_distinct(input);
      default: {
        std::vector<Relation> timed;
        for (const Relation& relation : relations_) {
          if (relation.event_time || relation.window_end) timed.push_back(relation);
        }
        return timed.empty() ? add_groups(input) : add_window(dice_.pick(timed));
      }
    }
  }

  std::string next_view() { return "v" + std::to_string(result_.views.size()); }

  // WHERE, now and then; says its text and returns the node that stands for it.
  size_t add_where(const Relation& input, std::string* sql) {
    if (dice_.coin()) return input.node;
    const ExprRef predicate = ExpressionGenerator(dice_, input.fields).predicate();
    *sql += " WHERE " + to_sql(*predicate, names_of(input.fields));
    return add(FilterNode{predicate}, {input.node});
  }

  ExprRef bare(const Relation& input, size_t index) {
    return column(index, input.fields[index].type);
  }

  // A column of the input as it is, or something computed.
  ExprRef item(const Relation& input) {
    if (!dice_.one_in(3)) {
      return bare(input,
                  static_cast<size_t>(dice_.below(static_cast<int64_t>(input.fields.size()))));
    }
    return ExpressionGenerator(dice_, input.fields).anything();
  }

  static std::vector<std::string> select_items(const std::vector<ExprRef>& exprs,
                                               const Relation& input) {
    std::vector<std::string> items;
    for (const ExprRef& expr : exprs) {
      items.push_back(to_sql(*expr, names_of(input.fields)) + " AS c" +
                      std::to_string(items.size()));
    }
    return items;
  }

  static std::vector<Field> fields_of(const std::vector<ExprRef>& exprs) {
    std::vector<Field> fields;
    for (const ExprRef& expr : exprs) {
      fields.push_back({"c" + std::to_string(fields.size()), expr->type});
    }
    return fields;
  }

  static std::optional<size_t> position_of(const std::vector<ExprRef>& exprs, size_t index) {
    for (size_t i = 0; i < exprs.size(); ++i) {
      if (exprs[i]->op == Op::kColumn && exprs[i]->column == index) return i;
    }
    return std::nullopt;
  }

  void create_view(const std::string& name, const std::vector<std::string>& options,
                   const std::string& select) {
    result_.sql += "CREATE MATERIALIZED VIEW " + name +
                   (options.empty() ? "" : " WITH (" + join(options, ", ") + ")") + " AS " +
                   select + ";\n";
    result_.views.push_back(name);
  }

  // Where the key columns of `input` are among `exprs`, if all are.
  static std::optional<std::vector<size_t>> kept_key(const Relation& input,
                                                     const std::vector<ExprRef>& exprs) {
    std::vector<size_t> key;
    for (const size_t column : input.key) {
      const auto at = position_of(exprs, column);
      if (!at) return std::nullopt;
      key.push_back(*at);
    }
    return key;
  }

  // What a view of rows must be, if it may not be anything.
  struct RowsWanted {
    bool forgets = false;           // by the rows' key, and for some time only
    std::vector<ExprRef> key = {};  // the latest row of it
  };

  // Rows as they are, filtered and computed with.
  void add_rows(const Relation& input) { add_rows(input, RowsWanted()); }
  void add_rows(const Relation& input, const RowsWanted& wanted) {
    std::vector<ExprRef> exprs = wanted.key;
    const bool forgets = wanted.forgets;
    const bool needs_key = forgets || input.changelog || !input.by_records || dice_.coin();
    if (needs_key) {
      for (const size_t column : input.key) exprs.push_back(bare(input, column));
    }
    if (input.event_time && (forgets || dice_.coin())) {
      exprs.push_back(bare(input, *input.event_time));
    }
    for (int64_t i = dice_.between(1, 3); i > 0; --i) exprs.push_back(item(input));
    std::string from = " FROM " + input.name;
    const size_t filtered = add_where(input, &from);

    ViewNode view{.name = next_view()};
    Relation made{.name = view.name, .node = 0, .fields = fields_of(exprs)};
    made.changelog = input.changelog;
    made.by_records = input.by_records;
    if (input.event_time) made.event_time = position_of(exprs, *input.event_time);
    std::vector<std::string> options;
    const auto key = kept_key(input, exprs);
    if (!input.changelog && !forgets && (!wanted.key.empty() || dice_.one_in(3))) {
      made.key = choose_key(wanted.key.empty() ? exprs.size() : wanted.key.size());
      std::vector<std::string> names;
      for (const size_t column : made.key) names.push_back(made.fields[column].name);
      options.push_back("key = '" + join(names, ", ") + "'");
      // The key that the rows have anyway is no reason to replace any.
      const bool natural =
          !input.is_source && key && !key->empty() &&
          std::is_permutation(made.key.begin(), made.key.end(), key->begin(), key->end());
      view.grouped = natural;
      view.latest_wins = made.changelog = !natural;
      made.by_records = natural && input.by_records;
    } else if (key && !key->empty()) {
      made.key = *key;
      view.grouped = !input.is_source;
    } else {
      view.by_record = true;
    }
    view.key = made.key;
    view.event_time = made.event_time;
    view.visible = exprs.size();
    if (made.event_time && !made.changelog && (forgets || dice_.coin())) {
      view.retention_us = dice_.between(1, 60) * kMicrosPerSecond;
      options.push_back("retention = " + seconds(*view.retention_us));
    }
    create_view(view.name, options, "SELECT " + join(select_items(exprs, input), ", ") + from);
    made.node = add(view, {add(ProjectNode{exprs}, {filtered})});
    relations_.push_back(std::move(made));
  }

  // ---- lookups ------------------------------------------------------------------------------

  // A statement over what one lookup, or several in a row, make of a stream's rows. False: no view
  // can be looked up in.
  bool add_over_lookup() {
    std::vector<Relation> lefts;
    for (const Relation& relation : relations_) {
      if (!relation.changelog) lefts.push_back(relation);
    }
    Relation joined = dice_.coin() ? dice_.pick(lefts) : relations_.front();
    if (looked_up_.empty() || dice_.one_in(3)) add_view_to_look_up();
    joined.name += " AS j0";
    for (Field& field : joined.fields) field.name = "j0." + field.name;
    const int64_t lookups = dice_.one_in(3) ? 2 : 1;
    for (int64_t i = 1; i <= lookups; ++i) {
      if (add_lookup("j" + std::to_string(i), &joined)) continue;
      if (i == 1) return false;
    }
    switch (dice_.below(5)) {
      case 0:
        add_groups(joined);
        break;
      case 1:
        add_distinct(joined);
        break;
      case 2:
        add_output(joined);
        break;
      default:
        add_rows(joined);
    }
    return true;
  }

  // A view for lookups: facts that they may come too late for, or the latest rows of a key of which
  // there are few.
  void add_view_to_look_up() {
    std::vector<Relation> forgetting;
    std::vector<Relation> others;
    for (const Relation& relation : relations_) {
      if (relation.changelog) continue;
      others.push_back(relation);
      if (relation.event_time && !relation.key.empty()) forgetting.push_back(relation);
    }
    if (!forgetting.empty() && dice_.coin()) {
      add_rows(dice_.pick(forgetting), {true, {}});
    } else {
      const Relation input = dice_.pick(others);
      RowsWanted wanted;
      for (size_t i = 0; i < input.fields.size(); ++i) {
        const TypeId type = input.fields[i].type.id;
        const bool few = type == TypeId::kText || type == TypeId::kInteger ||
                         type == TypeId::kBoolean || type == TypeId::kBigint;
        if (few) wanted.key.push_back(bare(input, i));
      }
      if (wanted.key.empty()) return;
      dice_.shuffle(&wanted.key);
      wanted.key.resize(std::min<size_t>(wanted.key.size(), dice_.one_in(3) ? 2 : 1));
      add_rows(input, wanted);
    }
    looked_up_.push_back(relations_.back());
  }

  // What a key's column is compared with: null if there is nothing of its type.
  ExprRef key_expression(const Relation& left, Type type) {
    if (type == Type::integer() && dice_.one_in(3)) type = Type::bigint();
    std::vector<size_t> fitting;
    for (size_t i = 0; i < left.fields.size(); ++i) {
      if (left.fields[i].type == type) fitting.push_back(i);
    }
    const bool made =
        std::find(column_types().begin(), column_types().end(), type) != column_types().end();
    if (made && (fitting.empty() || dice_.one_in(4))) {
      const ExprRef expr = ExpressionGenerator(dice_, left.fields).of_type(type, 1);
      // What reads no column is no equality between the sides.
      if (first_column(*expr)) return expr;
    }
    return fitting.empty() ? nullptr : bare(left, dice_.pick(fitting));
  }

  static std::optional<size_t> first_column(const Expr& expr) {
    if (expr.op == Op::kColumn) return expr.column;
    std::optional<size_t> first;
    for (const ExprRef& arg : expr.args) {
      const auto column = first_column(*arg);
      if (column && (!first || *column < *first)) first = column;
    }
    return first;
  }

  static ExprRef both(const ExprRef& first, const ExprRef& second) {
    return first ? make(Op::kAnd, Type::boolean(), {first, second}) : second;
  }

  // Further conditions of ON, none of which is a conjunction or an equality between the sides.
  void add_conditions(const Relation& both_sides, size_t left_width, LookupNode* lookup,
                      std::vector<std::string>* on) {
    const std::vector<Field> right(both_sides.fields.begin() + static_cast<ptrdiff_t>(left_width),
                                   both_sides.fields.end());
    while (dice_.one_in(3)) {
      const bool on_the_right = dice_.one_in(3);
      const std::vector<Field>& fields = on_the_right ? right : both_sides.fields;
      const ExprRef inner = ExpressionGenerator(dice_, fields).predicate();
      const ExprRef condition = make(Op::kNot, Type::boolean(), {inner});
      const auto first = first_column(*condition);
      if (on_the_right ? !first : first && *first >= left_width) continue;
      on->push_back(to_sql(*condition, names_of(fields)));
      ExprRef& part = on_the_right ? lookup->right_filter : lookup->condition;
      part = both(part, condition);
    }
  }

  // Columns of both sides that must be equal besides the key.
  void add_equality(const Relation& both_sides, size_t left_width, LookupNode* lookup,
                    std::vector<std::string>* on) {
    const auto l = static_cast<size_t>(dice_.below(static_cast<int64_t>(left_width)));
    for (size_t r = left_width; r < both_sides.fields.size(); ++r) {
      const bool in_key = std::find(lookup->right.begin(), lookup->right.end(), r - left_width) !=
                          lookup->right.end();
      if (in_key || both_sides.fields[r].type != both_sides.fields[l].type) continue;
      const ExprRef equal =
          make(Op::kEqual, Type::boolean(), {bare(both_sides, l), bare(both_sides, r)});
      on->push_back(to_sql(*equal, names_of(both_sides.fields)));
      lookup->condition = both(lookup->condition, equal);
      return;
    }
  }

  // Puts a view's rows behind those of `joined`.
  bool add_lookup(const std::string& alias, Relation* joined) {
    std::vector<Relation> rights;
    for (const Relation& relation : relations_) {
      if (!relation.is_source && !relation.key.empty()) rights.push_back(relation);
    }
    if (rights.empty()) return false;
    const bool any = looked_up_.empty() || dice_.one_in(3);
    const Relation right = dice_.pick(any ? rights : looked_up_);
    LookupNode lookup;
    lookup.view = right.node;
    lookup.outer = dice_.coin();
    std::vector<std::string> on;
    for (const size_t column : right.key) {
      const ExprRef left = key_expression(*joined, right.fields[column].type);
      if (!left) return false;
      lookup.left.push_back(left);
      lookup.right.push_back(column);
      const std::string of_key = alias + "." + right.fields[column].name;
      const std::string of_left = to_sql(*left, names_of(joined->fields));
      on.push_back(dice_.coin() ? of_key + " = " + of_left : of_left + " = " + of_key);
    }
    dice_.shuffle(&on);
    const size_t left_width = joined->fields.size();
    for (const Field& field : right.fields) {
      joined->fields.push_back({alias + "." + field.name, field.type});
      lookup.right_types.push_back(field.type);
    }
    add_conditions(*joined, left_width, &lookup, &on);
    if (dice_.one_in(4)) add_equality(*joined, left_width, &lookup, &on);
    joined->name += (lookup.outer ? " LEFT JOIN " : " JOIN ") + right.name + " AS " + alias +
                    " ON " + join(on, " AND ");
    const size_t looked_in =
        lookup.right_filter ? add(FilterNode{lookup.right_filter}, {right.node}) : right.node;
    joined->node = add(std::move(lookup), {joined->node, looked_in});
    return true;
  }

  // DISTINCT [ON (…)] by some of the columns or all: its text, and the node over `projected`.
  std::string make_distinct(size_t columns, size_t projected, std::vector<size_t>* key,
                            size_t* node) {
    std::string sql = "DISTINCT ";
    if (dice_.one_in(4)) {
      key->clear();
      for (size_t i = 0; i < columns; ++i) key->push_back(i);
    } else {
      *key = choose_key(columns);
      std::vector<std::string> names;
      for (const size_t column : *key) names.push_back("c" + std::to_string(column));
      sql += "ON (" + join(names, ", ") + ") ";
    }
    *node = add(DistinctNode{*key}, {projected});
    return sql;
  }

  void add_distinct(const Relation& input) {
    std::vector<ExprRef> exprs;
    if (input.event_time && dice_.coin()) exprs.push_back(bare(input, *input.event_time));
    for (int64_t i = dice_.between(1, 4); i > 0; --i) exprs.push_back(item(input));
    std::string from = " FROM " + input.name;
    const size_t filtered = add_where(input, &from);

    Relation made{.name = next_view(), .node = 0, .fields = fields_of(exprs)};
    size_t node = 0;
    const std::string distinct =
        make_distinct(exprs.size(), add(ProjectNode{exprs}, {filtered}), &made.key, &node);
    if (input.event_time) made.event_time = position_of(exprs, *input.event_time);
    ViewNode view{.name = made.name, .key = made.key};
    view.grouped = true;
    view.event_time = made.event_time;
    view.visible = exprs.size();
    std::string sql = "SELECT " + distinct + join(select_items(exprs, input), ", ") + from;
    if (dice_.one_in(3)) {
      const Relation inner{.name = "(" + sql + ") AS d", .node = node, .fields = made.fields};
      sql = "SELECT * FROM " + inner.name;
      node = add_where(inner, &sql);
    }
    create_view(made.name, {}, sql);
    made.node = add(view, {node});
    relations_.push_back(std::move(made));
  }

  std::vector<size_t> choose_key(size_t columns) {
    std::vector<size_t> all;
    for (size_t i = 0; i < columns; ++i) all.push_back(i);
    dice_.shuffle(&all);
    all.resize(
        static_cast<size_t>(dice_.between(1, std::min<int64_t>(2, static_cast<int64_t>(columns)))));
    return all;
  }

  void add_output(const Relation& input) {
    std::vector<ExprRef> exprs;
    for (int64_t i = dice_.between(1, 4); i > 0; --i) exprs.push_back(item(input));
    std::string from = " FROM " + input.name;
    const size_t filtered = add_where(input, &from);
    OutputNode output{"out" + std::to_string(result_.outputs.size()), {}};
    std::vector<std::string> columns;
    for (const Field& field : fields_of(exprs)) {
      output.names.push_back(field.name);
      columns.push_back(field.name + " " + to_string(field.type));
    }
    result_.sql += "CREATE FOREIGN TABLE " + output.topic + " (" + join(columns, ", ") +
                   ") SERVER log OPTIONS (topic '" + output.topic + "', format 'json');\n";
    size_t node = add(ProjectNode{exprs}, {filtered});
    std::string distinct;
    std::vector<size_t> key;
    if (dice_.one_in(4)) distinct = make_distinct(exprs.size(), node, &key, &node);
    result_.sql += "INSERT INTO " + output.topic + " SELECT " + distinct +
                   join(select_items(exprs, input), ", ") + from + ";\n";
    result_.outputs.push_back(output.topic);
    add(output, {node});
  }

  void add_union() {
    std::vector<Relation> branches;
    for (int64_t i = dice_.between(2, 3); i > 0; --i) {
      const Relation& input = dice_.pick(relations_);
      if (!input.changelog && input.by_records) branches.push_back(input);
    }
    if (branches.size() < 2) return;
    const bool timed = dice_.one_in(4) == false &&
                       std::all_of(branches.begin(), branches.end(),
                                   [](const Relation& r) { return r.event_time.has_value(); });
    std::vector<Type> types;
    for (int64_t i = dice_.between(1, 3); i > 0; --i) types.push_back(dice_.pick(column_types()));
    std::vector<std::string> selects;
    std::vector<size_t> inputs;
    std::vector<ExprRef> exprs;
    for (const Relation& input : branches) {
      exprs.clear();
      if (timed) exprs.push_back(bare(input, *input.event_time));
      for (const Type& type : types) {
        exprs.push_back(ExpressionGenerator(dice_, input.fields).of_type(type, 1));
      }
      std::string from = " FROM " + input.name;
      const size_t filtered = add_where(input, &from);
      selects.push_back("SELECT " + join(select_items(exprs, input), ", ") + from);
      inputs.push_back(add(ProjectNode{exprs}, {filtered}));
    }
    ViewNode view{.name = next_view()};
    view.by_record = true;
    view.visible = exprs.size();
    Relation made{.name = view.name, .node = 0, .fields = fields_of(exprs)};
    made.by_records = true;
    if (timed) view.event_time = made.event_time = 0;
    create_view(view.name, {}, join(selects, " UNION ALL "));
    made.node = add(view, {add(UnionNode{}, std::move(inputs))});
    relations_.push_back(std::move(made));
  }

  // ---- groups -------------------------------------------------------------------------------

  // A grouped SELECT as it grows: what the projection below the aggregate computes, and what is
  // selected from above it.
  struct Grouped {
    AggregateNode op;
    std::vector<ExprRef> arguments;
    std::vector<std::string> items;   // of the SELECT, without their names
    std::vector<std::string> groups;  // GROUP BY
    std::vector<Field> fields;        // of the SELECT
    std::vector<ExprRef> shown;       // over the aggregate, one a field
  };

  void select(Grouped* grouped, const std::string& sql, size_t column, Type type) {
    grouped->items.push_back(sql);
    grouped->fields.push_back({"c" + std::to_string(grouped->fields.size()), type});
    grouped->shown.push_back(kappa::model::column(column, type));
  }

  // Something computed from what is selected so far.
  void select_computed(Grouped* grouped) {
    const ExprRef expr = ExpressionGenerator(dice_, grouped->fields).anything();
    grouped->items.push_back(to_sql(*expr, grouped->items));
    grouped->fields.push_back({"c" + std::to_string(grouped->fields.size()), expr->type});
    grouped->shown.push_back(replace_columns(expr, grouped->shown));
  }

  static ExprRef replace_columns(const ExprRef& expr, const std::vector<ExprRef>& by) {
    if (expr->op == Op::kColumn) return by[expr->column];
    Expr replaced = *expr;
    for (ExprRef& arg : replaced.args) arg = replace_columns(arg, by);
    return std::make_shared<const Expr>(std::move(replaced));
  }

  void add_group_columns(const Relation& input, int64_t count, Grouped* grouped) {
    for (int64_t i = 0; i < count; ++i) {
      const ExprRef expr =
          dice_.one_in(6)
              ? ExpressionGenerator(dice_, input.fields)
                    .of_type(dice_.coin() ? Type::integer() : Type::boolean(), 1)
              : bare(input,
                     static_cast<size_t>(dice_.below(static_cast<int64_t>(input.fields.size()))));
      const std::string sql = to_sql(*expr, names_of(input.fields));
      // A constant is no group, and one group twice would be two columns here.
      const bool computed = expr->op == Op::kConstant;
      const bool repeated =
          std::find(grouped->groups.begin(), grouped->groups.end(), sql) != grouped->groups.end();
      if (computed || repeated) continue;
      grouped->groups.push_back(sql);
      grouped->op.groups.push_back(grouped->arguments.size());
      select(grouped, sql, grouped->arguments.size(), expr->type);
      grouped->arguments.push_back(expr);
    }
  }

  static bool summable(TypeId type) {
    return type == TypeId::kInteger || type == TypeId::kBigint || type == TypeId::kNumeric ||
           type == TypeId::kDouble;
  }

  static Type result_type(Call call, Type argument) {
    const bool integer = argument.id == TypeId::kInteger || argument.id == TypeId::kBigint;
    switch (call) {
      case Call::kSum:
        if (argument.id == TypeId::kInteger) return Type::bigint();
        if (argument.id == TypeId::kDouble) return argument;
        return Type::numeric(38, argument.scale);
      case Call::kAvg:
        if (argument.id == TypeId::kDouble) return argument;
        return Type::numeric(38, integer ? 6 : argument.scale + 6);
      case Call::kMin:
      case Call::kMax:
        return argument;
      default:
        return Type::bigint();
    }
  }

  void add_call(const Relation& input, size_t first_call, Grouped* grouped) {
    static const std::vector<Call> calls{Call::kCountStar,    Call::kCount, Call::kSum,
                                         Call::kAvg,          Call::kMin,   Call::kMax,
                                         Call::kCountDistinct};
    static const std::vector<std::string> names{"count(*)", "count(", "sum(",           "avg(",
                                                "min(",     "max(",   "count(DISTINCT "};
    AggregateCall call{.call = dice_.pick(calls), .argument = 0, .filter = {}, .result = {}};
    const ExprRef argument = item(input);
    const bool extreme = call.call == Call::kMin || call.call == Call::kMax;
    const bool sums = call.call == Call::kSum || call.call == Call::kAvg;
    const bool refused = (extreme && (input.changelog || argument->type.id == TypeId::kBoolean)) ||
                         (sums && !summable(argument->type.id));
    if (refused) call.call = Call::kCount;
    std::string sql = names[static_cast<size_t>(call.call)];
    if (call.call != Call::kCountStar) {
      sql += to_sql(*argument, names_of(input.fields)) + ")";
      call.argument = grouped->arguments.size();
      grouped->arguments.push_back(argument);
    }
    call.result = result_type(call.call, argument->type);
    if (dice_.one_in(3)) {
      const ExprRef filter = ExpressionGenerator(dice_, input.fields).of_type(Type::boolean(), 1);
      sql += " FILTER (WHERE " + to_sql(*filter, names_of(input.fields)) + ")";
      call.filter = grouped->arguments.size();
      grouped->arguments.push_back(filter);
    }
    select(grouped, sql, first_call + grouped->op.calls.size(), call.result);
    grouped->op.calls.push_back(call);
  }

  void finish_groups(const Relation& input, const std::string& function, size_t keys,
                     const std::vector<std::string>& options, Grouped grouped) {
    std::string from = " FROM " + function;
    const size_t filtered = add_where(input, &from);
    if (!grouped.groups.empty()) from += " GROUP BY " + join(grouped.groups, ", ");

    Relation made{.name = next_view(), .node = 0, .fields = grouped.fields};
    made.changelog = !grouped.op.final;
    for (size_t i = 0; i < keys; ++i) made.key.push_back(i);
    std::vector<std::string> items;
    for (size_t i = 0; i < grouped.items.size(); ++i) {
      items.push_back(grouped.items[i] + " AS " + grouped.fields[i].name);
      if (grouped.items[i] == "window_end") made.window_end = i;
    }
    grouped.op.view = made.name;
    ViewNode view{.name = made.name, .key = made.key};
    view.grouped = true;
    view.visible = items.size();
    create_view(made.name, options, "SELECT " + join(items, ", ") + from);
    const size_t arguments = add(ProjectNode{grouped.arguments}, {filtered});
    const size_t aggregate = add(grouped.op, {arguments});
    made.node = add(view, {add(ProjectNode{grouped.shown}, {aggregate})});
    relations_.push_back(std::move(made));
  }

  void add_groups(const Relation& input) {
    Grouped grouped;
    add_group_columns(input, dice_.one_in(6) ? 0 : dice_.between(1, 2), &grouped);
    const size_t keys = grouped.groups.size();
    for (int64_t i = dice_.between(1, 4); i > 0; --i) add_call(input, keys, &grouped);
    if (dice_.one_in(3)) select_computed(&grouped);
    finish_groups(input, input.name, keys, {}, std::move(grouped));
  }

  void add_window(const Relation& input) {
    Grouped grouped;
    add_group_columns(input, dice_.between(0, 2), &grouped);
    const size_t groups = grouped.op.groups.size();
    Window window{.event_time = grouped.arguments.size(), .size_us = 0};
    window.size_us = dice_.between(2, 40) * 500 * kMicrosPerMilli;
    if (dice_.one_in(3)) window.offset_us = dice_.below(window.size_us);
    if (dice_.coin()) window.grace_us = dice_.between(1, 20) * kMicrosPerSecond;
    window.offset_us -= window.offset_us % kMicrosPerMilli;
    if (input.event_time) {
      grouped.arguments.push_back(bare(input, *input.event_time));
    } else {
      const ExprRef end = bare(input, *input.window_end);
      grouped.arguments.push_back(std::make_shared<const Expr>(
          Expr{Op::kShift, Type::timestamptz(), 0, Value::bigint(-1), {end}}));
    }
    select(&grouped, "window_start", groups, Type::timestamptz());
    grouped.groups.push_back("window_start");
    if (dice_.coin()) {
      select(&grouped, "window_end", groups + 1, Type::timestamptz());
      grouped.groups.push_back("window_end");
    }
    const size_t keys = groups + 1;
    for (int64_t i = dice_.between(1, 4); i > 0; --i) add_call(input, groups + 2, &grouped);

    std::vector<std::string> options;
    if (window.grace_us > 0) options.push_back("grace = " + seconds(window.grace_us));
    if (dice_.one_in(3)) {
      grouped.op.final = true;
      options.push_back("emit = 'final'");
    }
    if (dice_.one_in(3)) {
      grouped.op.retention_us = dice_.between(1, 60) * kMicrosPerSecond;
      options.push_back("retention = " + seconds(*grouped.op.retention_us));
    }
    // A final window with computed columns forgets nothing.
    const bool forgets_final = grouped.op.final && grouped.op.retention_us;
    if (!forgets_final && dice_.one_in(3)) select_computed(&grouped);
    grouped.op.window = window;
    const std::string time =
        input.event_time ? input.fields[*input.event_time].name : "window_time";
    const std::string function =
        "tumble(" + input.name + ", " + time + ", INTERVAL " + seconds(window.size_us) +
        (window.offset_us > 0 ? ", INTERVAL " + seconds(window.offset_us) : "") + ")";
    finish_groups(input, function, keys, options, std::move(grouped));
    // The order of what closes at once shows in an output.
    if (!relations_.back().changelog && dice_.coin()) add_output(Relation(relations_.back()));
  }

  Dice& dice_;
  GeneratedPlan result_;
  std::vector<Relation> relations_;
  std::vector<Relation> looked_up_;  // of these, views that are there for lookups
};

}  // namespace

GeneratedPlan generate_plan(Dice& dice) {
  return Generator(dice).run();
}

}  // namespace kappa::model
