#include "engine/runtime/query_executor.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "operators/functions.h"
#include "test/runtime/fake_views.h"

namespace kappa::runtime {
namespace {

using operators::AggregateCall;
using operators::AggregateKind;
using operators::column_expr;
using operators::constant_expr;
using operators::ExprRef;
using operators::Field;
using operators::NodeId;
using operators::Schema;
using sql::QueryNode;
using sql::QueryNodeRef;

Value big(int64_t value) {
  return Value::bigint(value);
}
Value text(std::string value) {
  return Value::text(std::move(value));
}
Value null_text() {
  return Value::null(Type::text());
}

template <typename Op, typename... Inputs>
QueryNodeRef node(Op op, Schema schema, Inputs... inputs) {
  auto made = std::make_unique<QueryNode>();
  made->op = std::move(op);
  made->schema = std::move(schema);
  (made->inputs.push_back(std::move(inputs)), ...);
  return made;
}

ExprRef call(const std::string& name, std::vector<ExprRef> args,
             operators::SqlPosition position = {}) {
  std::vector<Type> types;
  for (const ExprRef& arg : args) types.push_back(arg->type);
  auto resolved = operators::resolve_function(name, types, std::vector<bool>(args.size(), false));
  REQUIRE(resolved.ok());
  auto expr = std::make_shared<operators::Expr>();
  expr->kind = operators::ExprKind::kCall;
  expr->type = resolved->result;
  expr->function = resolved->function;
  expr->position = position;
  expr->args = std::move(args);
  return expr;
}

// Sales of stores: id, store, amount.
struct Shop {
  FakeViews views;
  Schema sales_schema{{"id", Type::bigint()}, {"store", Type::text()}, {"amount", Type::bigint()}};
  Schema stores_schema{{"store", Type::text()}, {"city", Type::text()}};
  NodeId sales = views.add("sales", sales_schema,
                           {{big(1), text("north"), big(10)},
                            {big(2), text("south"), big(20)},
                            {big(3), null_text(), big(30)},
                            {big(4), text("north"), Value::null(Type::bigint())},
                            {big(5), text("nowhere"), big(50)},
                            {big(6), text("south"), big(20)},
                            {big(7), null_text(), big(30)}});
  NodeId stores =
      views.add("stores", stores_schema,
                {{text("north"), text("a city whose name is long enough to be kept elsewhere")},
                 {text("south"), text("Rome")},
                 {null_text(), text("Atlantis")}});

  QueryNodeRef scan_sales() {
    return node(sql::ViewScan{sales, {0, 1, 2}, std::nullopt}, sales_schema);
  }
  QueryNodeRef scan_stores() {
    return node(sql::ViewScan{stores, {0, 1}, std::nullopt}, stores_schema);
  }

