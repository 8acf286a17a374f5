#include "test/runtime/model/union_generator.h"

#include <algorithm>
#include <utility>

#include "engine/types/time.h"
#include "test/runtime/model/expression_generator.h"

namespace kappa::model {
namespace {

// SELECTs under way to their union.
struct Selects {
  std::vector<std::string> sql;
  std::vector<std::vector<ExprRef>> exprs;
  std::vector<size_t> inputs;
};

// Its key and its event time, if all have the like, and something of the types.
std::vector<ExprRef> exprs_of(Draft& draft, const Branches& branches, const Relation& input,
                              const std::vector<Type>& types) {
  std::vector<ExprRef> exprs;
  if (branches.timed) exprs.push_back(Draft::bare(input, *input.event_time));
  for (size_t i = 0; branches.keyed && i < input.key.size(); ++i) {
    exprs.push_back(Draft::bare(input, input.key[i]));
  }
  for (const Type& type : types) {
    exprs.push_back(ExpressionGenerator(draft.dice(), input.fields).of_type(type, 1));
  }
  return exprs;
}

Selects select_branches(Draft& draft, const Branches& branches) {
  Dice& dice = draft.dice();
  std::vector<Type> types;
  for (int64_t i = dice.between(1, 3); i > 0; --i) types.push_back(dice.pick(column_types()));
  Selects selects;
  for (const Relation& input : branches.inputs) {
    selects.exprs.push_back(exprs_of(draft, branches, input, types));
    std::string from = " FROM " + input.name;
    selects.inputs.push_back(draft.add_where(input, &from));
    selects.sql.push_back("SELECT " + join(Draft::select_items(selects.exprs.back(), input), ", ") +
                          from);
  }
  return selects;
}

// The key of all branches, if it is the same columns.
std::vector<size_t> common_key(const Branches& branches, const Selects& selects) {
  std::vector<size_t> common;
  for (size_t b = 0; b < branches.inputs.size(); ++b) {
    const auto key = Draft::kept_key(branches.inputs[b], selects.exprs[b]);
    if (!key) return {};
    if (b == 0) common = *key;
    if (!std::is_permutation(common.begin(), common.end(), key->begin(), key->end())) return {};
  }
  return common;
}

// What is so of the union because it is of all branches, or of one.
Relation united(const Branches& branches, const Selects& selects) {
  Relation made{.name = "", .node = 0, .fields = Draft::fields_of(selects.exprs.front())};
  // One computed numeric makes a computed one of all.
  for (const std::vector<ExprRef>& exprs : selects.exprs) {
    for (size_t c = 0; c < exprs.size(); ++c) {
      Type& type = made.fields[c].type;
      if (type.id == TypeId::kNumeric && exprs[c]->type.precision > type.precision) {
        type = exprs[c]->type;
      }
    }
  }
  const std::vector<Relation>& inputs = branches.inputs;
  const auto any = [&](auto what) { return std::any_of(inputs.begin(), inputs.end(), what); };
  made.by_records = !any([](const Relation& input) { return !input.by_records; });
  made.timed = any([](const Relation& input) { return input.timed; });
  made.forgets = any([](const Relation& input) { return input.forgets; });
  if (branches.timed) made.event_time = 0;
  return made;
}

// The branches' rows, and behind them which branch they are of, if the key asks for it.
size_t add_nodes(Draft& draft, const Selects& selects, bool shows_branch) {
  std::vector<size_t> inputs;
  for (size_t b = 0; b < selects.inputs.size(); ++b) {
    std::vector<ExprRef> exprs = selects.exprs[b];
    if (shows_branch) exprs.push_back(constant(Value::integer(static_cast<int32_t>(b))));
    inputs.push_back(draft.add(ProjectNode{std::move(exprs)}, {selects.inputs[b]}));
  }
  return draft.add(UnionNode{}, std::move(inputs));
}

// Equal keys of two branches are two.
void add_branch_to_key(Relation* made) {
  made->key.push_back(made->fields.size());
  made->fields.push_back({"branch", Type::integer()});
}

void finish(Draft& draft, Relation made, ViewNode view, const std::vector<std::string>& options,
            const std::string& select, size_t node) {
  view.key = made.key;
  view.event_time = made.event_time;
  view.visible = made.fields.size();
  draft.create_view(view.name, options, select);
  made.node = draft.add(std::move(view), {node});
  draft.relations().push_back(std::move(made));
}

}  // namespace

bool same_key_types(const std::vector<Relation>& branches) {
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

void add_union(Draft& draft, const Branches& branches, std::vector<std::string> options) {
  Dice& dice = draft.dice();
  const Selects selects = select_branches(draft, branches);
  Relation made = united(branches, selects);
  made.name = draft.next_view();
  made.key = common_key(branches, selects);
  ViewNode view{.name = made.name};
  bool shows_branch = false;
  if (dice.one_in(6) || (made.key.empty() && !made.by_records)) {
    made.key = draft.choose_key(made.fields.size());
    options.push_back("key = '" + Draft::key_names(made) + "'");
    view.latest_wins = made.changelog = true;
    made.by_records = false;
  } else if (!made.key.empty()) {
    shows_branch = true;
    add_branch_to_key(&made);
    view.grouped = std::none_of(branches.inputs.begin(), branches.inputs.end(),
                                [](const Relation& input) { return input.is_source; });
  } else {
    view.by_record = true;
  }
  const size_t node = add_nodes(draft, selects, shows_branch);
  finish(draft, std::move(made), std::move(view), options, join(selects.sql, " UNION ALL "), node);
}

Query union_query(Draft& draft, const Branches& branches) {
  const Selects selects = select_branches(draft, branches);
  Relation made = united(branches, selects);
  made.keyless = true;
  made.node = add_nodes(draft, selects, false);
  return {join(selects.sql, " UNION ALL "), std::move(made)};
}

void add_union_of_queries(Draft& draft, const std::vector<Query>& queries,
                          std::vector<std::string> options) {
  Branches branches{.timed = true, .keyed = true};
  Selects selects;
  for (const Query& query : queries) {
    branches.inputs.push_back(query.rows);
    selects.sql.push_back(query.sql);
    selects.inputs.push_back(query.rows.node);
    std::vector<ExprRef>& exprs = selects.exprs.emplace_back();
    for (size_t i = 0; i < query.rows.fields.size(); ++i) {
      exprs.push_back(Draft::bare(query.rows, i));
    }
  }
  Relation made = united(branches, selects);
  made.name = draft.next_view();
  made.event_time = queries.front().rows.event_time;
  made.key = queries.front().rows.key;
  add_branch_to_key(&made);
  ViewNode view{.name = made.name};
  view.grouped = true;
  finish(draft, std::move(made), std::move(view), options, join(selects.sql, " UNION ALL "),
         add_nodes(draft, selects, true));
}

}  // namespace kappa::model
