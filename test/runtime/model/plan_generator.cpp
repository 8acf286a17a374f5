#include "test/runtime/model/plan_generator.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include "engine/types/time.h"
#include "test/runtime/model/call_types.h"
#include "test/runtime/model/draft.h"
#include "test/runtime/model/expression_generator.h"
#include "test/runtime/model/join_generator.h"
#include "test/runtime/model/lookup_generator.h"
#include "test/runtime/model/over_generator.h"
#include "test/runtime/model/source_generator.h"
#include "test/runtime/model/top_n_generator.h"
#include "test/runtime/model/window_generator.h"

namespace kappa::model {
namespace {

class Generator : public Draft {
 public:
  using Draft::Draft;

  GeneratedPlan run() {
    add_sources(*this);
    add_plain_statements();
    for (int64_t i = dice_.below(4); i > 0; --i) add_statement();
    drop_unread(&plan());
    return std::move(result_);
  }

 private:
  // ---- statements ---------------------------------------------------------------------------

  void add_statement() {
    with_.clear();  // of a union that came to nothing
    if (dice_.one_in(6)) {
      if (const auto joined = random_lookup(*this)) return add_over_lookup(*joined);
    }
    if (dice_.one_in(3)) {
      const auto joined =
          dice_.one_in(3) ? random_relation_join(*this) : random_interval_join(*this);
      if (joined) return add_over_join(*joined);
    }
    const Relation input = pick_input();
    if (takes_over(input) && dice_.one_in(3)) return add_over(*this, input);
    switch (dice_.below(14)) {
      case 0:
      case 1:
        return add_rows(input);
      case 2:
      case 3:
        return add_groups(input);
      case 4:
        return dice_.coin() ? add_union() : add_union_of_finals();
      case 5:
        return input.changelog ? add_groups(input) : add_output(input);
      case 6:
      case 7:
        return input.changelog ? add_groups(input) : add_distinct(input);
      case 8:
        return add_top_n(*this, input);
      case 9:
        if (!add_first(*this, input)) add_groups(input);
        return;
      default: {
        std::vector<Relation> timed;
        for (const Relation& relation : relations_) {
          if (takes_window(relation)) timed.push_back(relation);
        }
        if (takes_window(input)) return add_window(input, choose_window_kind(dice_));
        if (timed.empty()) return add_groups(input);
        Relation other = dice_.pick(timed);
        // The query that was to be read is still the statement's.
        other.takes_no_options = input.takes_no_options;
        return add_window(other, choose_window_kind(dice_));
      }
    }
  }

  // One statement each of some kinds, over sources where that will do.
  void add_plain_statements() {
    std::vector<std::function<void()>> kinds;
    for (const Window::Kind kind :
         {Window::Kind::kTumble, Window::Kind::kHop, Window::Kind::kCumulate,
          Window::Kind::kSession, Window::Kind::kSession}) {
      kinds.emplace_back([this, kind] { add_plain_window(kind); });
    }
    for (const bool by_time : {true, true, false, false}) {
      kinds.emplace_back([this, by_time] { add_plain_join(by_time); });
    }
    for (int times = 0; times < 3; ++times) {
      kinds.emplace_back([this] {
        if (const auto joined = random_lookup(*this)) add_over_lookup(*joined);
      });
      kinds.emplace_back([this] {
        if (const auto source = timed_source()) add_over(*this, *source);
      });
    }
    kinds.emplace_back([this] {
      const auto source = timed_source();
      if (!dice_.one_in(3)) return add_final_windows_over_rows();
      if (source) add_final_over_twice(*this, *source);
    });
    kinds.emplace_back([this] { add_top_n(*this, any_source()); });
    kinds.emplace_back([this] { add_first(*this, any_source()); });
    kinds.emplace_back([this] { add_distinct(any_source()); });
    kinds.emplace_back([this] { add_groups(timed_source().value_or(any_source())); });
    dice_.shuffle(&kinds);
    constexpr size_t kPlain = 5;
    set_plain(true);
    for (size_t i = 0; i < kPlain; ++i) kinds[i]();
    set_plain(false);
  }

  Relation any_source() {
    return relations_[static_cast<size_t>(
        dice_.below(static_cast<int64_t>(plan().sources.size())))];
  }

