#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/types/arena.h"
#include "engine/types/column.h"
#include "engine/types/type.h"

namespace kappa::operators {

// A failed evaluation of one row: "division by zero", "value out of range for integer". The row
// passes no value on; the caller counts and dead-letters it.
struct RowError {
  uint32_t row;
  uint32_t line;  // of the expression that failed, in its SQL text
  uint32_t column;
  std::string message;
};

// Rows of a batch to work on: all `count` first ones, or those that `rows` lists (ascending).
struct Selection {
  const uint32_t* rows = nullptr;
  size_t count = 0;

  static Selection all(size_t count) { return {nullptr, count}; }
  uint32_t operator[](size_t i) const { return rows ? rows[i] : static_cast<uint32_t>(i); }
};

// Collects what fails inside a kernel.
class ErrorSink {
 public:
  void fail(uint32_t row, std::string message);
  // (implementation detail of the evaluator: position stack, lenient casts)
  std::vector<RowError> errors;
  uint32_t line = 0;
  uint32_t column = 0;
};

// Computes `out` (sized to the batch, typed) at the selected rows. Nulls of the arguments are
// already in out's nulls when the function is strict; those rows hold zero values in the arguments
// and whatever the kernel computes for them is discarded, errors included.
using ScalarKernel = void (*)(const std::vector<const Column*>& args, Selection selection,
                              Column& out, Arena& arena, ErrorSink& errors);

struct ScalarFunction {
  std::string name;         // "+", "=", "upper", "date_trunc"
  std::vector<Type> args;   // numeric: any precision and scale; resolved ones are in Expr::type
  Type result;
  bool strict = true;       // null in, null out
  ScalarKernel kernel = nullptr;
};

// What a call binds to: the function, the types its arguments must be cast to, and its result type
// (numeric results depend on the arguments' scales).
struct ResolvedCall {
  const ScalarFunction* function;
  std::vector<Type> arg_types;
  Type result;
};

// Resolves an operator or function by PostgreSQL's rules: exact match, then implicit casts (integer
// → bigint → numeric → double precision; a NULL or an untyped text literal takes the type that
// fits). Types of kNull stand for a bare NULL. `literals[i]`: argument i is an untyped literal.
// NotFound: names the function and the signatures that exist, with "did you mean" for a misspelling.
absl::StatusOr<ResolvedCall> resolve_function(std::string_view name, std::span<const Type> args,
                                              const std::vector<bool>& literals);

// Every name there is, for documentation and "did you mean".
std::vector<std::string> function_names();

// Whether a value of `from` may be cast to `to` implicitly / by an explicit cast.
bool can_cast_implicitly(const Type& from, const Type& to);
bool can_cast_explicitly(const Type& from, const Type& to);

// The type that both (CASE branches, UNION columns, comparison sides) are cast to, if there is one.
absl::StatusOr<Type> common_type(const Type& a, const Type& b);

}  // namespace kappa::operators
