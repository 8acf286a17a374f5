#include "test/runtime/model/group_generator.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "engine/types/time.h"
#include "test/runtime/model/call_types.h"
#include "test/runtime/model/expression_generator.h"
#include "test/runtime/model/window_generator.h"

namespace kappa::model {
namespace {

class GroupGenerator {
 public:
  explicit GroupGenerator(Draft& draft) : draft_(draft), dice_(draft.dice()) {}

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
                               : Draft::bare(input, draft_.key_column(input));
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
        grouped->arguments.push_back(Draft::bare(input, *input.event_time));
        if (call->call != Call::kDecayedSum) return "";
        call->half_life_us = dice_.between(1, 40) * 250 * kMicrosPerMilli;
        return ", INTERVAL " + seconds(call->half_life_us);
      case Call::kArgMin:
      case Call::kArgMax: {
        ExprRef by = draft_.item(input);
        while (by->type.id == TypeId::kBoolean) by = draft_.item(input);
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

  // Then there is nothing that arg_min() could go by.
  static bool has_only_booleans(const Relation& input) {
    return std::all_of(input.fields.begin(), input.fields.end(),
                       [](const Field& field) { return field.type.id == TypeId::kBoolean; });
  }

  void add_call(const Relation& input, size_t first_call, Grouped* grouped) {
    auto [kind, sql] = dice_.pick(call_names());
    const ExprRef argument = draft_.item(input);
    const bool lacks_second =
        (kind == Call::kArgMin || kind == Call::kArgMax) && has_only_booleans(input);
    if (lacks_second ||
        is_refused(kind, argument->type, input.changelog, input.event_time.has_value())) {
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
    return draft_.add(FilterNode{replace_columns(predicate, grouped.shown)}, {aggregate});
  }

  Query grouped_query(const Relation& input, const std::string& function, size_t keys,
                      Grouped grouped) {
    std::string from = " FROM " + function;
    const size_t filtered = draft_.add_where(input, &from);
    if (!grouped.groups.empty()) from += " GROUP BY " + join(grouped.groups, ", ");

    Relation made{.name = draft_.next_view(), .node = 0, .fields = grouped.fields};
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
    const size_t arguments = draft_.add(ProjectNode{grouped.arguments}, {filtered});
    const size_t aggregate = add_having(grouped, draft_.add(grouped.op, {arguments}), &from);
    made.node = draft_.add(ProjectNode{grouped.shown}, {aggregate});
    return {"SELECT " + join(items, ", ") + from, std::move(made)};
  }

  // By the column `group`, if there is one.
  Query groups_query(const Relation& input, std::optional<size_t> group) {
    Grouped grouped;
    if (group) {
      add_group(Draft::bare(input, *group), names_of(input.fields)[*group], &grouped);
    } else {
      add_group_columns(input, dice_.one_in(6) ? 0 : dice_.between(1, 2), &grouped);
    }
    const size_t keys = grouped.groups.size();
    for (int64_t i = dice_.between(1, 4); i > 0; --i) add_call(input, keys, &grouped);
    if (dice_.one_in(3)) select_computed(&grouped);
    return grouped_query(input, input.name, keys, std::move(grouped));
  }

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
  size_t select_window(const Window& window, const Shown& shown, Grouped* grouped) {
    const size_t groups = grouped->op.groups.size();
    const bool by_end = window.kind == Window::Kind::kCumulate;
    const bool session = window.kind == Window::Kind::kSession;
    const std::vector<std::string> bounds{"window_start", "window_end"};
    select(grouped, bounds[by_end], groups + by_end, Type::timestamptz());
    grouped->groups.push_back(bounds[by_end]);
    if (session || (!shown.counts_only && dice_.coin())) {
      select(grouped, bounds[!by_end], groups + !by_end, Type::timestamptz());
      grouped->groups.push_back(bounds[!by_end]);
    }
    if (shown.time || shown.counts_only || dice_.one_in(3)) select_window_time(groups + 1, grouped);
    return session ? 2 : 1;
  }

  void add_counts(const Relation& input, size_t first_call, Grouped* grouped) {
    select(grouped, "count(*)", first_call, Type::bigint());
    grouped->op.calls.push_back({.call = Call::kCountStar, .filter = {}, .result = Type::bigint()});
    const ExprRef argument = draft_.item(input);
    select(grouped, "count(DISTINCT " + to_sql(*argument, names_of(input.fields)) + ")",
           first_call + 1, Type::bigint());
    grouped->op.calls.push_back({.call = Call::kCountDistinct,
                                 .argument = grouped->arguments.size(),
                                 .filter = {},
                                 .result = Type::bigint()});
    grouped->arguments.push_back(argument);
  }

  Query window_query(const Relation& input, Window::Kind kind, const Emission& emission,
                     const Shown& shown) {
    Grouped grouped;
    if (shown.group) {
      add_group(Draft::bare(input, *shown.group), names_of(input.fields)[*shown.group], &grouped);
    } else {
      add_group_columns(input, dice_.between(0, draft_.plain() ? 1 : 2), &grouped);
    }
    const size_t groups = grouped.op.groups.size();
    Window window = choose_window(dice_, kind, input.changelog, grouped.arguments.size());
    window.grace_us = emission.grace_us;
    grouped.op.final = emission.final;
    grouped.op.retention_us = emission.retention_us;
    grouped.arguments.push_back(input.event_time
                                    ? Draft::bare(input, *input.event_time)
                                    : time_of_end(Draft::bare(input, *input.window_end)));
    grouped.op.window = window;
    const size_t keys = groups + select_window(window, shown, &grouped);
    if (shown.counts_only) {
      add_counts(input, groups + 2, &grouped);
    } else {
      for (int64_t i = dice_.between(1, 4); i > 0; --i) add_call(input, groups + 2, &grouped);
      if (dice_.one_in(3)) select_computed(&grouped);
    }
    const std::string time =
        input.event_time ? input.fields[*input.event_time].name : "window_time";
    return grouped_query(input, window_function(window, input.name, time), keys,
                         std::move(grouped));
  }

 private:
  Draft& draft_;
  Dice& dice_;
};

}  // namespace

Query groups_query(Draft& draft, const Relation& input, std::optional<size_t> group) {
  return GroupGenerator(draft).groups_query(input, group);
}

std::vector<std::string> Emission::options() const {
  std::vector<std::string> options;
  if (grace_us > 0) options.push_back("grace = " + seconds(grace_us));
  if (final) options.emplace_back("emit = 'final'");
  if (retention_us) options.push_back("retention = " + seconds(*retention_us));
  return options;
}

Emission choose_emission(Draft& draft, bool final) {
  Dice& dice = draft.dice();
  Emission emission;
  if (dice.coin()) emission.grace_us = dice.between(1, 20) * kMicrosPerSecond;
  emission.final = final || dice.one_in(draft.plain() ? 2 : 3);
  if (dice.one_in(3)) emission.retention_us = dice.between(1, 60) * kMicrosPerSecond;
  return emission;
}

Query window_query(Draft& draft, const Relation& input, Window::Kind kind, const Emission& emission,
                   const Shown& shown) {
  return GroupGenerator(draft).window_query(input, kind, emission, shown);
}

}  // namespace kappa::model
