#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "test/runtime/model/dice.h"
#include "test/runtime/model/plan_generator.h"

namespace kappa::model {

// Something that a SELECT can read.
struct Relation {
  std::string name;
  size_t node;
  std::vector<Field> fields;
  std::optional<size_t> event_time = {};
  std::optional<size_t> window_end = {};  // of a windowed view: the column, if it shows it
  bool is_source = false;                 // of equal keys the first row stays
  bool changelog = false;
  bool by_records = false;
  std::vector<size_t> key = {};  // empty: by record
  bool timed = false;            // some of its changes come when the watermark passes
  bool forgets = false;          // it has a retention
  // A query of the statement itself, to whose windows its options apply too: it takes none.
  bool takes_no_options = false;
  std::optional<int64_t> grace_us = {};  // of a join by time that the statement itself has
  // A query of the statement itself that has emit = 'final'.
  bool is_final = false;
  // Of the rows of a union in the statement itself nothing tells which is which.
  bool keyless = false;
};

// A SELECT, and the rows that it makes.
struct Query {
  std::string sql;
  Relation rows;
};

std::string join(const std::vector<std::string>& parts, const std::string& with);
std::vector<std::string> names_of(const std::vector<Field>& fields);
// A span of time as SQL text.
std::string seconds(int64_t us);

// The record that caused a row, as emit = 'final' over OVER adds it.
const std::vector<Field>& identity_fields();

// Leaves out what no view and no output reads.
void drop_unread(Plan* plan);

// A random product while it grows: what there is to read, and the parts that all SELECTs have.
class Draft {
 public:
  explicit Draft(Dice& dice) : dice_(dice) { plan().odd_doubles = dice.one_in(3); }

  Dice& dice() { return dice_; }
  Plan& plan() { return result_.plan; }
  std::vector<Relation>& relations() { return relations_; }
  // Plain statements have no WHERE, and compute nothing: what is wrong with any row shows in them.
  void set_plain(bool plain) { plain_ = plain; }
  bool plain() const { return plain_; }

  size_t add(decltype(Node::op) op, std::vector<size_t> inputs);
  void declare(const std::string& source) { result_.sql += source; }

  // The query as the statement that comes reads it: a table of its WITH, or a subquery, which has
  // no name that a window function takes.
  enum class Nesting : uint8_t { kAny, kWith, kFrom };
  Relation nest(Query query, Nesting nesting = Nesting::kAny);
  // WITH and its tables, if the statement that begins has any.
  std::string take_with();

  // The name of the view that is to be created next.
  std::string next_view() const { return "v" + std::to_string(result_.views.size()); }
  void create_view(const std::string& name, const std::vector<std::string>& options,
                   const std::string& select);

  // WHERE, now and then; says its text and returns the node that stands for it.
  size_t add_where(const Relation& input, std::string* sql);
  // A view of its input's rows, filtered and computed with, one for one: its key, and how long it
  // keeps them.
  struct RowsView {
    ViewNode view;
    Relation made;
    std::vector<std::string> options;
    bool by_identity = false;  // the key is the record that caused the row, in four more columns
  };
  // `exprs` are over the input's columns, and maybe more behind these. With `final` the rows come
  // out of a Reorder.
  RowsView view_of_rows(const Relation& input, const std::vector<ExprRef>& exprs, bool final);

  // A column to group or join by: most often one of which there are few values.
  size_t key_column(const Relation& input);
  bool has_few_values(Type type) const;
  // One of doubles, if these are odd, now and then.
  std::optional<size_t> odd_column(const Relation& input, int64_t one_in);
  // A column of the input as it is, or something computed.
  ExprRef item(const Relation& input);
  std::vector<size_t> choose_key(size_t columns);
  static std::string key_names(const Relation& relation);

  static ExprRef bare(const Relation& input, size_t index) {
    return column(index, input.fields[index].type);
  }
  static std::vector<std::string> select_items(const std::vector<ExprRef>& exprs,
                                               const Relation& input);
  static std::vector<Field> fields_of(const std::vector<ExprRef>& exprs);
  // Where a column of the input is among `exprs`.
  static std::optional<size_t> position_of(const std::vector<ExprRef>& exprs, size_t index);
  // Where the key columns of `input` are among `exprs`, if all are.
  static std::optional<std::vector<size_t>> kept_key(const Relation& input,
                                                     const std::vector<ExprRef>& exprs);

 protected:
  Dice& dice_;
  GeneratedPlan result_;
  std::vector<Relation> relations_;
  std::vector<std::string> with_;  // the next statement's
  bool plain_ = false;
  int64_t nested_ = 0;
};

}  // namespace kappa::model
