#include "operators/evaluator.h"

#include <catch2/catch.hpp>

#include "test/operators/expressions.h"

namespace kappa::operators {
namespace {

constexpr Type kBoolean = Type::boolean();
constexpr Type kInteger = Type::integer();
constexpr Type kText = Type::text();

using Rows = std::vector<std::string>;

ExprRef column(int index, Type type) {
  return column_expr(index, type);
}
ExprRef number(int32_t value) {
  return constant_expr(Value::integer(value));
}
ExprRef text(const char* value) {
  return constant_expr(Value::text(value));
}
ExprRef null_of(Type type) {
  return constant_expr(Value::null(type));
}
ExprRef negated(ExprRef arg) {
  return form(ExprKind::kNot, kBoolean, {std::move(arg)});
}
ExprRef is_null(ExprRef arg) {
  return form(ExprKind::kIsNull, kBoolean, {std::move(arg)});
}
ExprRef both(ExprRef a, ExprRef b) {
  return form(ExprKind::kAnd, kBoolean, {std::move(a), std::move(b)});
}
ExprRef either(ExprRef a, ExprRef b) {
  return form(ExprKind::kOr, kBoolean, {std::move(a), std::move(b)});
}
// 1 / x = 1, at line 3, column 7: fails where x is 0.
ExprRef divides(ExprRef x) {
  return call("=", {call("/", {number(1), std::move(x)}, {3, 7}), number(1)});
}

Batch integers(const std::vector<const char*>& values, Arena& arena) {
  std::vector<Row> rows;
  for (const char* value : values) rows.push_back({value_of(kInteger, value)});
  return batch_of({kInteger}, rows, arena);
}

// All pairs of true, false and null.
Batch truth_table(Arena& arena) {
  std::vector<Row> rows;
  for (const char* a : {"true", "false", "NULL"}) {
    for (const char* b : {"true", "false", "NULL"}) {
      rows.push_back({value_of(kBoolean, a), value_of(kBoolean, b)});
    }
  }
  return batch_of({kBoolean, kBoolean}, rows, arena);
}

TEST_CASE("a bare column is passed through without a copy") {
  Arena arena;
  const Batch batch = integers({"1", "NULL"}, arena);
  const Evaluator evaluator(column(0, kInteger));
  std::vector<RowError> errors;
  CHECK(evaluator.evaluate(batch, arena, &errors).get() == batch.columns[0].get());
  CHECK(evaluator.type() == kInteger);
}

TEST_CASE("a constant stands in every row") {
  Arena arena;
  const Batch batch = integers({"1", "2", "3"}, arena);
  CHECK(run(text("x"), batch) == Rows{"x", "x", "x"});
  CHECK(run(null_of(kText), batch) == Rows{"NULL", "NULL", "NULL"});
  CHECK(run(text("x"), integers({}, arena)).empty());
}

TEST_CASE("a batch without rows gives a column without rows") {
  Arena arena;
  const ExprRef sum = call("+", {column(0, kInteger), number(1)});
  CHECK(run(sum, integers({}, arena)).empty());
  CHECK(run(divides(column(0, kInteger)), integers({}, arena)).empty());
}

TEST_CASE("AND, OR and NOT follow three-valued logic") {
  Arena arena;
  const Batch batch = truth_table(arena);
  const ExprRef a = column(0, kBoolean);
  const ExprRef b = column(1, kBoolean);
  CHECK(run(both(a, b), batch) ==
        Rows{"true", "false", "NULL", "false", "false", "false", "NULL", "false", "NULL"});
  CHECK(run(either(a, b), batch) ==
        Rows{"true", "true", "true", "true", "false", "NULL", "true", "NULL", "NULL"});
  CHECK(run(negated(a), batch) ==
        Rows{"false", "false", "false", "true", "true", "true", "NULL", "NULL", "NULL"});
  CHECK(run(is_null(a), batch) ==
        Rows{"false", "false", "false", "false", "false", "false", "true", "true", "true"});
}

TEST_CASE("AND and OR follow three-valued logic where they evaluate some rows only") {
  Arena arena;
  const Batch batch = truth_table(arena);
  const ExprRef a = column(0, kBoolean);
  // The same as b, but not to be evaluated eagerly.
  const ExprRef b = cast_to(cast_to(column(1, kBoolean), kText), kBoolean);
  CHECK(run(both(a, b), batch) ==
        Rows{"true", "false", "NULL", "false", "false", "false", "NULL", "false", "NULL"});
  CHECK(run(either(a, b), batch) ==
        Rows{"true", "true", "true", "true", "false", "NULL", "true", "NULL", "NULL"});
}

TEST_CASE("AND and OR take constants") {
  Arena arena;
  const Batch batch = truth_table(arena);
  const ExprRef a = column(0, kBoolean);
  const auto constant = [](bool value) { return constant_expr(Value::boolean(value)); };
  const Rows same = {"true", "true", "true", "false", "false", "false", "NULL", "NULL", "NULL"};
  CHECK(run(both(a, constant(true)), batch) == same);
  CHECK(run(either(constant(false), a), batch) == same);
  CHECK(run(both(a, constant(false)), batch) == Rows(9, "false"));
  CHECK(run(either(a, constant(true)), batch) == Rows(9, "true"));
  CHECK(run(both(a, null_of(kBoolean)), batch) ==
        Rows{"NULL", "NULL", "NULL", "false", "false", "false", "NULL", "NULL", "NULL"});
  CHECK(run(either(null_of(kBoolean), a), batch) ==
        Rows{"true", "true", "true", "NULL", "NULL", "NULL", "NULL", "NULL", "NULL"});
}

TEST_CASE("a row that fails is null and reported once, with message and position") {
  Arena arena;
  const Batch batch = integers({"1", "0", "NULL", "2", "0"}, arena);
  const ExprRef quotient = call("/", {number(1), column(0, kInteger)}, {3, 7});
  const ExprRef twice = call("+", {quotient, quotient}, {3, 1});
  const Evaluator evaluator(twice);
  std::vector<RowError> errors;
  const ColumnRef result = evaluator.evaluate(batch, arena, &errors);
  CHECK(result->values<int32_t>()[0] == 2);
  CHECK(result->is_null(1));
  CHECK(result->is_null(2));
  REQUIRE(errors.size() == 2);
  CHECK(errors[0].row == 1);
  CHECK(errors[0].line == 3);
  CHECK(errors[0].column == 7);
  CHECK(errors[0].message == "division by zero");
  CHECK(errors[1].row == 4);
}

TEST_CASE("of several errors in a row the first one evaluated is reported") {
  Arena arena;
  const Batch batch = integers({"0"}, arena);
  const ExprRef x = column(0, kInteger);
  const ExprRef first = call("/", {number(1), x}, {1, 1});
  const ExprRef second = cast_to(call("sqrt", {call("-", {x, number(1)})}, {1, 20}), kInteger);
  CHECK(run(call("+", {first, second}), batch) == Rows{"error: division by zero"});
  CHECK(run(call("+", {second, first}), batch) ==
        Rows{"error: cannot take square root of a negative number"});
}

TEST_CASE("errors are added to those that are there already") {
  Arena arena;
  const Batch batch = integers({"0"}, arena);
  const Evaluator evaluator(divides(column(0, kInteger)));
  std::vector<RowError> errors = {{7, 1, 1, "before"}};
  evaluator.evaluate(batch, arena, &errors);
  REQUIRE(errors.size() == 2);
  CHECK(errors[0].message == "before");
}

TEST_CASE("a null argument makes no error") {
  Arena arena;
  std::vector<Row> rows;
  for (const char* divisor : {"0", "NULL", "2"}) {
    rows.push_back({value_of(kInteger, divisor), value_of(kInteger, "NULL")});
  }
  const Batch batch = batch_of({kInteger, kInteger}, rows, arena);
  CHECK(run(call("/", {column(1, kInteger), column(0, kInteger)}), batch) ==
        Rows{"NULL", "NULL", "NULL"});
  CHECK(run(call("/", {number(1), column(0, kInteger)}), batch) ==
        Rows{"error: division by zero", "NULL", "0"});
}

TEST_CASE("CASE evaluates a branch for the rows that take it only") {
  Arena arena;
  const Batch batch = integers({"1", "0", "NULL", "2"}, arena);
  const ExprRef x = column(0, kInteger);
  const ExprRef is_zero = call("=", {x, number(0)});
  const ExprRef quotient = call("/", {number(10), x});
  CHECK(run(form(ExprKind::kCase, kInteger, {is_zero, number(-1), quotient}), batch) ==
        Rows{"10", "-1", "NULL", "5"});
  CHECK(run(form(ExprKind::kCase, kInteger, {is_zero, quotient, number(-1)}), batch) ==
        Rows{"-1", "error: division by zero", "-1", "-1"});
  const ExprRef is_one = call("=", {x, number(1)});
  CHECK(run(form(ExprKind::kCase, kText,
                 {is_one, text("one"), is_zero, text("zero"), null_of(kText)}),
            batch) == Rows{"one", "zero", "NULL", "NULL"});
}

TEST_CASE("a later branch of CASE takes all the rows that are left") {
  Arena arena;
  const Batch batch = integers({"1", "2", "3"}, arena);
  const ExprRef x = column(0, kInteger);
  const ExprRef chosen = form(ExprKind::kCase, kInteger,
                              {call("=", {x, number(3)}), number(0), call(">", {x, number(0)}),
                               call("+", {x, number(10)}), number(-1)});
  CHECK(run(chosen, batch) == Rows{"11", "12", "0"});
}

TEST_CASE("an error in a condition of CASE fails the row") {
  Arena arena;
  const Batch batch = integers({"1", "0"}, arena);
  const ExprRef chosen =
      form(ExprKind::kCase, kText, {divides(column(0, kInteger)), text("yes"), text("no")});
  CHECK(run(chosen, batch) == Rows{"yes", "error: division by zero"});
}

TEST_CASE("AND and OR hold back from rows that are decided") {
  Arena arena;
  const Batch batch = integers({"1", "0", "NULL", "2"}, arena);
  const ExprRef x = column(0, kInteger);
  CHECK(run(both(call("<>", {x, number(0)}), divides(x)), batch) ==
        Rows{"true", "false", "NULL", "false"});
  CHECK(run(either(call("=", {x, number(0)}), divides(x)), batch) ==
        Rows{"true", "true", "NULL", "false"});
  CHECK(run(both(divides(x), call("<>", {x, number(0)})), batch) ==
        Rows{"true", "error: division by zero", "NULL", "false"});
  // null AND error: the second side must be looked at, for it might be false.
  CHECK(run(both(null_of(kBoolean), divides(x)), batch) ==
        Rows{"NULL", "error: division by zero", "NULL", "false"});
}

TEST_CASE("COALESCE goes on for nulls only, and an error is none") {
  Arena arena;
  const Batch batch = integers({"1", "0", "NULL"}, arena);
  const ExprRef x = column(0, kInteger);
  const ExprRef quotient = call("/", {number(10), x});
  CHECK(run(form(ExprKind::kCoalesce, kInteger, {x, number(7)}), batch) == Rows{"1", "0", "7"});
  CHECK(run(form(ExprKind::kCoalesce, kInteger, {quotient, number(7)}), batch) ==
        Rows{"10", "error: division by zero", "7"});
  CHECK(run(form(ExprKind::kCoalesce, kInteger, {number(7), quotient}), batch) ==
        Rows{"7", "7", "7"});
  CHECK(run(form(ExprKind::kCoalesce, kInteger, {null_of(kInteger), x, null_of(kInteger)}),
            batch) == Rows{"1", "0", "NULL"});
}

TEST_CASE("an error stays one under IS NULL, NOT and try_cast") {
  Arena arena;
  const Batch batch = integers({"0"}, arena);
  const ExprRef failing = divides(column(0, kInteger));
  const Rows expected = {"error: division by zero"};
  CHECK(run(is_null(failing), batch) == expected);
  CHECK(run(negated(failing), batch) == expected);
  CHECK(run(negated(is_null(failing)), batch) == expected);
  CHECK(run(cast_to(failing, kText, true), batch) == expected);
}

TEST_CASE("constants are folded, and a constant that fails does so in its rows only") {
  Arena arena;
  const ExprRef failing = call("/", {number(1), number(0)}, {5, 9});
  const ExprRef is_two = call("=", {column(0, kInteger), number(2)});
  const ExprRef chosen = form(ExprKind::kCase, kInteger, {is_two, failing, number(3)});
  CHECK(run(chosen, integers({"1", "2"}, arena)) == Rows{"3", "error: division by zero"});
  const Evaluator evaluator(chosen);
  std::vector<RowError> errors;
  evaluator.evaluate(integers({"2"}, arena), arena, &errors);
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].line == 5);
  CHECK(errors[0].column == 9);
  CHECK(evaluate_constant(*failing).status() == absl::InvalidArgumentError("division by zero"));
  CHECK(*evaluate_constant(*call("+", {number(1), number(2)})) == Value::integer(3));
  CHECK(evaluate_constant(*null_of(kText))->is_null());
}

