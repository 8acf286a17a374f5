#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/types/batch.h"
#include "operators/evaluator.h"
#include "operators/expression.h"
#include "operators/functions.h"

// Expressions and batches for tests, without the SQL front end.
namespace kappa::operators {

// "bigint" and "5", "numeric(12,2)" and "1.50", any type and "NULL". Fails the test if it is none.
Value value_of(Type type, std::string_view text);
inline Value operator""_text(const char* text, size_t size) {
  return Value::text(std::string(text, size));
}

// A call as the binder makes it: resolved, with casts where the function takes other types.
// `literals`: text constants among `args` have no type yet. Fails the test if it does not resolve.
ExprRef call(std::string_view name, std::vector<ExprRef> args, SqlPosition position = {},
             bool literals = false);
ExprRef cast_to(ExprRef arg, Type type, bool lenient = false, SqlPosition position = {});
// CASE, AND, OR, NOT, IS NULL, COALESCE.
ExprRef form(ExprKind kind, Type type, std::vector<ExprRef> args);

// Rows of values as a batch; the arena holds its strings.
Batch batch_of(const std::vector<Type>& types, const std::vector<Row>& rows, Arena& arena);

// What an expression makes of a batch, row by row: the text of the value, or "error: …".
std::vector<std::string> run(const ExprRef& expr, const Batch& batch);

// What a function makes of values: the text of the result, or "error: …". Computed in every way
// there is, which must all agree: folded, with each choice of arguments as columns and constants,
// in batches among other rows and nulls, and on some rows only.
std::string result_of(std::string_view name, const std::vector<Value>& args);
// The same with the type of the result: "1.50 numeric(13,2)".
std::string typed_result_of(std::string_view name, const std::vector<Value>& args);
// The same for a cast.
std::string cast_result_of(const Value& value, Type type, bool lenient = false);

// The error of a call that does not resolve; fails the test if it does.
std::string resolve_error(std::string_view name, const std::vector<Type>& args,
                          const std::vector<bool>& literals = {});
// "numeric(13,2) <- numeric(10,0), numeric(12,2)": what a call binds to.
std::string resolved(std::string_view name, const std::vector<Type>& args,
                     const std::vector<bool>& literals = {});

}  // namespace kappa::operators
