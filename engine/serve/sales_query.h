#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "engine/runtime/query_executor.h"
#include "engine/serve/product.h"

namespace kappa::v1 {
class GetSalesRequest;
class GetTopProductsRequest;
class SalesRow;
class TopProduct;
}  // namespace kappa::v1

namespace kappa::serve {

// A SELECT that a service asks of a product's view.
struct ServiceQuery {
  std::string view;
  std::string sql;
};

// A text as SQL writes it, whatever is in it but zero bytes.
std::string sql_literal(std::string_view text);

// InvalidArgument names the field.
absl::StatusOr<ServiceQuery> sales_query(const v1::GetSalesRequest& request);
absl::StatusOr<ServiceQuery> top_products_query(const v1::GetTopProductsRequest& request);

// Row `row` of what the queries give.
void write_sales_row(const v1::GetSalesRequest& request, const Batch& rows, size_t row,
                     v1::SalesRow* out);
void write_top_product(const Batch& rows, size_t row, v1::TopProduct* out);

// Runs it as Sql does. FailedPrecondition: the product has no such view, or one with other columns.
absl::StatusOr<runtime::QueryResult> run_query(const ServedProduct& product,
                                               const ServiceQuery& query,
                                               runtime::ViewReader& reader,
                                               const runtime::QueryLimits& limits);

}  // namespace kappa::serve
