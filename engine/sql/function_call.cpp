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

using operators::ExprRef;

namespace {

template <size_t N>
bool contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

constexpr std::array<std::string_view, 12> kLaterAggregates = {
    "array_agg", "string_agg", "top_k", "variance",        "var_pop",         "var_samp",
    "bool_and",  "bool_or",    "every", "percentile_cont", "percentile_disc", "mode"};

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
                 "there are count, sum, avg, min, max, stddev, stddev_pop, count(DISTINCT …), "
                 "first, last, arg_min, arg_max, decayed_sum, approx_count_distinct and "
                 "approx_quantile");
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
  if (const auto* aggregate = find_aggregate(name)) return bind_aggregate(node, *aggregate);
  KAPPA_RETURN_IF_ERROR(expect_only(node, {{"funcname"}, {"args"}, {"funcformat"}}));
  if (name == "try_cast") return bind_try_cast(node);
  if (name == "predict") return bind_predict(node);
  if (name == "model_version") return bind_model_version(node);
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

}  // namespace kappa::sql
