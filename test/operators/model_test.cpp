#include "operators/model.h"

#include <limits>
#include <thread>

#include <catch2/catch.hpp>

#include "absl/strings/str_replace.h"
#include "test/operators/expressions.h"
#include "test/operators/model_files.h"

namespace kappa::operators {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr Type kDouble = Type::double_precision();

using Scores = std::vector<double>;

// Rows of amount, hour and events, and what the command `xgboost` with task=pred said of them.
const Scores kRows = {720.5,    2,        12,  //
                      12.99,    14,       1,   //
                      450,      3,        4,   //
                      kMissing, 3,        4,   //
                      640,      kMissing, 9,   //
                      kMissing, kMissing, 15,  //
                      999.99,   23,       19,  //
                      300,      0,        8};
const Scores kFraud = {0.939348221, 0.0558418185, 0.743940949, 0.81571883,
                       0.912176013, 0.272485465,  0.70047617,  0.638825119};
const Scores kDelay = {14.4530001, 4.09154367, 5.35307503, 4.09154367,
                       10.1174583, 8.18365669, 14.4530001, 6.92613983};
const Scores kShare = {0.756338537, 0.137533233, 0.35340476,  0.35340476,
                       0.756338537, 0.196347475, 0.756338537, 0.35340476};

Scores scores_of(const Model& model, const Scores& features) {
  Scores scores(features.size() / model.facts().feature_count);
  const absl::Status status = model.make_scorer()->predict(features, scores);
  INFO(status);
  REQUIRE(status.ok());
  return scores;
}

void check_close(const Scores& found, const Scores& expected) {
  REQUIRE(found.size() == expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    INFO("row " << i);
    CHECK(found[i] == Approx(expected[i]).margin(1e-6).epsilon(1e-6));
  }
}

std::string fault_of(const std::string& text) {
  const auto model = read_model("m", text);
  return model.ok() ? "" : std::string(model.status().message());
}

// What is wrong with a model file once `old` in it is `now`.
std::string fault_with(const std::string& name, const std::string& old, const std::string& now) {
  const std::string text = model_text(name);
  REQUIRE(text.find(old) != std::string::npos);
  return fault_of(absl::StrReplaceAll(text, {{old, now}}));
}

ExprRef predict(const std::string& name, std::vector<ExprRef> args) {
  Expr expr;
  expr.kind = ExprKind::kPredict;
  expr.type = kDouble;
  expr.model = model_of(name);
  expr.args = std::move(args);
  return std::make_shared<Expr>(std::move(expr));
}

Value value_of_feature(double feature) {
  return feature == feature ? Value::double_precision(feature) : Value::null(kDouble);
}

Batch batch_of_features(const Scores& features, size_t count, Arena& arena) {
  std::vector<Row> rows;
  for (size_t i = 0; i < features.size(); i += count) {
    Row& row = rows.emplace_back();
    for (size_t j = 0; j < count; ++j) row.push_back(value_of_feature(features[i + j]));
  }
  return batch_of(std::vector<Type>(count, kDouble), rows, arena);
}

std::vector<ExprRef> columns(int count) {
  std::vector<ExprRef> exprs;
  for (int i = 0; i < count; ++i) exprs.push_back(column_expr(i, kDouble));
  return exprs;
}

}  // namespace

TEST_CASE("an XGBoost model scores rows as the command xgboost does") {
  check_close(scores_of(*model_of("fraud"), kRows), kFraud);
  check_close(scores_of(*model_of("delay"), kRows), kDelay);
  check_close(scores_of(*model_of("share"), kRows), kShare);
}

TEST_CASE("a row by itself has the score that it has among others") {
  for (const char* name : {"fraud", "delay", "share", "churn"}) {
    const ModelRef model = model_of(name);
    const Scores together = scores_of(*model, kRows);
    for (size_t row = 0; row < together.size(); ++row) {
      const Scores alone(kRows.begin() + static_cast<long>(row) * 3,
                         kRows.begin() + static_cast<long>(row) * 3 + 3);
      INFO(name << " " << row);
      const double score = scores_of(*model, alone)[0];
      CHECK((score == together[row] || (score != score && together[row] != together[row])));
    }
  }
}

