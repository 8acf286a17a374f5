#include "engine/serve/sales_query.h"

#include <cstdlib>
#include <optional>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "engine/serve/api_error.h"
#include "engine/sql/catalog.h"
#include "engine/types/datetime.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"
#include "kappa/v1/sales.pb.h"

namespace kappa::serve {
namespace {

using Strings = google::protobuf::RepeatedPtrField<std::string>;

constexpr int kFilterValuesMax = 1000;
constexpr int kTopProducts = 10;
constexpr int kTopProductsMax = 1000;
constexpr int64_t kDayUs = 86'400'000'000;
constexpr const char* kSums =
    "sum(revenue) AS revenue, sum(orders) AS orders, sum(items) AS items, "
    "sum(returns) AS returns, sum(returned) AS returned";

std::string view_of(v1::SalesGranularity granularity) {
  switch (granularity) {
    case v1::SALES_GRANULARITY_MINUTE:
      return "sales_by_minute";
    case v1::SALES_GRANULARITY_HOUR:
      return "sales_by_hour";
    case v1::SALES_GRANULARITY_DAY:
      return "sales_by_day";
    default:
      return "";
  }
}

bool groups_by(const v1::GetSalesRequest& request, v1::SalesDimension dimension) {
  for (const int one : request.group_by()) {
    if (one == dimension) return true;
  }
  return false;
}

// The columns of a request's groups, in the order of SalesRow.
std::vector<std::string> group_columns(const v1::GetSalesRequest& request) {
  std::vector<std::string> columns = {"window_start"};
  if (groups_by(request, v1::SALES_DIMENSION_STORE)) columns.emplace_back("store_id");
  if (groups_by(request, v1::SALES_DIMENSION_CATEGORY)) columns.emplace_back("category");
  if (groups_by(request, v1::SALES_DIMENSION_COUNTRY)) columns.emplace_back("country");
  return columns;
}

absl::Status check_groups(const v1::GetSalesRequest& request) {
  for (const int dimension : request.group_by()) {
    if (v1::SalesDimension_IsValid(dimension) && dimension != v1::SALES_DIMENSION_UNSPECIFIED) {
      continue;
    }
    return invalid_field("group_by", "expected STORE, CATEGORY or COUNTRY");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> time_literal(std::string_view field, int64_t us) {
  if (us < kFirstTimestampUs || us >= kEndTimestampUs) {
    return invalid_field(field, "expected a time in the years 1 to 9999");
  }
  return absl::StrCat("TIMESTAMPTZ ", sql_literal(timestamp_to_text(us)));
}

absl::Status add_filter(const char* field, const char* column, const Strings& values,
                        std::string* sql) {
  if (values.empty()) return absl::OkStatus();
  if (values.size() > kFilterValuesMax) {
    return invalid_field(
        field, absl::StrCat("expected at most ", kFilterValuesMax, " values, got ", values.size()));
  }
  std::vector<std::string> literals;
  for (const std::string& value : values) {
    if (value.find('\0') != std::string::npos) {
      return invalid_field(field, "expected text without zero bytes");
    }
    literals.push_back(sql_literal(value));
  }
  absl::StrAppend(sql, " AND ", column, " IN (", absl::StrJoin(literals, ", "), ")");
  return absl::OkStatus();
}

absl::StatusOr<std::string> conditions(const v1::GetSalesRequest& request) {
  KAPPA_ASSIGN_OR_RETURN(const std::string from, time_literal("from_us", request.from_us()));
  KAPPA_ASSIGN_OR_RETURN(const std::string to, time_literal("to_us", request.to_us()));
  std::string sql = absl::StrCat("window_start >= ", from, " AND window_start < ", to);
  KAPPA_RETURN_IF_ERROR(add_filter("store_ids", "store_id", request.store_ids(), &sql));
  KAPPA_RETURN_IF_ERROR(add_filter("categories", "category", request.categories(), &sql));
  KAPPA_RETURN_IF_ERROR(add_filter("countries", "country", request.countries(), &sql));
  return sql;
}

std::string text_at(const Batch& rows, size_t column, size_t row) {
  const Value value = value_at(*rows.columns[column], row);
  return value.is_null() ? "" : to_text(value);
}

int64_t number_at(const Batch& rows, size_t column, size_t row) {
  int64_t number = 0;
  (void)absl::SimpleAtoi(text_at(rows, column, row), &number);
  return number;
}

int64_t time_at(const Batch& rows, size_t column, size_t row) {
  const Value value = value_at(*rows.columns[column], row);
  const int64_t* us = std::get_if<int64_t>(&value.data);
  return us == nullptr ? 0 : *us;
}

absl::Status not_served(const ServedProduct& product, const std::string& what) {
  return with_reason(absl::FailedPreconditionError(
                         absl::StrCat("product ", product.name, " does not serve this: ", what)),
                     "NOT_SERVED_BY_PRODUCT", {{"product", product.name}});
}

}  // namespace

std::string sql_literal(std::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(to_absl(text), {{"'", "''"}}), "'");
}

absl::StatusOr<ServiceQuery> sales_query(const v1::GetSalesRequest& request) {
  ServiceQuery query{view_of(request.granularity()), ""};
  if (query.view.empty()) {
    return invalid_field("granularity", "expected MINUTE, HOUR or DAY");
  }
  if (request.to_us() <= request.from_us()) {
    return invalid_field("to_us", "expected a time after from_us");
  }
  KAPPA_RETURN_IF_ERROR(check_groups(request));
  KAPPA_ASSIGN_OR_RETURN(const std::string where, conditions(request));
  const std::string groups = absl::StrJoin(group_columns(request), ", ");
  query.sql = absl::StrCat("SELECT ", groups, ", ", kSums, " FROM ", query.view, " WHERE ", where,
                           " GROUP BY ", groups, " ORDER BY ", groups);
  return query;
}

absl::StatusOr<ServiceQuery> top_products_query(const v1::GetTopProductsRequest& request) {
  const std::optional<int32_t> day = parse_date(request.day());
  if (!day) return invalid_field("day", "expected a day such as 2024-05-01");
  const int limit = request.limit() == 0 ? kTopProducts : request.limit();
  if (limit < 1 || limit > kTopProductsMax) {
    return invalid_field("limit", absl::StrCat("expected 1 to ", kTopProductsMax, ", got ", limit));
  }
  KAPPA_ASSIGN_OR_RETURN(const std::string from, time_literal("day", *day * kDayUs));
  KAPPA_ASSIGN_OR_RETURN(const std::string to, time_literal("day", (*day + 1) * kDayUs));
  return ServiceQuery{"top_products_by_day",
                      absl::StrCat("SELECT place, product_id, revenue, items FROM "
                                   "top_products_by_day WHERE window_start >= ",
                                   from, " AND window_start < ", to,
                                   " ORDER BY window_start, place, product_id LIMIT ", limit)};
}

void write_sales_row(const v1::GetSalesRequest& request, const Batch& rows, size_t row,
                     v1::SalesRow* out) {
  size_t column = 0;
  out->set_window_start_us(time_at(rows, column++, row));
  if (groups_by(request, v1::SALES_DIMENSION_STORE)) {
    out->set_store_id(text_at(rows, column++, row));
  }
  if (groups_by(request, v1::SALES_DIMENSION_CATEGORY)) {
    out->set_category(text_at(rows, column++, row));
  }
  if (groups_by(request, v1::SALES_DIMENSION_COUNTRY)) {
    out->set_country(text_at(rows, column++, row));
  }
  out->set_revenue(text_at(rows, column++, row));
  out->set_orders(number_at(rows, column++, row));
  out->set_items(number_at(rows, column++, row));
  out->set_returns(number_at(rows, column++, row));
  out->set_returned(text_at(rows, column++, row));
  if (out->orders() == 0 || out->revenue().empty()) return;
  out->set_average_basket(std::strtod(out->revenue().c_str(), nullptr) /
                          static_cast<double>(out->orders()));
}

void write_top_product(const Batch& rows, size_t row, v1::TopProduct* out) {
  out->set_place(number_at(rows, 0, row));
  out->set_product_id(text_at(rows, 1, row));
  out->set_revenue(text_at(rows, 2, row));
  out->set_items(number_at(rows, 3, row));
}

absl::StatusOr<runtime::QueryResult> run_query(const ServedProduct& product,
                                               const ServiceQuery& query,
                                               runtime::ViewReader& reader,
                                               const runtime::QueryLimits& limits) {
  if (reader.plan().find_view(query.view) == operators::kNoNode) {
    return not_served(product, absl::StrCat("it has no view ", query.view));
  }
  const sql::CompiledQuery compiled = sql::compile_query({query.view, query.sql}, reader.plan());
  if (!compiled.ok()) {
    return not_served(
        product, absl::StrCat("view ", query.view, ": ", compiled.diagnostics.front().message));
  }
  return runtime::execute(*compiled.query, reader, limits);
}

}  // namespace kappa::serve
