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
  bool timed = false;            // some of its changes come when the watermark passes
  bool forgets = false;          // it has a retention
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
    const Relation input = dice_.pick(relations_);
    switch (dice_.below(15)) {
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
      case 8:
      case 9:
        return add_relation_join();
      case 10:
      case 11:
        return add_interval_join();
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

  // Rows as they are, filtered and computed with.
  void add_rows(const Relation& input) {
    std::vector<ExprRef> exprs;
    const bool needs_key = input.changelog || !input.by_records || dice_.coin();
    if (needs_key) {
      for (const size_t column : input.key) exprs.push_back(bare(input, column));
    }
    if (input.event_time && dice_.coin()) exprs.push_back(bare(input, *input.event_time));
    for (int64_t i = dice_.between(1, 3); i > 0; --i) exprs.push_back(item(input));
    std::string from = " FROM " + input.name;
    const size_t filtered = add_where(input, &from);

    ViewNode view{.name = next_view()};
    Relation made{.name = view.name, .node = 0, .fields = fields_of(exprs)};
    made.changelog = input.changelog;
    made.by_records = input.by_records;
    made.timed = input.timed;
    if (input.event_time) made.event_time = position_of(exprs, *input.event_time);
    std::vector<std::string> options;
    const auto key = kept_key(input, exprs);
    if (!input.changelog && dice_.one_in(3)) {
      made.key = choose_key(exprs.size());
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
    if (made.event_time && !made.changelog && dice_.coin()) {
      view.retention_us = dice_.between(1, 60) * kMicrosPerSecond;
      options.push_back("retention = " + seconds(*view.retention_us));
      made.forgets = true;
    }
    create_view(view.name, options, "SELECT " + join(select_items(exprs, input), ", ") + from);
    made.node = add(view, {add(ProjectNode{exprs}, {filtered})});
    relations_.push_back(std::move(made));
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
    made.timed = input.timed;
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

  // ---- joins --------------------------------------------------------------------------------

  // Columns of the two sides that have a type in common, none of the excluded ones.
  std::vector<std::pair<size_t, size_t>> comparable(const Relation& left, const Relation& right,
                                                    const std::set<TypeId>& excluded) {
    std::vector<std::pair<size_t, size_t>> pairs;
    for (size_t l = 0; l < left.fields.size(); ++l) {
      for (size_t r = 0; r < right.fields.size(); ++r) {
        const Type type = left.fields[l].type;
        if (type == right.fields[r].type && !excluded.contains(type.id)) pairs.emplace_back(l, r);
      }
    }
    return pairs;
  }

  // Both sides as one relation, without its name: its columns are "a.x" and "b.y".
  static Relation both(const Relation& left, const Relation& right,
                       const std::vector<std::pair<size_t, size_t>>& equal) {
    Relation joined{.name = "", .node = 0, .fields = {}};
    for (const Field& field : left.fields) joined.fields.push_back({"a." + field.name, field.type});
    for (const Field& field : right.fields)
      joined.fields.push_back({"b." + field.name, field.type});
    joined.timed = left.timed || right.timed;
    if (left.key.empty() || right.key.empty()) return joined;
    joined.key = left.key;
    for (const size_t column : right.key) {
      // Of two columns that are equal one is enough.
      const bool equated = std::any_of(equal.begin(), equal.end(),
                                       [&](const auto& pair) { return pair.second == column; });
      if (!equated) joined.key.push_back(left.fields.size() + column);
    }
    return joined;
  }

  static std::vector<Type> types_of(const std::vector<Field>& fields) {
    std::vector<Type> types;
    for (const Field& field : fields) types.push_back(field.type);
    return types;
  }

  // What stands in FROM.
  std::string join_text(const Relation& left, const Relation& right, bool outer,
                        const std::vector<std::pair<size_t, size_t>>& equal,
                        const std::vector<std::string>& others) {
    std::vector<std::string> conditions;
    for (const auto& [l, r] : equal) {
      conditions.push_back("a." + left.fields[l].name + " = b." + right.fields[r].name);
    }
    conditions.insert(dice_.coin() ? conditions.begin() : conditions.end(), others.begin(),
                      others.end());
    return left.name + " AS a " + (outer ? "LEFT JOIN " : "JOIN ") + right.name + " AS b ON " +
           join(conditions, " AND ");
  }

  // One or two pairs of columns to be equal; none if there is no such pair.
  std::vector<std::pair<size_t, size_t>> some_equalities(const Relation& left,
                                                         const Relation& right) {
    auto equal = comparable(left, right, {});
    dice_.shuffle(&equal);
    const auto count = static_cast<int64_t>(equal.size());
    equal.resize(static_cast<size_t>(std::min(dice_.between(1, 2), count)));
    return equal;
  }

  void add_relation_join() {
    std::vector<Relation> lefts;
    std::vector<Relation> rights;
    for (const Relation& relation : relations_) {
      if (relation.is_source || relation.key.empty()) continue;
      rights.push_back(relation);
      if (relation.changelog) lefts.push_back(relation);
    }
    if (lefts.empty()) return add_groups(dice_.pick(relations_));
    const Relation left = dice_.pick(lefts);
    const Relation right = dice_.pick(rights);
    const auto equal = some_equalities(left, right);
    // What expires on both sides at one place does so in an order that the model does not know.
    if (equal.empty() || (left.timed && right.timed)) return;
    Relation joined = both(left, right, equal);
    RelationJoinNode op{.equal = equal,
                        .outer = dice_.coin(),
                        .condition = nullptr,
                        .left_key = left.key,
                        .right_key = right.key,
                        .right_types = types_of(right.fields)};
    std::vector<std::string> conditions;
    const auto more = comparable(left, right, {TypeId::kBoolean});
    if (!more.empty() && dice_.one_in(3)) {
      const auto [l, r] = dice_.pick(more);
      const Type type = left.fields[l].type;
      op.condition = make(dice_.pick(std::vector<Op>{Op::kLess, Op::kLessOrEqual, Op::kNotEqual}),
                          Type::boolean(), {column(l, type), column(left.fields.size() + r, type)});
      conditions.push_back(to_sql(*op.condition, names_of(joined.fields)));
    }
    joined.name = join_text(left, right, op.outer, equal, conditions);
    joined.changelog = true;
    joined.node = add(std::move(op), {left.node, right.node});
    if (dice_.coin()) return add_groups(joined);
    add_rows(joined);
  }

  void add_interval_join() {
    std::vector<Relation> sides;
    for (const Relation& relation : relations_) {
      if (!relation.changelog && relation.event_time && !relation.forgets) {
        sides.push_back(relation);
      }
    }
    if (sides.empty()) return add_groups(dice_.pick(relations_));
    const Relation left = dice_.pick(sides);
    const Relation right = dice_.pick(sides);
    auto equal = some_equalities(left, right);
    // Equal event times would be bounds too.
    std::erase(equal, std::pair(*left.event_time, *right.event_time));
    const bool by_key = std::all_of(right.key.begin(), right.key.end(), [&](size_t column) {
      return std::any_of(equal.begin(), equal.end(),
                         [&](const auto& pair) { return pair.second == column; });
    });
    // By the whole key of a view it is a lookup.
    if (equal.empty() || (!right.is_source && !right.key.empty() && by_key)) return;
    IntervalJoinNode op{.equal = equal,
                        .outer = dice_.coin(),
                        .left_time = *left.event_time,
                        .right_time = *right.event_time,
                        .right_types = types_of(right.fields)};
    op.from_us = dice_.between(-10, 4) * 500 * kMicrosPerMilli;
    op.to_us = op.from_us + dice_.between(0, 30) * 500 * kMicrosPerMilli;
    const auto shifted = [&](int64_t us) {
      const std::string interval = "INTERVAL " + seconds(us < 0 ? -us : us);
      return "a." + left.fields[op.left_time].name + (us < 0 ? " - " : " + ") + interval;
    };
    const std::string time = "b." + right.fields[op.right_time].name;
    std::vector<std::string> bounds{time + " BETWEEN " + shifted(op.from_us) + " AND " +
                                    shifted(op.to_us)};
    if (dice_.coin()) {
      bounds = {shifted(op.from_us) + " <= " + time, time + " < " + shifted(op.to_us)};
      --op.to_us;
    }
    if (op.from_us > op.to_us) return;
    Relation joined = both(left, right, equal);
    joined.name = join_text(left, right, op.outer, equal, bounds);
    joined.event_time = joined.fields.size();
    joined.fields.push_back({"join_time", Type::timestamptz()});
    joined.timed |= op.outer;
    joined.is_source = left.is_source || right.is_source;
    joined.by_records = !op.outer && left.by_records && right.by_records;
    const bool has_key = joined.by_records || !joined.key.empty();
    joined.node = add(std::move(op), {left.node, right.node});
    if (!has_key || dice_.one_in(3)) return add_groups(joined);
    add_rows(joined);
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
    made.timed = input.timed || grouped.op.final || grouped.op.retention_us;
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
};

}  // namespace

GeneratedPlan generate_plan(Dice& dice) {
  return Generator(dice).run();
}

}  // namespace kappa::model