TEST_CASE("features that a float cannot hold are scored all the same") {
  const ModelRef model = model_of("fraud");
  const double huge = std::numeric_limits<double>::max();
  const double infinite = std::numeric_limits<double>::infinity();
  const Scores scores = scores_of(*model, {huge, 23, 19, infinite, 23, 19, 999.99, 23, 19});
  CHECK(scores[0] == scores[2]);
  CHECK(scores[1] == scores[2]);
}

TEST_CASE("a logistic model scales its features, weighs them and gives a probability") {
  const Scores scores = scores_of(
      *model_of("churn"), {12.5, 40, 0.75, 3, 90, 2, 40, 1, 0, -1000, 500, 9, 100000, 0, 0});
  check_close(scores, {0.425557483188341, 0.9713629818681434, 0.0008410651623088807, 1, 0});
}

TEST_CASE("without mean and scale the features of a logistic model are taken as they are") {
  const auto model = read_model(
      "m", R"({"kind": "logistic", "features": ["x"], "coefficients": [2], "intercept": -1})");
  REQUIRE(model.ok());
  check_close(scores_of(**model, {0.5, 1}), {0.5, 0.7310585786300049});
}

TEST_CASE("a model tells its features and its version") {
  const ModelFacts fraud = model_of("fraud")->facts();
  CHECK(fraud.name == "fraud");
  CHECK(fraud.version == "2026-11");
  CHECK(fraud.features == std::vector<std::string>{"amount", "hour", "events"});
  CHECK(fraud.takes_nulls);
  const ModelFacts churn = model_of("churn")->facts();
  CHECK(churn.version == "7");
  CHECK(churn.features == std::vector<std::string>{"orders", "days", "returns"});
  CHECK_FALSE(churn.takes_nulls);
  const ModelFacts delay = model_of("delay")->facts();
  CHECK(delay.features.empty());
  CHECK(delay.feature_count == 3);
}

TEST_CASE("a model without a version is named by the SHA-256 of its file") {
  const std::string text =
      R"({"kind": "logistic", "features": ["x"], "coefficients": [2], "intercept": -1})";
  const auto model = read_model("m", text);
  REQUIRE(model.ok());
  CHECK((*model)->facts().digest ==
        "3adad2c4dd7a15513854cb9cbcd8c7440bda0bd020c83762e632d7905573e7de");
  CHECK((*model)->facts().version == "3adad2c4dd7a");
}

TEST_CASE("JSON with spaces in it is the same XGBoost model") {
  const auto model = read_model(
      "m", absl::StrReplaceAll(model_text("fraud"), {{"{\"learner\":", " {\n  \"learner\" : "}}));
  REQUIRE(model.ok());
  check_close(scores_of(**model, kRows), kFraud);
}

TEST_CASE("what is no model is refused") {
  CHECK(fault_of("[1, 2") ==
        "is not JSON: parse error at line 1, column 6: syntax error while parsing array - "
        "unexpected end of input; expected ']'");
  const std::string neither =
      "is no model: neither what XGBoost's save_model writes as JSON nor {\"kind\": \"logistic\", "
      "…}";
  CHECK(fault_of("[1, 2]") == neither);
  CHECK(fault_of("{}") == neither);
  CHECK(fault_of(R"({"kind": "forest"})") ==
        "kind \"forest\" is not supported; there is \"logistic\", and what XGBoost's save_model "
        "writes");
}

