#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/types/type.h"
#include "engine/types/value.h"

namespace kappa::operators {

// Where in a SQL text something stands. Lines and columns count from 1; columns count characters.
struct SqlPosition {
  uint32_t line = 0;
  uint32_t column = 0;
};

struct ScalarFunction;  // operators/functions.h
class Model;            // operators/model.h

enum class ExprKind : uint8_t {
  kColumn,    // the input's column `column`
  kConstant,  // `constant`
  kCall,      // `function` over `args`; a null argument makes a null unless the function says else
  kCast,      // args[0] to `type`; `lenient` (try_cast): an error becomes NULL
  kCase,      // args = when, then, when, then, …, else (always there, maybe a NULL constant)
  kAnd,       // SQL's three-valued logic over two or more booleans
  kOr,
  kNot,
  kIsNull,  // never null itself
  kCoalesce,
  kPredict,  // the score of `model` for `args`, its features as double precision
};

// A bound, typed expression: immutable, shared between plans and threads.
//
// Comparison, arithmetic and everything with a name are kCall. Implicit casts are explicit here:
// the arguments of a call have exactly the types that its function takes.
struct Expr {
  ExprKind kind;
  Type type;
  SqlPosition position;
  int column = -1;
  Value constant;
  const ScalarFunction* function = nullptr;
  bool lenient = false;
  std::shared_ptr<const Model> model;
  std::vector<std::shared_ptr<const Expr>> args;
};
using ExprRef = std::shared_ptr<const Expr>;

ExprRef column_expr(int column, Type type, SqlPosition position = {});
ExprRef constant_expr(Value value, SqlPosition position = {});

// Canonical text: equal text means equal meaning. Part of fingerprints; columns are written #0, #1.
std::string describe(const Expr& expr);

}  // namespace kappa::operators
