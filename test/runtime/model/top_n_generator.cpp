#include "test/runtime/model/top_n_generator.h"

#include <algorithm>

#include "test/runtime/model/expression_generator.h"

namespace kappa::model {
namespace {

std::string text(const ExprRef& expr, const Relation& input) {
  return to_sql(*expr, names_of(input.fields));
}

std::vector<ExprRef> some_columns(Draft& draft, const Relation& input) {
  Dice& dice = draft.dice();
  std::vector<ExprRef> exprs;
  if (dice.coin()) {
    for (const size_t key : input.key) exprs.push_back(Draft::bare(input, key));
  }
  if (input.event_time && dice.coin()) exprs.push_back(Draft::bare(input, *input.event_time));
  exprs.push_back(Draft::bare(input, draft.key_column(input)));
  for (int64_t i = dice.between(1, 3); i > 0; --i) exprs.push_back(draft.item(input));
  return exprs;
}

// An item of ORDER BY over column `index`, which is written `sql`.
std::string order_item(Dice& dice, size_t index, const std::string& sql, TopNNode* top) {
  TopNNode::Order by{.column = index, .descending = dice.coin()};
  by.nulls_first = by.descending;
  std::string item = sql + (by.descending ? " DESC" : dice.coin() ? " ASC" : "");
  if (dice.one_in(3)) {
    by.nulls_first = dice.coin();
    item += by.nulls_first ? " NULLS FIRST" : " NULLS LAST";
  }
  top->order.push_back(by);
  return item;
}

// A view of one row a key, of the columns `exprs` over the input and maybe some behind them.
void finish(Draft& draft, const Relation& input, const std::vector<ExprRef>& exprs,
            std::vector<Field> fields, std::vector<size_t> key, const std::string& select,
            size_t node) {
  Relation made{.name = draft.next_view(), .node = 0, .fields = std::move(fields)};
  if (input.event_time) made.event_time = Draft::position_of(exprs, *input.event_time);
  made.changelog = true;
  made.timed = input.timed;
  made.key = key;
  ViewNode view{.name = made.name, .key = std::move(key)};
  view.grouped = true;
  view.event_time = made.event_time;
  view.visible = made.fields.size();
  draft.create_view(made.name, {}, select);
  made.node = draft.add(view, {node});
  draft.relations().push_back(std::move(made));
}

// A SELECT of ROW_NUMBER() and the one around it, as they grow.
class TopNSelect {
 public:
  TopNSelect(Draft& draft, const Relation& input)
      : draft_(draft), dice_(draft.dice()), input_(input), read_(some_columns(draft, input)) {
    columns_.assign(read_.begin(), read_.end());
    if (!dice_.one_in(5)) choose_partition();
    top_.limit = static_cast<size_t>(dice_.between(1, 4));
    top_.changelog = input.changelog;
    shows_number_ = dice_.coin();
    second_ = dice_.one_in(4);
    choose_key();
  }

  void add_view() {
    const std::string inner = inner_select();
    // Whether the engine numbers rows that nothing shows is its own matter.
    top_.ranked = numbered_ || (second_ && top_.limit > 1);
    const size_t number = read_.size();
    size_t node = draft_.add(top_, {draft_.add(ProjectNode{read_}, {filtered_})});
    std::string outer = " FROM (" + inner + ") AS r WHERE " + bound();
    if (second_ && top_.limit > 1) {
      const ExprRef limit = constant(Value::bigint(static_cast<int64_t>(top_.limit)));
      node = draft_.add(
          FilterNode{make(Op::kEqual, Type::boolean(), {column(number, Type::bigint()), limit})},
          {node});
    }
    std::vector<Field> fields = Draft::fields_of(columns_);
    if (dice_.one_in(3)) {
      const ExprRef predicate = ExpressionGenerator(dice_, fields).predicate();
      outer += " AND (" + to_sql(*predicate, names_of(fields)) + ")";
      node = draft_.add(FilterNode{predicate}, {node});
    }
    std::vector<std::string> items = names_of(fields);
    if (shows_number_) items.emplace_back("rn");
    std::vector<ExprRef> shown;
    for (size_t i = 0; i < columns_.size(); ++i) shown.push_back(column(i, columns_[i]->type));
    if (numbered_) shown.push_back(column(number, Type::bigint()));
    if (numbered_) fields.push_back({"rn", Type::bigint()});
    node = draft_.add(ProjectNode{shown}, {node});
    finish(draft_, input_, columns_, std::move(fields), key_, "SELECT " + join(items, ", ") + outer,
           node);
  }