TEST_CASE("strings of constants outlive the evaluator") {
  Arena arena;
  const Batch batch = integers({"NULL", "1"}, arena);
  std::vector<RowError> errors;
  ColumnRef chosen;
  ColumnRef piece;
  {
    const ExprRef condition = call("=", {column(0, kInteger), number(1)});
    chosen = Evaluator(form(ExprKind::kCase, kText, {condition, text("one"), text("other")}))
                 .evaluate(batch, arena, &errors);
    piece = Evaluator(call("left", {text("constant"), column(0, kInteger)}))
                .evaluate(batch, arena, &errors);
  }
  CHECK(value_at(*chosen, 0) == Value::text("other"));
  CHECK(value_at(*chosen, 1) == Value::text("one"));
  CHECK(value_at(*piece, 1) == Value::text("c"));
}

TEST_CASE("select finds the rows for which a condition is true") {
  Arena arena;
  const Batch batch = integers({"1", "0", "NULL", "2", "1"}, arena);
  const auto select = [&](const ExprRef& predicate, size_t failures) {
    std::vector<uint32_t> rows = {99};
    std::vector<RowError> errors;
    Evaluator(predicate).select(batch, arena, &rows, &errors);
    CHECK(errors.size() == failures);
    return rows;
  };
  const ExprRef x = column(0, kInteger);
  using Picked = std::vector<uint32_t>;
  CHECK(select(call(">", {x, number(0)}), 0) == Picked{0, 3, 4});
  CHECK(select(divides(x), 1) == Picked{0, 4});
  CHECK(select(is_null(divides(x)), 1) == Picked{2});
  CHECK(select(constant_expr(Value::boolean(true)), 0) == Picked{0, 1, 2, 3, 4});
  CHECK(select(constant_expr(Value::boolean(false)), 0).empty());
  CHECK(select(null_of(kBoolean), 0).empty());
  CHECK(select(cast_to(x, kBoolean), 0) == Picked{0, 3, 4});
}