  std::optional<Relation> timed_source() {
    std::vector<Relation> timed;
    for (const Relation& relation : relations_) {
      if (relation.is_source && relation.event_time) timed.push_back(relation);
    }
    if (timed.empty()) return std::nullopt;
    return dice_.pick(timed);
  }

  void add_plain_window(Window::Kind kind) {
    if (const auto source = timed_source()) add_window(*source, kind);
  }

  // Windows over OVER, both of them final.
  void add_final_windows_over_rows() {
    const auto source = timed_source();
    if (!source) return;
    const Relation rows = nest(over_query(*this, *source, true), true);
    if (!takes_window(rows)) return with_.clear();
    add_window(rows, choose_window_kind(dice_));
  }

  // A union of what is given out when the watermark passes. Nothing reads it: in which order rows
  // of several branches come at one place the model does not know.
  void add_union_of_finals() {
    std::vector<Relation> finals;
    for (const Relation& relation : relations_) {
      if (!relation.changelog && !relation.by_records && !relation.key.empty()) {
        finals.push_back(relation);
      }
    }
    if (finals.empty()) return;
    std::vector<Relation> branches{dice_.pick(finals)};
    std::erase_if(finals, [&](const Relation& relation) {
      return !same_key_types({branches.front(), relation});
    });
    for (int64_t i = dice_.between(1, 2); i > 0; --i) branches.push_back(dice_.pick(finals));
    unite(branches, false, true);
    relations_.pop_back();
  }

  void add_plain_join(bool by_time) {
    if (!by_time) {
      // Of both sides the groups by one column, of which there are few.
      const size_t group = key_column(relations_.front());
      for (int side = 0; side < 2; ++side) view_of_key({}, groups_query(any_source(), group));
    }
    const auto joined = by_time ? random_interval_join(*this) : random_relation_join(*this);
    if (joined) add_over_join(*joined);
  }

  void add_over_join(const Relation& joined) {
    const bool has_key = joined.by_records || !joined.key.empty();
    if (!joined.changelog && !joined.grace_us && dice_.one_in(3)) return add_output(joined);
    if (!has_key || dice_.one_in(joined.changelog ? 2 : 3)) return add_groups(joined);
    add_rows(joined);
  }

  void add_over_lookup(const Relation& joined) {
    if (takes_over(joined) && dice_.one_in(4)) return add_over(*this, joined);
    switch (dice_.below(5)) {
      case 0:
        return add_groups(joined);
      case 1:
        return add_distinct(joined);
      case 2:
        return add_output(joined);
      default:
        return add_rows(joined);
    }
  }

  // What a statement reads: one of the relations there are, or a query of its own over it.
  Relation pick_input() {
    Relation input = dice_.pick(relations_);
    for (int depth = 0; depth < 2 && dice_.one_in(4); ++depth) {
      Query query = random_query(input);
      input = nest(std::move(query));
    }
    return input;
  }

  Query random_query(const Relation& input) {
    if (takes_over(input) && dice_.coin()) return over_query(*this, input, false);
    switch (dice_.below(4)) {
      case 0:
        return groups_query(input);
      case 1:
        return takes_window(input) ? window_query(input, choose_window_kind(dice_), nullptr)
                                   : rows_query(input);
      case 2:
        return input.changelog ? rows_query(input) : distinct_query(input);
      default:
        return rows_query(input);
    }
  }

  // Not a subquery.
  static bool is_named(const Relation& input) { return input.name.find('(') == std::string::npos; }

  // tumble() takes a name, and the time of what happened.
  static bool takes_window(const Relation& input) {
    return is_named(input) && (input.event_time || input.window_end);
  }

  // Rows as they are, filtered and computed with.
  struct RowsSelect {
    std::vector<ExprRef> exprs;
    std::string sql;
    size_t node;
  };
  RowsSelect select_rows(const Relation& input) {
    RowsSelect rows;
    const bool needs_key = input.changelog || !input.by_records || dice_.coin();
    if (needs_key) {
      for (const size_t column : input.key) rows.exprs.push_back(bare(input, column));
    }
    if (input.event_time && dice_.coin()) rows.exprs.push_back(bare(input, *input.event_time));
    for (int64_t i = dice_.between(1, 3); i > 0; --i) rows.exprs.push_back(item(input));
    std::string from = " FROM " + input.name;
    const size_t filtered = add_where(input, &from);
    rows.sql = "SELECT " + join(select_items(rows.exprs, input), ", ") + from;
    rows.node = add(ProjectNode{rows.exprs}, {filtered});
    return rows;
  }

