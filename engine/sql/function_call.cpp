#include <algorithm>
#include <array>
#include <optional>

#include "absl/strings/str_cat.h"
#include "engine/sql/construct.h"
#include "engine/sql/expression_binder.h"
#include "engine/sql/fault.h"
#include "engine/sql/type_name.h"
#include "engine/types/status_macros.h"

namespace kappa::sql {

using operators::AggregateKind;
using operators::ExprRef;

namespace {

template <size_t N>
bool contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

constexpr std::array<std::string_view, 5> kAggregates = {"count", "sum", "avg", "min", "max"};

constexpr std::array<std::string_view, 23> kLaterAggregates = {
    "first",           "last",
    "arg_min",         "arg_max",
    "array_agg",       "string_agg",
    "top_k",           "stddev",
    "stddev_pop",      "stddev_samp",
    "variance",        "var_pop",
    "var_samp",        "decayed_sum",
    "bool_and",        "bool_or",
    "every",           "approx_count_distinct",
    "approx_quantile", "percentile_cont",
    "percentile_disc", "mode",
    "json_agg"};

constexpr std::array<std::string_view, 10> kRowFunctions = {
    "row_number", "rank",        "dense_rank", "ntile",     "lag",
    "lead",       "first_value", "last_value", "nth_value", "percent_rank"};

constexpr std::array<std::string_view, 4> kWindowFunctions = {"tumble", "hop", "cumulate",
                                                              "session"};

// Their value is not a function of the record.
constexpr std::array<std::string_view, 14> kUnrepeatable = {"now",
                                                            "current_timestamp",
                                                            "clock_timestamp",
                                                            "statement_timestamp",
                                                            "current_date",
                                                            "current_time",
                                                            "transaction_timestamp",
                                                            "timeofday",
                                                            "localtime",
                                                            "localtimestamp",
                                                            "random",
                                                            "gen_random_uuid",
                                                            "uuid_generate_v4",
                                                            "pg_sleep"};

AggregateKind kind_of(const std::string& name, bool star, bool distinct) {
  if (name == "count") {
    return star       ? AggregateKind::kCountStar
           : distinct ? AggregateKind::kCountDistinct
                      : AggregateKind::kCount;
  }
  if (name == "sum") return AggregateKind::kSum;
  if (name == "avg") return AggregateKind::kAvg;
  return name == "min" ? AggregateKind::kMin : AggregateKind::kMax;
}

}  // namespace

absl::Status ExpressionBinder::refuse_name(const Node& node, const std::string& name) const {
  if (contains(kUnrepeatable, name)) {
    const std::string shown = node.is("SQLValueFunction") ? "the present time" : name + "()";
    return fault(node,
                 absl::StrCat(shown,
                              " is not a function of the record, so no replay would repeat "
                              "it"),
                 "use a column of the source, such as its event time, or write the value itself");
  }
  if (contains(kLaterAggregates, name)) {
    return fault(node, absl::StrCat("the aggregate ", name, " is not supported yet"),
                 "there are count, sum, avg, min, max and count(DISTINCT …)");
  }
  if (contains(kRowFunctions, name)) {
    return fault(node, absl::StrCat(name, "() is not supported yet"));
  }
  if (contains(kWindowFunctions, name)) {
    return fault(node, absl::StrCat(name, "() stands in FROM"),
                 "write FROM tumble(t, event_time, INTERVAL '1 minute') GROUP BY window_start");
  }
  return absl::OkStatus();
}

absl::StatusOr<ExprRef> ExpressionBinder::bind_function(const Node& node) const {
  std::vector<std::string> names = node.names("funcname");
  if (names.size() == 2 && names[0] == "pg_catalog") names.erase(names.begin());
  if (names.size() != 1) return fault(node, "a function's name has no schema here");
  const std::string& name = names[0];
  if (node.child("over")) return bind_over(node, name);
  KAPPA_RETURN_IF_ERROR(refuse_name(node, name));
  if (name == "timezone") return not_supported(node, "timezone");
  for (const Node& arg : node.list("args")) {
    if (arg.is("NamedArgExpr")) return not_supported(arg, "NamedArgExpr");
  }
  if (contains(kAggregates, name)) return bind_aggregate(node, name);
  KAPPA_RETURN_IF_ERROR(expect_only(node, {{"funcname"}, {"args"}, {"funcformat"}}));
  if (name == "try_cast") return bind_try_cast(node);
  KAPPA_ASSIGN_OR_RETURN(const auto operands, bind_operands(node.list("args")));
  return make_call(node, position(node), name, operands);
}

absl::StatusOr<ExprRef> ExpressionBinder::bind_try_cast(const Node& node) const {
  const auto args = node.list("args");
  const Node* type_text =
      args.size() == 2 && args[1].is("A_Const") ? args[1].child("sval") : nullptr;
  if (!type_text) {
    return fault(node, "try_cast takes a value and the name of a type",
                 "write try_cast(x, 'integer')");
  }
  KAPPA_ASSIGN_OR_RETURN(const Type type, bind_type_text(type_text->text("sval"), args[1]));
  KAPPA_ASSIGN_OR_RETURN(const Operand operand, bind_operand(args[0]));
  return cast(operand, type, position(node), /*lenient=*/true);
}

absl::StatusOr<ExprRef> ExpressionBinder::bind_aggregate(const Node& node,
                                                         const std::string& name) const {
  KAPPA_RETURN_IF_ERROR(expect_only(
      node,
      {{"funcname"}, {"args"}, {"agg_filter"}, {"agg_star"}, {"agg_distinct"}, {"funcformat"}}));
  const bool star = node.flag("agg_star");
  const bool distinct = node.flag("agg_distinct");
  if (!aggregates_) {
    return fault(node, absl::StrCat("the aggregate ", name, " cannot stand in ", clause_));
  }
  if (star && name != "count") return fault(node, absl::StrCat(name, "(*) does not exist"));
  if (distinct && name != "count") {
    return fault(node, absl::StrCat(name, "(DISTINCT …) is not supported yet"),
                 "there is count(DISTINCT …)");
  }
  if (!star && node.list("args").size() != 1) {
    return fault(node, absl::StrCat(name, " takes one argument, found ", node.list("args").size()));
  }
  AggregateExpr aggregate{.kind = kind_of(name, star, distinct), .position = position(node)};
  const ExpressionBinder inside(text_, scope_, absl::StrCat("the aggregate ", name));
  if (!star) {
    KAPPA_ASSIGN_OR_RETURN(aggregate.argument, inside.bind(node.list("args")[0]));
  }
  if (const Node* filter = node.child("agg_filter")) {
    const ExpressionBinder filter_binder(text_, scope_, "FILTER");
    KAPPA_ASSIGN_OR_RETURN(aggregate.filter, filter_binder.bind_condition(*filter));
  }
  const auto result = operators::aggregate_result_type(
      aggregate.kind, aggregate.argument ? aggregate.argument->type : Type::null());
  if (!result.ok()) return fault(node, result.status());
  aggregate.result = *result;
  const int index = aggregates_->add(std::move(aggregate));
  return operators::column_expr(scope_.size() + index, *result, position(node));
}

}  // namespace kappa::sql
