#include "test/runtime/model/plan_generator.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include "engine/types/time.h"
#include "test/runtime/model/call_types.h"
#include "test/runtime/model/draft.h"
#include "test/runtime/model/expression_generator.h"
#include "test/runtime/model/group_generator.h"
#include "test/runtime/model/join_generator.h"
#include "test/runtime/model/lookup_generator.h"
#include "test/runtime/model/over_generator.h"
#include "test/runtime/model/source_generator.h"
#include "test/runtime/model/top_n_generator.h"
#include "test/runtime/model/union_generator.h"
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
        return dice_.coin() ? add_union_of_any() : add_union_of_finals();
      case 5:
        if (has_wire_key(input) && (input.changelog || dice_.coin())) return add_changelog(input);
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
    kinds.emplace_back([this] { add_windows_and_union(); });
    kinds.emplace_back([this] { add_windows_and_union(); });
    kinds.emplace_back([this] { add_over_above_windows(); });
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
    const Relation rows = nest(over_query(*this, *source, true), Nesting::kWith);
    if (!takes_window(rows)) return with_.clear();
    add_window(rows, choose_window_kind(dice_));
  }

  // ---- what is final, united and read -------------------------------------------------------

  // A union of what is given out when the watermark passes.
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
    unite_finals(branches);
  }

  // As a view, or in the statement that reads it; something reads it, most often.
  void unite_finals(const std::vector<Relation>& finals) {
    Branches branches{.inputs = finals, .keyed = !dice_.one_in(5)};
    branches.timed = std::all_of(finals.begin(), finals.end(),
                                 [](const Relation& r) { return r.event_time.has_value(); });
    if (dice_.coin()) {
      Relation united = nest(union_query(*this, branches));
      if (dice_.one_in(3)) united = unite_again(united, finals.back());
      return read_finals(united);
    }
    add_union(*this, branches);
    if (!relations_.back().changelog && !dice_.one_in(3)) read_finals(Relation(relations_.back()));
  }

  // With one of its branches once more.
  Relation unite_again(const Relation& united, const Relation& branch) {
    Branches branches{.inputs = {united, branch}};
    branches.timed = united.event_time && branch.event_time;
    if (dice_.coin()) std::swap(branches.inputs.front(), branches.inputs.back());
    return nest(union_query(*this, branches));
  }

  // A statement over append-only rows.
  void read_finals(const Relation& input) {
    switch (dice_.below(8)) {
      case 0:
        return add_groups(input);
      case 1:
        return add_distinct(input);
      case 2:
        return add_top_n(*this, input);
      case 3:
        return add_rows(input);
      case 4:
        return add_output(input);
      case 5:
        if (takes_over(input)) return add_over(*this, input);
        return add_groups(input);
      default:
        if (takes_window(input)) return add_window(input, choose_window_kind(dice_));
        return add_output(input);
    }
  }

  // Final windows over sources by the same column, and their union.
  void add_windows_and_union() {
    const size_t group = key_column(any_source());
    const bool sessions = dice_.one_in(4);
    const auto choose_kind = [&] {
      Window::Kind kind = Window::Kind::kSession;
      while (!sessions && kind == Window::Kind::kSession) kind = choose_window_kind(dice_);
      return kind;
    };
    if (dice_.one_in(3)) return add_union_of_windows(group, choose_kind);
    std::vector<Relation> finals;
    for (int64_t i = dice_.between(2, 3); i > 0; --i) {
      const auto source = timed_source();
      if (!source) return;
      if (!finals.empty() && dice_.one_in(4)) {
        finals.push_back(finals.back());
        continue;
      }
      const Emission emission = choose_emission(*this, true);
      view_of_key(emission.options(),
                  window_query(*this, *source, choose_kind(), emission, {group, !dice_.one_in(4)}));
      finals.push_back(relations_.back());
    }
    unite_finals(finals);
  }

  // The windows are the statement's own, so its options are those of all of them: in WITH and FROM,
  // or as the branches themselves.
  template <typename ChooseKind>
  void add_union_of_windows(size_t group, ChooseKind choose_kind) {
    const bool as_they_are = dice_.one_in(3);
    Emission emission = choose_emission(*this, true);
    emission.retention_us.reset();
    std::vector<Query> windows;
    for (int64_t i = dice_.between(2, 3); i > 0; --i) {
      const auto source = timed_source();
      if (!source) return with_.clear();
      windows.push_back(
          window_query(*this, *source, choose_kind(), emission, {group, true, as_they_are}));
    }
    if (as_they_are) return add_union_of_queries(*this, windows, emission.options());
    Branches branches{.timed = true, .keyed = true};
    // Tables of WITH are planned before subqueries.
    const Nesting nesting = dice_.coin() ? Nesting::kWith : Nesting::kFrom;
    for (Query& window : windows) branches.inputs.push_back(nest(std::move(window), nesting));
    if (nesting == Nesting::kWith && dice_.one_in(4)) branches.inputs.push_back(branches.inputs[0]);
    switch (dice_.below(3)) {
      case 0:
        return add_union(*this, branches, emission.options());
      case 1:
        return view_of_key(emission.options(), distinct_query(nest(union_query(*this, branches))));
      default:
        return view_of_key(emission.options(),
                           window_query(*this, nest(union_query(*this, branches), Nesting::kWith),
                                        choose_window_kind(dice_), emission));
    }
  }

  // OVER above a final window. It answers as the windows come: with emit = 'final' the engine
  // refuses it, for no single record caused such a row.
  void add_over_above_windows() {
    const auto source = timed_source();
    if (!source) return;
    const Emission emission = choose_emission(*this, true);
    view_of_key(emission.options(),
                window_query(*this, *source, choose_window_kind(dice_), emission, {.time = true}));
    Relation input = relations_.back();
    if (dice_.coin()) input = nest(rows_query(input));
    if (takes_over(input)) return add_over(*this, input);
    with_.clear();
  }

  void add_plain_join(bool by_time) {
    if (!by_time) {
      // Of both sides the groups by one column, of which there are few.
      const size_t group = key_column(relations_.front());
      for (int side = 0; side < 2; ++side)
        view_of_key({}, groups_query(*this, any_source(), group));
    }
    const auto joined = by_time ? random_interval_join(*this) : random_relation_join(*this);
    if (joined) add_over_join(*joined);
  }

  void add_over_join(const Relation& joined) {
    const bool has_key = joined.by_records || !joined.key.empty();
    if (!joined.changelog && !joined.grace_us && dice_.one_in(3)) return add_output(joined);
    if (!has_key || dice_.one_in(joined.changelog ? 2 : 3)) return add_groups(joined);
    if (has_wire_key(joined) && !joined.grace_us && dice_.one_in(3)) return add_changelog(joined);
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
        return groups_query(*this, input);
      case 1:
        return takes_window(input) ? window_query(*this, input, choose_window_kind(dice_))
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

  // Whether its key can be a topic's, whose types are written out: the engine knows those of
  // computed numerics more closely than the model does.
  static bool has_wire_key(const Relation& input) {
    return !input.key.empty() &&
           std::none_of(input.key.begin(), input.key.end(), [&](size_t column) {
             const Type type = input.fields[column].type;
             return type.id == TypeId::kNumeric && type.precision == 18;
           });
  }

  // INSERT INTO a topic of mode 'upsert': the key of what it reads, in any order, and more.
  void add_changelog(const Relation& input) {
    std::vector<ExprRef> exprs;
    std::vector<std::string> key;
    OutputNode output{.topic = "out" + std::to_string(result_.outputs.size()), .names = {}};
    for (const size_t column : input.key) {
      output.key.push_back(exprs.size());
      exprs.push_back(bare(input, column));
    }
    for (int64_t i = dice_.between(0, 3); i > 0; --i) exprs.push_back(item(input));
    if (output.key.size() > 1 && dice_.coin()) std::swap(output.key.front(), output.key.back());
    std::string from = " FROM " + input.name;
    const size_t filtered = add_where(input, &from);
    output.text_key = output.key.size() == 1 && exprs[output.key.front()]->type.id == TypeId::kText;
    std::vector<std::string> columns;
    for (const Field& field : fields_of(exprs)) {
      output.names.push_back(field.name);
      columns.push_back(field.name + " " + to_string(field.type));
    }
    for (const size_t column : output.key) key.push_back(output.names[column]);
    result_.sql += "CREATE FOREIGN TABLE " + output.topic + " (" + join(columns, ", ") +
                   ", PRIMARY KEY (" + join(key, ", ") + ")) SERVER log OPTIONS (topic '" +
                   output.topic + "', format 'json', mode 'upsert');\n";
    result_.sql += "INSERT INTO " + output.topic + " " + take_with() + "SELECT " +
                   join(select_items(exprs, input), ", ") + from + ";\n";
    result_.outputs.push_back(output.topic);
    const size_t node = add(ProjectNode{exprs}, {filtered});
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

  void add_union_of_any() {
    Branches branches{.inputs = pick_branches()};
    if (branches.inputs.size() < 2) return;
    branches.timed =
        !dice_.one_in(4) && std::all_of(branches.inputs.begin(), branches.inputs.end(),
                                        [](const Relation& r) { return r.event_time.has_value(); });
    branches.keyed = dice_.coin() && same_key_types(branches.inputs);
    add_union(*this, branches);
  }

  // ---- groups -------------------------------------------------------------------------------

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

  void add_groups(const Relation& input) {
    view_of_key(grace_of(input), groups_query(*this, input));
  }

  void add_window(const Relation& input, Window::Kind kind) {
    Emission emission;
    if (!input.takes_no_options) emission = choose_emission(*this, input.is_final);
    Query query = window_query(*this, input, kind, emission);
    view_of_key(emission.options(), std::move(query));
    // The order of what closes at once shows in an output.
    if (!relations_.back().changelog && dice_.coin()) add_output(Relation(relations_.back()));
  }
};

}  // namespace

GeneratedPlan generate_plan(Dice& dice) {
  return Generator(dice).run();
}

}  // namespace kappa::model