  void add_rows(const Relation& input) {
    const RowsSelect select = select_rows(input);
    RowsView rows = view_of_rows(input, select.exprs, false);
    for (const std::string& grace : grace_of(input)) rows.options.push_back(grace);
    create_view(rows.view.name, rows.options, select.sql);
    rows.made.node = add(rows.view, {select.node});
    relations_.push_back(std::move(rows.made));
  }

  // The option by which a statement gives the join that it reads its grace.
  static std::vector<std::string> grace_of(const Relation& input) {
    if (!input.grace_us) return {};
    return {"grace = " + seconds(*input.grace_us)};
  }

  Query rows_query(const Relation& input) {
    RowsSelect select = select_rows(input);
    Relation rows = input;
    rows.node = select.node;
    rows.fields = fields_of(select.exprs);
    if (input.event_time) rows.event_time = position_of(select.exprs, *input.event_time);
    if (input.window_end) rows.window_end = position_of(select.exprs, *input.window_end);
    rows.key = kept_key(input, select.exprs).value_or(std::vector<size_t>());
    return {std::move(select.sql), std::move(rows)};
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

  Query distinct_query(const Relation& input) {
    std::vector<ExprRef> exprs;
    if (input.event_time && dice_.coin()) exprs.push_back(bare(input, *input.event_time));
    for (int64_t i = dice_.between(1, 4); i > 0; --i) exprs.push_back(item(input));
    std::string from = " FROM " + input.name;
    const size_t filtered = add_where(input, &from);

    Relation made{.name = "", .node = 0, .fields = fields_of(exprs)};
    const std::string distinct =
        make_distinct(exprs.size(), add(ProjectNode{exprs}, {filtered}), &made.key, &made.node);
    made.by_records = input.by_records;
    made.timed = input.timed;
    made.takes_no_options = true;
    if (input.event_time) made.event_time = position_of(exprs, *input.event_time);
    return {"SELECT " + distinct + join(select_items(exprs, input), ", ") + from, std::move(made)};
  }

  void add_distinct(const Relation& input) { view_of_key({}, distinct_query(input)); }

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
    result_.sql += "INSERT INTO " + output.topic + " " + take_with() + "SELECT " + distinct +
                   join(select_items(exprs, input), ", ") + from + ";\n";
    result_.outputs.push_back(output.topic);
    add(output, {node});
  }

  // One to three of a kind; they are rows of records.
  std::vector<Relation> pick_branches() {
    std::vector<Relation> branches;
    for (int64_t i = dice_.between(2, 3); i > 0; --i) {
      // A table of WITH is one, whoever reads it; a subquery that is written twice is two.
      const bool again = !branches.empty() && is_named(branches.back()) && dice_.one_in(5);
      const Relation input = again ? branches.back() : pick_input();
      if (!input.changelog && input.by_records) branches.push_back(input);
    }
    return branches;
  }

  // What every branch of a union shows: its key and its event time, if all have the like, and
  // something of the types.
  std::vector<ExprRef> select_branch(const Relation& input, bool timed, size_t key_columns,
                                     const std::vector<Type>& types) {
    std::vector<ExprRef> exprs;
    if (timed) exprs.push_back(bare(input, *input.event_time));
    for (size_t i = 0; i < key_columns; ++i) exprs.push_back(bare(input, input.key[i]));
    for (const Type& type : types) {
      exprs.push_back(ExpressionGenerator(dice_, input.fields).of_type(type, 1));
    }
    return exprs;
  }

  static bool same_key_types(const std::vector<Relation>& branches) {
    const auto types = [](const Relation& relation) {
      std::vector<std::string> names;
      for (const size_t column : relation.key) {
        names.push_back(to_string(relation.fields[column].type));
      }
      return names;
    };
    return std::all_of(branches.begin(), branches.end(), [&](const Relation& relation) {
      return types(relation) == types(branches.front());
    });
  }