TEST_CASE("a logistic model with a fault is refused") {
  CHECK(fault_with("churn", "\"mean\"", "\"means\"") ==
        "a logistic model has no member \"means\"; it has kind, version, features, mean, scale, "
        "coefficients, intercept");
  CHECK(fault_of(R"({"kind": "logistic", "features": ["x"], "coefficients": [2]})") ==
        "\"intercept\" is missing");
  CHECK(fault_with("churn", "\"intercept\": -0.3", "\"intercept\": \"-0.3\"") ==
        "\"intercept\" is no number");
  CHECK(fault_with("churn", "[\"orders\", \"days\", \"returns\"]", "\"orders\"") ==
        "\"features\" is no array");
  CHECK(fault_with("churn", "[\"orders\", \"days\", \"returns\"]", "[]") ==
        "\"features\" is empty");
  CHECK(fault_with("churn", "\"days\"", "12") == "\"features\" holds what is no text");
  CHECK(fault_with("churn", "\"days\"", "\"\"") == "\"features\" holds an empty name");
  CHECK(fault_with("churn", "\"days\"", "\"orders\"") == "\"features\" has \"orders\" twice");
  CHECK(fault_with("churn", ", 0.4]", "]") ==
        "\"coefficients\" has 2 numbers, and there are 3 features: it takes one for each");
  CHECK(fault_with("churn", "[12.5, 40, 0.75]", "[12.5, 40, 0.75, 1]") ==
        "\"mean\" has 4 numbers, and there are 3 features: it takes one for each");
  CHECK(fault_with("churn", "0.85", "null") == "\"coefficients\" holds what is no number");
  CHECK(fault_with("churn", "25.5", "0") == "\"scale\" of \"days\" is not above zero");
  CHECK(fault_with("churn", "\"7\"", "7") == "\"version\" is no text");
}

TEST_CASE("an XGBoost model that is not supported is refused by name") {
  CHECK(fault_with("fraud", "binary:logistic", "multi:softprob") ==
        "objective \"multi:softprob\" is not supported; there are binary:logistic, "
        "reg:squarederror and reg:logistic");
  CHECK(fault_with("fraud", "\"name\":\"gbtree\"", "\"name\":\"dart\"") ==
        "booster \"dart\" is not supported; there is gbtree");
  CHECK(fault_with("fraud", "\"split_type\":[0", "\"split_type\":[1") ==
        "a tree that splits by categories is not supported");
  CHECK(fault_with("fraud", "\"version\":[1,7,4]", "\"version\":[2,0,3]") ==
        "XGBoost's version [2,0,3] is not supported; there is 1, up to 1.7");
  CHECK(fault_of(R"({"learner": {}})") ==
        "XGBoost's version null is not supported; there is 1, up to 1.7");
  CHECK(fault_of(R"({"learner": {}, "version": [1, 7, 4]})") == "\"learner\" names no objective");
}

TEST_CASE("an XGBoost model that contradicts itself is refused before it is used") {
  CHECK(fault_with("fraud", "[\"amount\",", "[") ==
        "\"feature_names\" has 2 names, and the model 3 features");
  CHECK(fault_with("fraud", "\"num_feature\":\"3\",\"num_target\"",
                   "\"num_feature\":\"three\",\"num_target\"") ==
        "\"num_feature\" is no number from 1 to 10000");
  CHECK(fault_with("delay", "\"num_feature\":\"3\",\"num_target\"",
                   "\"num_feature\":\"3000000000\",\"num_target\"") ==
        "\"num_feature\" is no number from 1 to 10000");
  CHECK(fault_with("delay", "\"num_feature\":\"3\",\"num_target\"",
                   "\"num_feature\":\"1\",\"num_target\"") == "a tree splits by feature 2 of 1");
  CHECK(fault_with("fraud", "\"tree_info\":[0,", "\"tree_info\":[") ==
        "\"tree_info\" has 4 items, expected 5");
  CHECK(fault_with("fraud", "\"id\":1,", "\"id\":0,") ==
        "the trees are not in the order of their ids");
  CHECK(fault_with("fraud", "\"left_children\":[1,", "\"left_children\":[99,") ==
        "a tree has a link to a node that is not there");
  CHECK(fault_with("fraud", "\"left_children\":[1,", "\"left_children\":[0,") ==
        "a tree has two links to one node");
  CHECK(fault_with("fraud", "\"left_children\":[1,", "\"left_children\":[") ==
        "\"num_nodes\" is \"13\", expected \"12\"");
  CHECK_THAT(fault_with("fraud", "\"base_weights\":[", "\"base_weights\":[1,"),
             Catch::StartsWith("\"base_weights\" has "));
  CHECK(fault_with("share", "\"tree_param\":{", "\"tree_param\":[1],\"t\":{") ==
        "\"num_nodes\" is null, expected \"7\"");
  CHECK_THAT(fault_with("fraud", "\"base_score\":\"5E-1\"", "\"base_score\":\"2\""),
             Catch::StartsWith("XGBoost: "));
}