TEST_CASE("an evaluator goes from batch to batch and forgets the last one") {
  Arena arena;
  const ExprRef x = column(0, kInteger);
  const Evaluator evaluator(form(ExprKind::kCoalesce, kInteger,
                                 {call("+", {call("/", {number(10), x}), number(0)}), number(7)}));
  const auto evaluate = [&](const std::vector<const char*>& values) {
    std::vector<RowError> errors;
    const ColumnRef result = evaluator.evaluate(integers(values, arena), arena, &errors);
    Rows rows;
    for (size_t row = 0; row < result->rows(); ++row)
      rows.push_back(to_text(value_at(*result, row)));
    for (const RowError& error : errors) rows[error.row] = error.message;
    return rows;
  };
  CHECK(evaluate({"NULL", "0", "5"}) == Rows{"7", "division by zero", "2"});
  CHECK(evaluate({"1", "2"}) == Rows{"10", "5"});
  CHECK(evaluate({}) == Rows{});
  CHECK(evaluate({"2", "1", "NULL", "5", "10"}) == Rows{"5", "10", "7", "2", "1"});
}

TEST_CASE("equal text means equal meaning in descriptions") {
  const ExprRef x = column(0, kInteger);
  const ExprRef wide = column(0, Type::bigint());
  CHECK(describe(*call("+", {x, number(1)})) ==
        "\"+\"<integer,integer:integer>(#0::integer, '1'::integer)");
  CHECK(describe(*call("+", {wide, number(1)})) ==
        "\"+\"<bigint,bigint:bigint>(#0::bigint, cast('1'::integer)::bigint)");
  CHECK(describe(*text("it's")) == "'it''s'::text");
  CHECK(describe(*null_of(Type::numeric(12, 2))) == "NULL::numeric(12,2)");
  CHECK(describe(*cast_to(text("1"), kInteger, true)) == "try_cast('1'::text)::integer");
  CHECK(describe(*both(is_null(x), negated(is_null(x)))) ==
        "and(is_null(#0::integer)::boolean, not(is_null(#0::integer)::boolean)::boolean)::boolean");
  CHECK(describe(*form(ExprKind::kCase, kText, {is_null(x), text("a"), text("b")})) ==
        "case(is_null(#0::integer)::boolean, 'a'::text, 'b'::text)::text");
  CHECK(describe(*call("concat", {x})) == "\"concat\"<any,...:text>(cast(#0::integer)::text)");
  const auto money = [](int scale) {
    return constant_expr(value_of(Type::numeric(12, scale), "1.5"));
  };
  CHECK(describe(*call("+", {money(2), money(2)})) != describe(*call("+", {money(2), money(3)})));
  CHECK(describe(*text("a', 'b")) != describe(*text("a")));
  // Where an expression stands in its SQL is no part of what it means.
  CHECK(describe(*call("+", {x, number(1)}, {1, 1})) ==
        describe(*call("+", {x, number(1)}, {9, 9})));
}

}  // namespace
}  // namespace kappa::operators