 private:
  // Of columns that are the same the first one stands for all of them.
  void choose_partition() {
    for (const size_t index : draft_.choose_key(columns_.size())) {
      size_t first = 0;
      while (text(columns_[first], input_) != text(columns_[index], input_)) ++first;
      if (std::find(top_.key.begin(), top_.key.end(), first) == top_.key.end()) {
        top_.key.push_back(first);
      }
    }
  }

  // The partition if there is one row of each; else that with the number, if it is shown; else the
  // rows' own; else the number comes along, hidden.
  void choose_key() {
    const auto natural = Draft::kept_key(input_, columns_);
    // Rows that change and have a key of no columns are one row.
    const bool by_natural = natural && (!natural->empty() || input_.changelog) && !input_.is_source;
    const bool by_number = top_.limit > 1 && (shows_number_ || !by_natural);
    key_ = top_.limit > 1 && !by_number ? *natural : top_.key;
    if (by_number) key_.push_back(columns_.size());
    numbered_ = shows_number_ || by_number;
  }

  std::string inner_select() {
    std::string sql = "SELECT " + join(Draft::select_items(columns_, input_), ", ");
    std::vector<std::string> partition;
    for (const size_t index : top_.key) partition.push_back(text(columns_[index], input_));
    std::vector<std::string> order;
    for (int64_t i = dice_.below(3); i > 0; --i) {
      read_.push_back(dice_.coin() ? draft_.item(input_)
                                   : Draft::bare(input_, draft_.key_column(input_)));
      order.push_back(order_item(dice_, read_.size() - 1, text(read_.back(), input_), &top_));
    }
    sql += ", ROW_NUMBER() OVER (";
    if (!partition.empty()) sql += "PARTITION BY " + join(partition, ", ") + " ";
    if (!order.empty()) sql += "ORDER BY " + join(order, ", ");
    sql += ") AS rn FROM " + input_.name;
    filtered_ = draft_.add_where(input_, &sql);
    return sql;
  }

  std::string bound() {
    const std::string limit = std::to_string(top_.limit);
    if (second_) return "rn = " + limit;
    return dice_.coin() ? "rn <= " + limit : "rn < " + std::to_string(top_.limit + 1);
  }

  Draft& draft_;
  Dice& dice_;
  const Relation& input_;
  std::vector<ExprRef> read_;     // below: what is selected, then what only orders
  std::vector<ExprRef> columns_;  // that are selected
  TopNNode top_;
  bool shows_number_ = false;
  bool second_ = false;  // it asks for one number only
  bool numbered_ = false;
  std::vector<size_t> key_;
  size_t filtered_ = 0;
};

}  // namespace

void add_top_n(Draft& draft, const Relation& input) {
  TopNSelect(draft, input).add_view();
}

bool add_first(Draft& draft, const Relation& input) {
  Dice& dice = draft.dice();
  const std::vector<ExprRef> exprs = some_columns(draft, input);
  TopNNode top;
  top.changelog = input.changelog;
  top.key = draft.choose_key(exprs.size());
  std::vector<std::string> names;
  for (const size_t index : top.key) names.push_back("c" + std::to_string(index));
  std::vector<std::string> order = names;
  dice.shuffle(&order);
  for (size_t i = 0; i < exprs.size(); ++i) {
    const bool of_key = std::any_of(top.key.begin(), top.key.end(), [&](size_t index) {
      return text(exprs[index], input) == text(exprs[i], input);
    });
    if (of_key || dice.coin()) continue;
    order.push_back(order_item(dice, i, "c" + std::to_string(i), &top));
  }
  if (top.order.empty()) return false;
  std::string from = " FROM " + input.name;
  const size_t filtered = draft.add_where(input, &from);
  const size_t node = draft.add(top, {draft.add(ProjectNode{exprs}, {filtered})});
  finish(draft, input, exprs, Draft::fields_of(exprs), top.key,
         "SELECT DISTINCT ON (" + join(names, ", ") + ") " +
             join(Draft::select_items(exprs, input), ", ") + from + " ORDER BY " +
             join(order, ", "),
         node);
  return true;
}

}  // namespace kappa::model
