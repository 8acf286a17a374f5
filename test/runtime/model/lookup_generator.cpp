#include "test/runtime/model/lookup_generator.h"

#include <algorithm>

#include "engine/types/time.h"
#include "test/runtime/model/expression_generator.h"

namespace kappa::model {
namespace {

class LookupGenerator {
 public:
  explicit LookupGenerator(Draft& draft) : draft_(draft), dice_(draft.dice()) {}

  std::optional<Relation> run() {
    std::vector<Relation> lefts;
    for (const Relation& relation : draft_.relations()) {
      if (!relation.changelog) lefts.push_back(relation);
    }
    // The first is a source.
    Relation joined = dice_.coin() ? dice_.pick(lefts) : lefts.front();
    // Over what is joined itself, a record may move on the time of what it looks up.
    if (rights().empty() || dice_.one_in(3)) {
      add_view_to_look_up(dice_.coin() ? Relation(joined) : dice_.pick(lefts));
    }
    joined.name += " AS j0";
    joined.window_end.reset();
    for (Field& field : joined.fields) field.name = "j0." + field.name;
    const int64_t lookups = dice_.one_in(3) ? 2 : 1;
    for (int64_t i = 1; i <= lookups; ++i) {
      if (!add_lookup("j" + std::to_string(i), &joined) && i == 1) return std::nullopt;
    }
    return joined;
  }

 private:
  size_t add(decltype(Node::op) op, std::vector<size_t> inputs) {
    return draft_.add(std::move(op), std::move(inputs));
  }
  static ExprRef bare(const Relation& input, size_t index) { return Draft::bare(input, index); }

  std::vector<Relation> rights() const {
    std::vector<Relation> rights;
    for (const Relation& relation : draft_.relations()) {
      if (!relation.is_source && !relation.key.empty()) rights.push_back(relation);
    }
    return rights;
  }

  // Facts that a lookup may come too late for, or the latest rows of a key of which there are few.
  void add_view_to_look_up(const Relation& input) {
    ViewNode view{.name = draft_.next_view()};
    std::vector<std::string> options;
    std::vector<ExprRef> exprs;
    const bool forgets = input.event_time && !input.key.empty();
    if (forgets) {
      for (const size_t column : input.key) exprs.push_back(bare(input, column));
      exprs.push_back(bare(input, *input.event_time));
      view.grouped = !input.is_source;
      view.event_time = Draft::position_of(exprs, *input.event_time);
      view.retention_us = dice_.between(1, 60) * kMicrosPerSecond;
      options.push_back("retention = " + seconds(*view.retention_us));
    } else {
      exprs = small_key(input);
      if (exprs.empty() || Draft::kept_key(input, exprs)) return;
      view.latest_wins = true;
    }
    const size_t keys = forgets ? input.key.size() : exprs.size();
    for (int64_t i = dice_.between(1, 3); i > 0; --i) exprs.push_back(draft_.item(input));
    Relation made{.name = view.name, .node = 0, .fields = Draft::fields_of(exprs)};
    for (size_t i = 0; i < keys; ++i) made.key.push_back(i);
    if (!forgets) options.push_back("key = '" + Draft::key_names(made) + "'");
    made.event_time = view.event_time;
    made.changelog = !forgets;
    made.forgets = forgets;
    made.timed = input.timed;
    made.by_records = forgets && input.by_records;
    view.key = made.key;
    view.visible = exprs.size();
    std::string from = " FROM " + input.name;
    const size_t filtered = draft_.add_where(input, &from);
    draft_.create_view(view.name, options,
                       "SELECT " + join(Draft::select_items(exprs, input), ", ") + from);
    made.node = add(view, {add(ProjectNode{exprs}, {filtered})});
    draft_.relations().push_back(std::move(made));
  }

  // One column or two of which there are few values.
  std::vector<ExprRef> small_key(const Relation& input) {
    std::vector<ExprRef> key;
    for (size_t i = 0; i < input.fields.size(); ++i) {
      const TypeId type = input.fields[i].type.id;
      const bool few = draft_.has_few_values(input.fields[i].type) || type == TypeId::kBigint;
      if (few) key.push_back(bare(input, i));
    }
    dice_.shuffle(&key);
    if (const auto odd = draft_.odd_column(input, 2)) key.insert(key.begin(), bare(input, *odd));
    key.resize(std::min<size_t>(key.size(), dice_.one_in(3) ? 2 : 1));
    return key;
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
    while (dice_.coin()) {
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
    const std::vector<Relation> views = rights();
    if (views.empty()) return false;
    const Relation right = dice_.pick(views);
    LookupNode lookup;
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

  Draft& draft_;
  Dice& dice_;
};

}  // namespace

std::optional<Relation> random_lookup(Draft& draft) {
  return LookupGenerator(draft).run();
}

}  // namespace kappa::model
