#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/types/value.h"

namespace kappa::model {

enum class Op : uint8_t {
  kColumn,
  kConstant,
  kAdd,  // bigint, or numeric of one scale
  kSubtract,
  kMultiply,  // bigint
  kDivide,    // bigint
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kAnd,
  kOr,
  kNot,
  kIsNull,
  kCase,      // when, then, else
  kCoalesce,  // two
  kConcat,
  kLength,
  kShift,  // a time moved on by `constant` microseconds; has no SQL of its own
};

// An expression that both sides understand: the model evaluates it, the engine gets its SQL.
struct Expr {
  Op op;
  Type type;
  size_t column = 0;
  Value constant;
  std::vector<std::shared_ptr<const Expr>> args;
};
using ExprRef = std::shared_ptr<const Expr>;

ExprRef column(size_t index, Type type);
ExprRef constant(Value value);
ExprRef make(Op op, Type type, std::vector<ExprRef> args);

// The expression over other columns: by[i] instead of column i.
ExprRef replace_columns(const ExprRef& expr, const std::vector<ExprRef>& by);

// nullopt: the evaluation fails (division by zero, overflow).
std::optional<Value> evaluate(const Expr& expr, const Row& row);
// Parenthesised throughout; `names` are the columns'.
std::string to_sql(const Expr& expr, const std::vector<std::string>& names);

// The scaled value of a numeric or an integer, whatever its width.
int128 integer_of(const Value& value);
// A numeric value; its alternative follows its type, as everywhere.
Value numeric_value(Type type, int128 scaled);

}  // namespace kappa::model