  absl::StatusOr<QueryResult> run(QueryNodeRef root, QueryLimits limits = {}) {
    sql::BoundQuery query{std::move(root), {sales, stores}};
    return execute(query, views, limits);
  }
};

std::vector<std::string> lines(const absl::StatusOr<QueryResult>& result) {
  INFO(result.status());
  REQUIRE(result.ok());
  std::vector<std::string> lines;
  REQUIRE(result->rows.columns.size() == result->schema.size());
  for (size_t row = 0; row < result->rows.rows; ++row) {
    std::string line;
    for (const ColumnRef& column : result->rows.columns) {
      REQUIRE(column->rows() == result->rows.rows);
      line += (line.empty() ? "" : "|") + to_text(value_at(*column, row));
    }
    lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> sorted(std::vector<std::string> lines) {
  std::sort(lines.begin(), lines.end());
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a scan gives every row of a view with the stamp of its snapshot") {
  Shop shop;
  const auto result = shop.run(node(sql::ViewScan{shop.sales, {1, 2}, std::nullopt},
                                    {shop.sales_schema[1], shop.sales_schema[2]}));
  CHECK(lines(result) == Lines{"north|10", "south|20", "NULL|30", "north|NULL", "nowhere|50",
                               "south|20", "NULL|30"});
  CHECK(result->stamp.generation == 3);
  CHECK(result->stamp.epoch == 17);
  CHECK(result->schema[1].name == "amount");
  CHECK(result->waiting.empty());
  CHECK(shop.views.pinned == std::vector<NodeId>{shop.sales, shop.stores});
}

TEST_CASE("a pinned key reads one row and scans nothing") {
  Shop shop;
  const auto result = shop.run(node(sql::ViewScan{shop.sales, {0, 2}, Row{big(5)}},
                                    {shop.sales_schema[0], shop.sales_schema[2]}));
  CHECK(lines(result) == Lines{"5|50"});
  CHECK(shop.views.points_read == 1);
  CHECK(shop.views.batches_read == 0);
  const auto missing =
      shop.run(node(sql::ViewScan{shop.sales, {0}, Row{big(99)}}, Schema{shop.sales_schema[0]}));
  CHECK(lines(missing).empty());
  CHECK(missing->rows.columns.size() == 1);
}

TEST_CASE("a filter passes rows whose predicate is true, a projection computes columns") {
  Shop shop;
  const ExprRef amount = column_expr(2, Type::bigint());
  auto filtered = node(sql::QueryFilter{call(">", {amount, constant_expr(big(15))})},
                       shop.sales_schema, shop.scan_sales());
  auto projected = node(
      sql::QueryProject{{column_expr(0, Type::bigint()), call("+", {amount, constant_expr(big(1))}),
                         call("upper", {column_expr(1, Type::text())})}},
      Schema{{"id", Type::bigint()}, {"more", Type::bigint()}, {"s", Type::text()}},
      std::move(filtered));
  CHECK(lines(shop.run(std::move(projected))) ==
        Lines{"2|21|SOUTH", "3|31|NULL", "5|51|NOWHERE", "6|21|SOUTH", "7|31|NULL"});
}

TEST_CASE("an expression that fails ends the query with its position") {
  Shop shop;
  const ExprRef quotient =
      call("/",
           {column_expr(2, Type::bigint()),
            call("-", {column_expr(0, Type::bigint()), constant_expr(big(2))})},
           {3, 14});
  const auto projected = shop.run(
      node(sql::QueryProject{{quotient}}, Schema{{"q", Type::bigint()}}, shop.scan_sales()));
  CHECK(projected.status() == absl::InvalidArgumentError("3:14: division by zero"));
  const auto filtered =
      shop.run(node(sql::QueryFilter{call(">", {quotient, constant_expr(big(0))})},
                    shop.sales_schema, shop.scan_sales()));
  CHECK(filtered.status() == absl::InvalidArgumentError("3:14: division by zero"));
}

TEST_CASE("rows sort by several keys, ties staying as they came") {
  Shop shop;
  const auto by = [&](std::vector<sql::SortKey> keys) {
    return lines(shop.run(node(sql::QuerySort{keys}, shop.sales_schema, shop.scan_sales())));
  };
  CHECK(by({{.column = 1}, {.column = 2, .descending = true, .nulls_first = true}}) ==
        Lines{"4|north|NULL", "1|north|10", "5|nowhere|50", "2|south|20", "6|south|20", "3|NULL|30",
              "7|NULL|30"});
  CHECK(by({{.column = 2, .descending = false, .nulls_first = false}}) ==
        Lines{"1|north|10", "2|south|20", "6|south|20", "3|NULL|30", "7|NULL|30", "5|nowhere|50",
              "4|north|NULL"});
  CHECK(by({{.column = 1, .descending = true, .nulls_first = true}, {.column = 0}}).front() ==
        "3|NULL|30");
}

TEST_CASE("NaN sorts above every number") {
  FakeViews views;
  const Schema schema{{"x", Type::double_precision()}};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  std::vector<Row> rows;
  for (double x : {nan, 1.5, -std::numeric_limits<double>::infinity(), nan, 1e300}) {
    rows.push_back({Value::double_precision(x)});
  }
  const NodeId view = views.add("v", schema, rows);
  sql::BoundQuery query{node(sql::QuerySort{{{.column = 0}}}, schema,
                             node(sql::ViewScan{view, {0}, std::nullopt}, schema)),
                        {view}};
  const auto sorted_rows = lines(execute(query, views, {}));
  CHECK(sorted_rows.front() == "-Infinity");
  CHECK(sorted_rows[1] == "1.5");
  CHECK(sorted_rows[3] == "NaN");
  CHECK(sorted_rows[4] == "NaN");
}

TEST_CASE("limit and offset cut rows out of any stream") {
  Shop shop;
  const auto cut = [&](std::optional<int64_t> limit, int64_t offset) {
    return lines(shop.run(
        node(sql::QueryLimit{limit, offset}, Schema{shop.sales_schema[0]},
             node(sql::ViewScan{shop.sales, {0}, std::nullopt}, Schema{shop.sales_schema[0]}))));
  };
  CHECK(cut(2, 0) == Lines{"1", "2"});
  CHECK(cut(3, 2) == Lines{"3", "4", "5"});
  CHECK(cut(std::nullopt, 5) == Lines{"6", "7"});
  CHECK(cut(0, 0).empty());
  CHECK(cut(5, 100).empty());
}

TEST_CASE("a limit above a scan reads no more than it needs") {
  Shop shop;
  const auto result = shop.run(node(sql::QueryLimit{2, 0}, shop.sales_schema, shop.scan_sales()));
  CHECK(lines(result).size() == 2);
  CHECK(shop.views.batches_read == 1);
}

TEST_CASE("a sort under a limit keeps the first rows of many") {
  FakeViews views;
  views.set_batch_rows(1000);
  const Schema schema{{"n", Type::bigint()}, {"s", Type::text()}};
  std::vector<Row> rows;
  const int64_t count = 200'000;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t n = i * 7919 % count;  // a permutation
    rows.push_back({big(n), text("a text that takes some memory " + std::to_string(n))});
  }
  const NodeId view = views.add("v", schema, rows);
  const auto query = [&](int64_t limit, int64_t offset) {
    return sql::BoundQuery{node(sql::QueryLimit{limit, offset}, schema,
                                node(sql::QuerySort{{{.column = 0, .descending = true}}}, schema,
                                     node(sql::ViewScan{view, {0, 1}, std::nullopt}, schema))),
                           {view}};
  };
  QueryLimits limits;
  limits.memory_bytes_max = 12u << 20;
  CHECK(lines(execute(query(2, 1), views, limits)) ==
        Lines{"199998|a text that takes some memory 199998",
              "199997|a text that takes some memory 199997"});
  const auto all = execute(query(count, 0), views, limits);
  CHECK(all.status().code() == absl::StatusCode::kResourceExhausted);
}

TEST_CASE("an inner join matches equal keys, and null keys never") {
  Shop shop;
  Schema schema = shop.sales_schema;
  schema.insert(schema.end(), shop.stores_schema.begin(), shop.stores_schema.end());
  const auto join = [&](bool left) {
    return sorted(lines(shop.run(
        node(sql::QueryJoin{left, {1}, {0}}, schema, shop.scan_sales(), shop.scan_stores()))));
  };
  const std::string north = "north|a city whose name is long enough to be kept elsewhere";
  CHECK(join(false) == Lines{"1|north|10|" + north, "2|south|20|south|Rome",
                             "4|north|NULL|" + north, "6|south|20|south|Rome"});
  CHECK(join(true) == Lines{"1|north|10|" + north, "2|south|20|south|Rome", "3|NULL|30|NULL|NULL",
                            "4|north|NULL|" + north, "5|nowhere|50|NULL|NULL",
                            "6|south|20|south|Rome", "7|NULL|30|NULL|NULL"});
}

TEST_CASE("a join of a view with itself reads it once and finds every pair") {
  Shop shop;
  const Schema one{shop.sales_schema[2]};
  const Schema two{shop.sales_schema[0], shop.sales_schema[2]};
  const auto result = shop.run(node(sql::QueryJoin{false, {0}, {1}}, Schema{one[0], two[0], two[1]},
                                    node(sql::ViewScan{shop.sales, {2}, std::nullopt}, one),
                                    node(sql::ViewScan{shop.sales, {0, 2}, std::nullopt}, two)));
  CHECK(sorted(lines(result)) == Lines{"10|1|10", "20|2|20", "20|2|20", "20|6|20", "20|6|20",
                                       "30|3|30", "30|3|30", "30|7|30", "30|7|30", "50|5|50"});
  CHECK(shop.views.batches_read == 4);
}

TEST_CASE("a join without keys pairs every row with every row") {
  Shop shop;
  Schema schema = shop.stores_schema;
  schema.insert(schema.end(), shop.stores_schema.begin(), shop.stores_schema.end());
  CHECK(lines(shop.run(node(sql::QueryJoin{false, {}, {}}, schema, shop.scan_stores(),
                            shop.scan_stores())))
            .size() == 9);
}

TEST_CASE("a left join with an empty right side keeps its rows") {
  Shop shop;
  const NodeId none = shop.views.add("none", shop.stores_schema, {});
  Schema schema = shop.stores_schema;
  schema.insert(schema.end(), shop.stores_schema.begin(), shop.stores_schema.end());
  const auto result =
      shop.run(node(sql::QueryJoin{true, {0}, {0}}, schema, shop.scan_stores(),
                    node(sql::ViewScan{none, {0, 1}, std::nullopt}, shop.stores_schema)));
  CHECK(sorted(lines(result)).back() == "south|Rome|NULL|NULL");
  CHECK(result->rows.rows == 3);
}

TEST_CASE("distinct rows are kept once, nulls being equal") {
  Shop shop;
  const Schema schema{shop.sales_schema[1], shop.sales_schema[2]};
  const auto result = shop.run(node(sql::QueryDistinct{}, schema,
                                    node(sql::ViewScan{shop.sales, {1, 2}, std::nullopt}, schema)));
  CHECK(lines(result) == Lines{"north|10", "south|20", "NULL|30", "north|NULL", "nowhere|50"});
}

TEST_CASE("many distinct rows survive the growth of the index") {
  FakeViews views;
  views.set_batch_rows(700);
  const Schema schema{{"n", Type::bigint()}};
  std::vector<Row> rows;
  for (int64_t i = 0; i < 20'000; ++i) rows.push_back({big(i % 5000)});
  const NodeId view = views.add("v", schema, rows);
  sql::BoundQuery query{
      node(sql::QueryDistinct{}, schema, node(sql::ViewScan{view, {0}, std::nullopt}, schema)),
      {view}};
  const auto result = lines(execute(query, views, {}));
  CHECK(result.size() == 5000);
  CHECK(result.back() == "4999");
}

TEST_CASE("union all gives the rows of every input") {
  Shop shop;
  const auto stores = [&] {
    return node(sql::ViewScan{shop.stores, {0}, std::nullopt}, Schema{shop.stores_schema[0]});
  };
  const auto names = [&] {
    return node(sql::ViewScan{shop.sales, {1}, std::nullopt}, Schema{shop.sales_schema[1]});
  };
  CHECK(sorted(lines(shop.run(node(sql::QueryUnionAll{}, Schema{shop.stores_schema[0]}, stores(),
                                   names())))) == Lines{"NULL", "NULL", "NULL", "north", "north",
                                                        "north", "nowhere", "south", "south",
                                                        "south"});
}

namespace {

QueryNodeRef aggregate(Shop& shop, std::vector<int> groups, std::vector<AggregateCall> calls) {
  operators::AggregateNode op;
  op.groups = groups;
  op.calls = calls;
  Schema schema;
  for (int group : groups) schema.push_back(shop.sales_schema[static_cast<size_t>(group)]);
  for (const AggregateCall& call : calls) schema.push_back({"a", call.result});
  return node(sql::QueryAggregate{op}, schema, shop.scan_sales());
}

AggregateCall call_of(AggregateKind kind, int argument, Type type) {
  return {kind, argument, -1, *operators::aggregate_result_type(kind, type), {}};
}

}  // namespace

TEST_CASE("aggregates group with nulls as a group of their own") {
  Shop shop;
  const Type amount = Type::bigint();
  const auto result = shop.run(
      aggregate(shop, {1},
                {call_of(AggregateKind::kCountStar, -1, amount),
                 call_of(AggregateKind::kSum, 2, amount), call_of(AggregateKind::kMax, 2, amount),
                 call_of(AggregateKind::kCountDistinct, 2, amount)}));
  CHECK(sorted(lines(result)) ==
        Lines{"NULL|2|60|30|1", "north|2|10|10|1", "nowhere|1|50|50|1", "south|2|40|20|1"});
}

TEST_CASE("an aggregate without groups over no rows gives one row") {
  Shop shop;
  const Type amount = Type::bigint();
  auto none = node(sql::QueryLimit{0, 0}, shop.sales_schema, shop.scan_sales());
  operators::AggregateNode op;
  op.calls = {call_of(AggregateKind::kCountStar, -1, amount),
              call_of(AggregateKind::kSum, 2, amount)};
  const auto result =
      shop.run(node(sql::QueryAggregate{op},
                    Schema{{"n", Type::bigint()}, {"s", op.calls[1].result}}, std::move(none)));
  CHECK(lines(result) == Lines{"0|NULL"});
}

TEST_CASE("count(*) over a scan without columns counts the rows") {
  Shop shop;
  operators::AggregateNode op;
  op.calls = {call_of(AggregateKind::kCountStar, -1, Type::bigint())};
  const auto result = shop.run(node(sql::QueryAggregate{op}, Schema{{"n", Type::bigint()}},
                                    node(sql::ViewScan{shop.sales, {}, std::nullopt}, Schema{})));
  CHECK(lines(result) == Lines{"7"});
}

TEST_CASE("a sum of doubles does not depend on the order of the scan") {
  const Schema schema{{"x", Type::double_precision()}};
  std::vector<Row> rows;
  for (int i = 0; i < 100; ++i) {
    rows.push_back({Value::double_precision(i % 2 == 0 ? 1e16 / (i + 1) : 0.1 * i)});
  }
  const auto sum = [&](std::vector<Row> in_order) {
    FakeViews views;
    const NodeId view = views.add("v", schema, std::move(in_order));
    operators::AggregateNode op;
    op.calls = {call_of(AggregateKind::kSum, 0, Type::double_precision())};
    sql::BoundQuery query{
        node(sql::QueryAggregate{op}, schema, node(sql::ViewScan{view, {0}, std::nullopt}, schema)),
        {view}};
    return lines(execute(query, views, {}));
  };
  std::vector<Row> reversed(rows.rbegin(), rows.rend());
  CHECK(sum(rows) == sum(reversed));
}

TEST_CASE("a query without views computes one row") {
  FakeViews views;
  sql::BoundQuery query{
      node(sql::QueryProject{{call("+", {constant_expr(big(40)), constant_expr(big(2))})}},
           Schema{{"answer", Type::bigint()}}, node(sql::QuerySingleRow{}, Schema{})),
      {}};
  CHECK(lines(execute(query, views, {})) == Lines{"42"});
}

TEST_CASE("a query over its limits says which") {
  Shop shop;
  QueryLimits limits;
  limits.rows_scanned_max = 6;
  const auto scanned = shop.run(shop.scan_sales(), limits);
  CHECK(scanned.status().code() == absl::StatusCode::kResourceExhausted);
  CHECK(std::string(scanned.status().message()).find("more than 6 rows") != std::string::npos);

  limits = {};
  limits.memory_bytes_max = 64;
  const auto sorted_rows =
      shop.run(node(sql::QuerySort{{{.column = 0}}}, shop.sales_schema, shop.scan_sales()), limits);
  CHECK(sorted_rows.status().code() == absl::StatusCode::kResourceExhausted);
  CHECK(std::string(sorted_rows.status().message()).find("64 bytes") != std::string::npos);

  limits = {};
  limits.deadline = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  const auto late = shop.run(shop.scan_sales(), limits);
  CHECK(late.status().code() == absl::StatusCode::kDeadlineExceeded);
}

TEST_CASE("a scan that aggregates holds no memory for what it scans") {
  FakeViews views;
  views.set_batch_rows(1000);
  const Schema schema{{"s", Type::text()}};
  std::vector<Row> rows;
  for (int i = 0; i < 20'000; ++i) rows.push_back({text(std::string(200, 'x'))});
  const NodeId view = views.add("v", schema, rows);
  operators::AggregateNode op;
  op.calls = {call_of(AggregateKind::kMax, 0, Type::text())};
  sql::BoundQuery query{
      node(sql::QueryAggregate{op}, schema, node(sql::ViewScan{view, {0}, std::nullopt}, schema)),
      {view}};
  QueryLimits limits;
  limits.memory_bytes_max = 2u << 20;
  CHECK(lines(execute(query, views, limits)) == Lines{std::string(200, 'x')});
}

TEST_CASE("the answer names what still waits for a watermark") {
  Shop shop;
  const NodeId closed =
      shop.views.add("per_minute", shop.stores_schema, {}, operators::Emit::kFinal);
  shop.views.set_waiting(closed, {4, EventTime{60'000'000}});
  sql::BoundQuery query{node(sql::ViewScan{closed, {0, 1}, std::nullopt}, shop.stores_schema),
                        {closed, shop.sales}};
  const auto result = execute(query, shop.views, {});
  REQUIRE(result.ok());
  REQUIRE(result->waiting.size() == 1);
  CHECK(result->waiting[0].view == "per_minute");
  CHECK(result->waiting[0].waiting.rows == 4);
  CHECK(result->waiting[0].waiting.until.us == 60'000'000);
}

}  // namespace kappa::runtime