TEST_CASE("a damaged XGBoost model is refused or scores, whatever is missing") {
  const std::string text = model_text("share");
  for (size_t from = 0; from < text.size(); from += 7) {
    for (const size_t length : {1, 5, 40}) {
      const auto model = read_model("m", std::string(text).erase(from, length));
      if (model.ok()) CHECK(scores_of(**model, kRows).size() == 8);
    }
  }
}

TEST_CASE("predict scores a batch, and a NULL is a missing value to XGBoost") {
  Arena arena;
  const Batch batch = batch_of_features(kRows, 3, arena);
  std::vector<RowError> errors;
  const ColumnRef scores = Evaluator(predict("fraud", columns(3))).evaluate(batch, arena, &errors);
  CHECK(errors.empty());
  CHECK_FALSE(scores->has_nulls());
  const auto values = scores->values<double>();
  check_close({values.begin(), values.end()}, kFraud);
}

TEST_CASE("a logistic model has no score for a row with a NULL") {
  Arena arena;
  const Batch batch = batch_of_features({12.5, 40, 0.75, kMissing, 40, 0.75, 3, 90, 2}, 3, arena);
  const std::vector<std::string> scores = run(predict("churn", columns(3)), batch);
  CHECK(scores[0].substr(0, 8) == "0.425557");
  CHECK(scores[1] == "NULL");
  CHECK(scores[2].substr(0, 8) == "0.971362");
}

TEST_CASE("a row whose feature fails has no score, and the others have theirs") {
  Arena arena;
  const Batch batch = batch_of_features(kRows, 3, arena);
  const ExprRef failing = call("/", {column_expr(0, kDouble), column_expr(1, kDouble)}, {2, 5});
  const std::vector<std::string> scores =
      run(predict("fraud", {failing, column_expr(1, kDouble), column_expr(2, kDouble)}), batch);
  CHECK(scores[7] == "error: division by zero");
  CHECK(scores[6].substr(0, 6) != "error:");
}

TEST_CASE("only the rows of a branch of CASE are scored in it") {
  Arena arena;
  const Batch batch = batch_of_features(kRows, 3, arena);
  const ExprRef late =
      call(">", {column_expr(2, kDouble), constant_expr(Value::double_precision(10))});
  const ExprRef chosen =
      form(ExprKind::kCase, kDouble,
           {late, predict("fraud", columns(3)), constant_expr(Value::double_precision(-1))});
  std::vector<RowError> errors;
  const ColumnRef scores = Evaluator(chosen).evaluate(batch, arena, &errors);
  const auto values = scores->values<double>();
  check_close({values.begin(), values.end()},
              {kFraud[0], -1, -1, -1, -1, kFraud[5], kFraud[6], -1});
}

TEST_CASE("constants are scored once") {
  const auto constant = [](double x) { return constant_expr(Value::double_precision(x)); };
  const auto score =
      evaluate_constant(*predict("fraud", {constant(720.5), constant(2), constant(12)}));
  REQUIRE(score.ok());
  CHECK(std::get<double>(score->data) == Approx(kFraud[0]).margin(1e-6));
}

TEST_CASE("what a model is, is part of what an expression means") {
  const std::string described = describe(*predict("fraud", columns(1)));
  CHECK(described == "predict<" + model_of("fraud")->facts().digest + ">(#0::double precision)");
  CHECK(described != describe(*predict("delay", columns(1))));
}

TEST_CASE("threads that score with one model do not disturb each other") {
  const ModelRef model = model_of("fraud");
  std::vector<Scores> found(4);
  std::vector<std::thread> threads;
  for (Scores& scores : found) {
    threads.emplace_back([&] {
      const auto scorer = model->make_scorer();
      scores.resize(kFraud.size());
      for (int i = 0; i < 100; ++i) {
        if (!scorer->predict(kRows, scores).ok()) scores.clear();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Scores& scores : found) check_close(scores, kFraud);
}

}  // namespace kappa::operators
