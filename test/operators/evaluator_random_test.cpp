#include <cstdlib>
#include <random>

#include <catch2/catch.hpp>

#include "operators/evaluator.h"
#include "test/operators/expressions.h"
#include "test/operators/naive_interpreter.h"
#include "test/operators/random_expression.h"

namespace kappa::operators {
namespace {

std::string describe_outcome(const Outcome& outcome) {
  if (!outcome.error) return to_text(outcome.value);
  return std::to_string(outcome.position.column) + ": " + *outcome.error;
}

std::vector<std::string> interpreted(const Expr& expr, const std::vector<Row>& rows) {
  std::vector<std::string> cells;
  for (const Row& row : rows) cells.push_back(describe_outcome(interpret(expr, row)));
  return cells;
}

std::vector<std::string> evaluated(const Evaluator& evaluator, const Batch& batch, Arena& arena) {
  std::vector<RowError> errors;
  const ColumnRef column = evaluator.evaluate(batch, arena, &errors);
  REQUIRE(column->rows() == batch.rows);
  std::vector<std::string> cells;
  for (size_t row = 0; row < batch.rows; ++row) cells.push_back(to_text(value_at(*column, row)));
  for (const RowError& error : errors) {
    REQUIRE(cells[error.row] == "NULL");
    cells[error.row] = std::to_string(error.column) + ": " + error.message;
  }
  return cells;
}

void check_select(const Evaluator& evaluator, const Batch& batch, Arena& arena,
                  const std::vector<std::string>& expected) {
  std::vector<uint32_t> picked;
  std::vector<RowError> errors;
  evaluator.select(batch, arena, &picked, &errors);
  std::vector<uint32_t> wanted;
  for (uint32_t row = 0; row < batch.rows; ++row) {
    if (expected[row] == "true") wanted.push_back(row);
  }
  REQUIRE(picked == wanted);
}

TEST_CASE("random expressions over random batches agree with a row-at-a-time interpreter") {
  const char* const given = std::getenv("KAPPA_TEST_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : uint64_t{std::random_device{}()};
  INFO("seed " << seed);
  RandomExpressions random(seed);
  size_t failures = 0;
  size_t values = 0;
  for (int i = 0; i < 400; ++i) {
    const ExprRef expr = random.expression(random.type(), 1 + i % 5);
    INFO(describe(*expr));
    const Evaluator evaluator(expr);
    for (int round = 0; round < 3; ++round) {
      const std::vector<Row> rows = random.rows(round == 1 ? 3 : 300);
      Arena arena;
      const Batch batch = batch_of(RandomExpressions::column_types(), rows, arena);
      const std::vector<std::string> expected = interpreted(*expr, rows);
      const std::vector<std::string> actual = evaluated(evaluator, batch, arena);
      for (size_t row = 0; row < rows.size(); ++row) {
        if (actual[row] == expected[row]) continue;
        std::string cells;
        for (const Value& value : rows[row]) cells += to_text(value) + " | ";
        INFO("row " << row << " of " << rows.size() << ": " << cells);
        REQUIRE(actual[row] == expected[row]);
      }
      if (expr->type.id == TypeId::kBoolean) check_select(evaluator, batch, arena, expected);
      for (const std::string& cell : expected) {
        failures += cell.find(": ") != std::string::npos ? 1 : 0;
        values += cell != "NULL" ? 1 : 0;
      }
    }
  }
  // The expressions must do something worth comparing.
  CHECK(values > 10'000);
  CHECK(failures > 100);
}

}  // namespace
}  // namespace kappa::operators