  // The key of all branches, if it is the same columns.
  static std::vector<size_t> common_key(const std::vector<Relation>& branches,
                                        const std::vector<std::vector<ExprRef>>& selects) {
    std::vector<size_t> common;
    for (size_t b = 0; b < branches.size(); ++b) {
      const auto key = kept_key(branches[b], selects[b]).value_or(std::vector<size_t>());
      if (b == 0) common = key;
      if (!std::is_permutation(common.begin(), common.end(), key.begin(), key.end())) return {};
    }
    return common;
  }

  void add_union() {
    const std::vector<Relation> branches = pick_branches();
    if (branches.size() < 2) return;
    const bool timed =
        !dice_.one_in(4) && std::all_of(branches.begin(), branches.end(),
                                        [](const Relation& r) { return r.event_time.has_value(); });
    const bool keyed = dice_.coin() && same_key_types(branches);
    unite(branches, timed, keyed);
  }

  void unite(const std::vector<Relation>& branches, bool timed, bool keyed) {
    std::vector<Type> types;
    for (int64_t i = dice_.between(1, 3); i > 0; --i) types.push_back(dice_.pick(column_types()));
    std::vector<std::string> selects;
    std::vector<std::vector<ExprRef>> exprs;
    std::vector<size_t> inputs;
    for (const Relation& input : branches) {
      exprs.push_back(select_branch(input, timed, keyed ? branches.front().key.size() : 0, types));
      std::string from = " FROM " + input.name;
      inputs.push_back(add_where(input, &from));
      selects.push_back("SELECT " + join(select_items(exprs.back(), input), ", ") + from);
    }
    Relation made{.name = next_view(), .node = 0, .fields = fields_of(exprs.front())};
    ViewNode view{.name = made.name};
    std::vector<std::string> options;
    made.by_records = std::all_of(branches.begin(), branches.end(),
                                  [](const Relation& input) { return input.by_records; });
    made.key = common_key(branches, exprs);
    if (made.by_records && dice_.one_in(6)) {
      made.key = choose_key(made.fields.size());
      options.push_back("key = '" + key_names(made) + "'");
      view.latest_wins = made.changelog = true;
      made.by_records = false;
    } else if (!made.key.empty()) {
      // Equal keys of two branches are two.
      made.key.push_back(made.fields.size());
      made.fields.push_back({"branch", Type::integer()});
      view.grouped = std::none_of(branches.begin(), branches.end(),
                                  [](const Relation& input) { return input.is_source; });
    } else {
      view.by_record = true;
    }
    for (size_t b = 0; b < branches.size(); ++b) {
      if (made.fields.size() > exprs[b].size()) {
        exprs[b].push_back(constant(Value::integer(static_cast<int32_t>(b))));
      }
      inputs[b] = add(ProjectNode{exprs[b]}, {inputs[b]});
    }
    view.key = made.key;
    view.visible = made.fields.size();
    if (timed) view.event_time = made.event_time = 0;
    create_view(view.name, options, join(selects, " UNION ALL "));
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

  void add_group_columns(const Relation& input, int64_t count, Grouped* grouped) {
    for (int64_t i = 0; i < count; ++i) {
      const ExprRef expr = dice_.one_in(6)
                               ? ExpressionGenerator(dice_, input.fields)
                                     .of_type(dice_.coin() ? Type::integer() : Type::boolean(), 1)
                               : bare(input, key_column(input));
      const std::string sql = to_sql(*expr, names_of(input.fields));
      // A constant is no group, and one group twice would be two columns here. The grammar makes
      // one AND of (a AND b) AND c, so a group of that kind would not be found again in what is
      // shown.
      const bool computed =
          expr->op == Op::kConstant || expr->op == Op::kAnd || expr->op == Op::kOr;
      const bool repeated =
          std::find(grouped->groups.begin(), grouped->groups.end(), sql) != grouped->groups.end();
      if (computed || repeated) continue;
      add_group(expr, sql, grouped);
    }
  }

  void add_group(const ExprRef& expr, const std::string& sql, Grouped* grouped) {
    grouped->groups.push_back(sql);
    grouped->op.groups.push_back(grouped->arguments.size());
    select(grouped, sql, grouped->arguments.size(), expr->type);
    grouped->arguments.push_back(expr);
  }

  // Adds what a call takes besides its argument, and returns its text.
  std::string second_argument(const Relation& input, Grouped* grouped, AggregateCall* call) {
    switch (call->call) {
      case Call::kFirst:
      case Call::kLast:
      case Call::kDecayedSum:
        call->by = grouped->arguments.size();
        grouped->arguments.push_back(bare(input, *input.event_time));
        if (call->call != Call::kDecayedSum) return "";
        call->half_life_us = dice_.between(1, 40) * 250 * kMicrosPerMilli;
        return ", INTERVAL " + seconds(call->half_life_us);
      case Call::kArgMin:
      case Call::kArgMax: {
        ExprRef by = item(input);
        while (by->type.id == TypeId::kBoolean) by = item(input);
        call->by = grouped->arguments.size();
        grouped->arguments.push_back(by);
        return ", " + to_sql(*by, names_of(input.fields));
      }
      case Call::kApproxQuantile: {
        const int64_t percent = dice_.between(0, 100);
        call->quantile = static_cast<double>(percent) / 100;
        return ", " + to_text(Value::double_precision(call->quantile));
      }
      default:
        return "";
    }
  }

  void add_call(const Relation& input, size_t first_call, Grouped* grouped) {
    auto [kind, sql] = dice_.pick(call_names());
    const ExprRef argument = item(input);
    if (is_refused(kind, argument->type, input.changelog, input.event_time.has_value())) {
      kind = Call::kCount;
      sql = "count(";
    }
    AggregateCall call{.call = kind, .argument = 0, .filter = {}, .result = {}};
    if (kind != Call::kCountStar) {
      call.argument = grouped->arguments.size();
      grouped->arguments.push_back(argument);
      sql +=
          to_sql(*argument, names_of(input.fields)) + second_argument(input, grouped, &call) + ")";
    }
    call.result = result_type(kind, argument->type);
    if (dice_.one_in(3)) {
      const ExprRef filter = ExpressionGenerator(dice_, input.fields).of_type(Type::boolean(), 1);
      sql += " FILTER (WHERE " + to_sql(*filter, names_of(input.fields)) + ")";
      call.filter = grouped->arguments.size();
      grouped->arguments.push_back(filter);
    }
    select(grouped, sql, first_call + grouped->op.calls.size(), call.result);
    grouped->op.calls.push_back(call);
  }

  // HAVING, now and then, about what is selected; says its text and returns the node that stands
  // for it.
  size_t add_having(const Grouped& grouped, size_t aggregate, std::string* sql) {
    if (!dice_.one_in(4)) return aggregate;
    const ExprRef predicate = ExpressionGenerator(dice_, grouped.fields).predicate();
    *sql += " HAVING " + to_sql(*predicate, grouped.items);
    return add(FilterNode{replace_columns(predicate, grouped.shown)}, {aggregate});
  }

  Query grouped_query(const Relation& input, const std::string& function, size_t keys,
                      Grouped grouped) {
    std::string from = " FROM " + function;
    const size_t filtered = add_where(input, &from);
    if (!grouped.groups.empty()) from += " GROUP BY " + join(grouped.groups, ", ");

    Relation made{.name = next_view(), .node = 0, .fields = grouped.fields};
    made.changelog = !grouped.op.final;
    made.timed = input.timed || grouped.op.final || grouped.op.retention_us;
    made.forgets = grouped.op.retention_us.has_value();
    made.takes_no_options = true;
    for (size_t i = 0; i < keys; ++i) made.key.push_back(i);
    std::vector<std::string> items;
    for (size_t i = 0; i < grouped.items.size(); ++i) {
      items.push_back(grouped.items[i] + " AS " + grouped.fields[i].name);
      if (grouped.items[i] == "window_end") made.window_end = i;
      if (grouped.items[i] == "window_time" && !made.event_time) made.event_time = i;
    }
    grouped.op.view = made.name;
    const size_t arguments = add(ProjectNode{grouped.arguments}, {filtered});
    const size_t aggregate = add_having(grouped, add(grouped.op, {arguments}), &from);
    made.node = add(ProjectNode{grouped.shown}, {aggregate});
    return {"SELECT " + join(items, ", ") + from, std::move(made)};
  }

  // The view of a query whose rows have a key that nothing else gives.
  void view_of_key(const std::vector<std::string>& options, Query query) {
    Relation made = std::move(query.rows);
    ViewNode view{.name = next_view(), .key = made.key};
    view.grouped = true;
    view.event_time = made.event_time;
    view.visible = made.fields.size();
    made.name = view.name;
    made.takes_no_options = false;
    create_view(view.name, options, query.sql);
    made.node = add(view, {made.node});
    relations_.push_back(std::move(made));
  }

  // By the column `group`, if there is one.
  Query groups_query(const Relation& input, std::optional<size_t> group = std::nullopt) {
    Grouped grouped;
    if (group) {
      add_group(bare(input, *group), names_of(input.fields)[*group], &grouped);
    } else {
      add_group_columns(input, dice_.one_in(6) ? 0 : dice_.between(1, 2), &grouped);
    }
    const size_t keys = grouped.groups.size();
    for (int64_t i = dice_.between(1, 4); i > 0; --i) add_call(input, keys, &grouped);
    if (dice_.one_in(3)) select_computed(&grouped);
    return grouped_query(input, input.name, keys, std::move(grouped));
  }

  void add_groups(const Relation& input) { view_of_key(grace_of(input), groups_query(input)); }

  // When what a window sums up happened, by its end.
  static ExprRef time_of_end(const ExprRef& end) {
    return std::make_shared<const Expr>(
        Expr{Op::kShift, Type::timestamptz(), 0, Value::bigint(-1), {end}});
  }

  void select_window_time(size_t window_end, Grouped* grouped) {
    select(grouped, "window_time", 0, Type::timestamptz());
    grouped->shown.back() = time_of_end(column(window_end, Type::timestamptz()));
  }

  // The columns of the window that GROUP BY names; returns how many of them are the key's.
  size_t select_window(const Window& window, Grouped* grouped) {
    const size_t groups = grouped->op.groups.size();
    const bool by_end = window.kind == Window::Kind::kCumulate;
    const bool session = window.kind == Window::Kind::kSession;
    const std::vector<std::string> bounds{"window_start", "window_end"};
    select(grouped, bounds[by_end], groups + by_end, Type::timestamptz());
    grouped->groups.push_back(bounds[by_end]);
    if (session || dice_.coin()) {
      select(grouped, bounds[!by_end], groups + !by_end, Type::timestamptz());
      grouped->groups.push_back(bounds[!by_end]);
    }
    if (dice_.one_in(3)) select_window_time(groups + 1, grouped);
    return session ? 2 : 1;
  }

  // With `options`, some of them; else the statement has none.
  Query window_query(const Relation& input, Window::Kind kind, std::vector<std::string>* options) {
    Grouped grouped;
    add_group_columns(input, dice_.between(0, plain_ ? 1 : 2), &grouped);
    const size_t groups = grouped.op.groups.size();
    Window window = choose_window(dice_, kind, input.changelog, grouped.arguments.size());
    if (options && dice_.coin()) window.grace_us = dice_.between(1, 20) * kMicrosPerSecond;
    grouped.arguments.push_back(input.event_time ? bare(input, *input.event_time)
                                                 : time_of_end(bare(input, *input.window_end)));
    grouped.op.window = window;
    const size_t keys = groups + select_window(window, &grouped);
    for (int64_t i = dice_.between(1, 4); i > 0; --i) add_call(input, groups + 2, &grouped);

    if (window.grace_us > 0) options->push_back("grace = " + seconds(window.grace_us));
    if (options && (input.is_final || dice_.one_in(plain_ ? 2 : 3))) {
      grouped.op.final = true;
      options->push_back("emit = 'final'");
    }
    if (options && dice_.one_in(3)) {
      grouped.op.retention_us = dice_.between(1, 60) * kMicrosPerSecond;
      options->push_back("retention = " + seconds(*grouped.op.retention_us));
    }
    if (dice_.one_in(3)) select_computed(&grouped);
    const std::string time =
        input.event_time ? input.fields[*input.event_time].name : "window_time";
    return grouped_query(input, window_function(window, input.name, time), keys,
                         std::move(grouped));
  }

  void add_window(const Relation& input, Window::Kind kind) {
    std::vector<std::string> options;
    Query query = window_query(input, kind, input.takes_no_options ? nullptr : &options);
    view_of_key(options, std::move(query));
    // The order of what closes at once shows in an output.
    if (!relations_.back().changelog && dice_.coin()) add_output(Relation(relations_.back()));
  }
};

}  // namespace

GeneratedPlan generate_plan(Dice& dice) {
  return Generator(dice).run();
}

}  // namespace kappa::model
