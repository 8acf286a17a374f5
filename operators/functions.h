#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/types/arena.h"
#include "engine/types/column.h"
#include "engine/types/type.h"
#include "engine/types/value.h"

namespace kappa::operators {

// A failed evaluation of one row: "division by zero", "integer out of range". The row passes no
// value on; the caller counts and dead-letters it.
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

// Collects what fails inside a kernel. While it is lenient (try_cast), it keeps the rows only.
class ErrorSink {
 public:
  // `message` is the text, or a callable that makes it, which is then called only where errors are
  // kept.
  template <typename Message>
  void fail(uint32_t row, Message&& message) {
    failed_.push_back(row);
    if (lenient_) return;
    if constexpr (std::is_invocable_v<Message>) {
      errors_.push_back({row, line_, column_, std::forward<Message>(message)()});
    } else {
      errors_.push_back({row, line_, column_, std::string(std::forward<Message>(message))});
    }
  }

  // Names the expression whose kernel runs next and forgets the failed rows of the one before.
  void enter(uint32_t line, uint32_t column, bool lenient);
  // Rows that failed since enter(): the evaluator makes them null.
  std::span<const uint32_t> failed() const { return failed_; }
  std::vector<RowError>& errors() { return errors_; }

 private:
  std::vector<RowError> errors_;
  std::vector<uint32_t> failed_;
  uint32_t line_ = 0;
  uint32_t column_ = 0;
  bool lenient_ = false;
};

// What a function makes once of its constant arguments: a compiled pattern, a unit of time.
class KernelState {
 public:
  virtual ~KernelState() = default;
};

// An argument: a column of the batch's rows, or a constant of one row that stands for all of them.
struct KernelArg {
  const Column* column;
  bool constant;
};

// What a kernel works on.
struct KernelCall {
  std::span<const KernelArg> args;
  Selection selection;
  Column& out;
  Arena& arena;
  ErrorSink& errors;
  const KernelState* state;  // of ScalarFunction::prepare; may be null
};

// Computes `out` (sized to the batch, typed, zeroed) at the selected rows. At least one argument is
// a column, unless there are none. If the function is strict, the nulls of the arguments are
// already in out's nulls: those rows hold zero values in the arguments, what the kernel computes
// for them is discarded, and it must not report them as failed.
using ScalarKernel = void (*)(const KernelCall& call);

// The result type, where it depends on the arguments' types (numeric) or on the value of constant
// ones. `constants[i]` is null unless argument i is known; the span may be empty.
using ResultRule = absl::StatusOr<Type> (*)(std::span<const Type> args,
                                            std::span<const Value* const> constants);

// State from the constant arguments (null pointers: those that are not). Null if there is nothing
// to prepare or it fails; the kernel then finds out row by row.
using PrepareRule = std::unique_ptr<KernelState> (*)(std::span<const Value* const> constants);

struct ScalarFunction {
  std::string name;        // "+", "=", "upper", "date_trunc"
  std::vector<Type> args;  // numeric: any precision and scale; kNull: any type, cast to text
  Type result;             // numeric: see result_rule
  ScalarKernel kernel = nullptr;
  bool strict = true;           // null in, null out
  bool variadic = false;        // the last argument may come once or more often
  bool unified = false;         // all arguments are cast to their common type (greatest, least)
  bool infallible = false;      // no row can fail
  bool reads_integers = false;  // takes an integer column where it takes numeric(…,0)
  ResultRule result_rule = nullptr;
  PrepareRule prepare = nullptr;
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
// `constants`, if given, has the values of the arguments that are constants: round(x, 2) then has
// two digits in its type, and a literal taken as numeric has its own digits.
//
// Names are lower case. Those that SQL writes otherwise: LIKE "~~", ILIKE "~~*", their negations
// "!~~" and "!~~*"; "is distinct from", "is not distinct from"; unary minus "-" of one argument;
// != is "<>".
//
// NotFound: names the function and the signatures that exist, with "did you mean" for a
// misspelling. InvalidArgument: the call is ambiguous, or its numeric result has more than 38
// digits.
absl::StatusOr<ResolvedCall> resolve_function(std::string_view name, std::span<const Type> args,
                                              const std::vector<bool>& literals,
                                              std::span<const Value* const> constants = {});

// Every name there is, ascending, for documentation and "did you mean".
std::vector<std::string> function_names();
// Every function, as it is written: "upper(text)", "bigint + bigint", "concat(any, ...)".
std::vector<std::string> function_signatures();

// Whether a value of `from` may be cast to `to` implicitly (nothing is ever lost) / by an explicit
// cast.
bool can_cast_implicitly(const Type& from, const Type& to);
bool can_cast_explicitly(const Type& from, const Type& to);

// The type that both (CASE branches, UNION columns, comparison sides) are cast to, if there is one.
// Numerics: digits enough for both, at most 38.
absl::StatusOr<Type> common_type(const Type& a, const Type& b);

}  // namespace kappa::operators
