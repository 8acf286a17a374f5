#include <algorithm>
#include <memory>
#include <numeric>
#include <utility>

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "absl/strings/str_cat.h"
#include "engine/serve/api_error.h"
#include "engine/serve/backend.h"
#include "engine/serve/cancellable_reader.h"
#include "engine/serve/sales_query.h"
#include "engine/serve/unary_call.h"
#include "engine/serve/wire.h"
#include "engine/types/hash.h"
#include "engine/types/status_macros.h"
#include "kappa/v1/sales.grpc.pb.h"

namespace kappa::serve {
namespace {

constexpr size_t kPageRows = 1000;
constexpr size_t kPageRowsMax = 10'000;

absl::StatusOr<size_t> page_size_of(const v1::GetSalesRequest& request) {
  const int asked = request.page_size();
  if (asked < 0 || static_cast<size_t>(asked) > kPageRowsMax) {
    return invalid_field("page_size",
                         absl::StrCat("expected 1 to ", kPageRowsMax, " or 0, got ", asked));
  }
  return asked == 0 ? kPageRows : static_cast<size_t>(asked);
}

// Names what is asked, so that a token cannot go on with something else.
uint64_t fingerprint_of(const std::string& product, v1::GetSalesRequest request) {
  request.set_product(product);
  request.clear_page_size();
  request.clear_page_token();
  const std::string bytes = "sales" + request.SerializeAsString();
  return hash_bytes(bytes.data(), bytes.size());
}

// The rows of a result as pages are cut from them, in its order.
std::shared_ptr<const ScanRows> rows_of(runtime::QueryResult result) {
  auto rows = std::make_shared<ScanRows>();
  rows->stamp = std::move(result.stamp);
  rows->schema = std::move(result.schema);
  rows->order.resize(result.rows.rows);
  std::iota(rows->order.begin(), rows->order.end(), 0);
  rows->rows = std::move(result.rows);
  rows->arena = std::move(result.arena);
  constexpr size_t kBytesAValue = 16;
  rows->bytes = rows->arena.bytes_reserved() +
                rows->rows.rows * (rows->schema.size() * kBytesAValue + sizeof(uint32_t));
  return rows;
}

// A GetSales between its arrival and its answer. Copied to where it goes on.
struct SalesCall {
  UnaryCall::Ref call;
  Products::Ref product;
  v1::GetSalesRequest request;
  v1::GetSalesResponse* response;
  size_t page_size;
  uint64_t fingerprint;
};

// Answers with the page at `start`, and keeps the rows if there are more pages to come.
absl::Status answer_page(Cursors& cursors, const SalesCall& sales, PageStart start) {
  const ScanRows& rows = *start.rows;
  to_wire(rows.stamp, sales.response->mutable_stamp());
  const uint64_t end = std::min<uint64_t>(rows.order.size(), start.position + sales.page_size);
  for (uint64_t i = start.position; i < end; ++i) {
    write_sales_row(sales.request, rows.rows, rows.order[i], sales.response->add_rows());
  }
  if (end == rows.order.size()) {
    if (!start.cursor.empty()) cursors.finish(start.cursor);
    return absl::OkStatus();
  }
  if (start.cursor.empty()) {
    KAPPA_ASSIGN_OR_RETURN(start.cursor, cursors.keep(start.rows, sales.fingerprint));
  }
  sales.response->set_next_page_token(Cursors::token(start.cursor, end));
  return absl::OkStatus();
}

class SalesService final : public v1::SalesService::CallbackService {
 public:
  explicit SalesService(const Backend& backend) : backend_(backend) {}

  grpc::ServerUnaryReactor* GetSales(grpc::CallbackServerContext* context,
                                     const v1::GetSalesRequest* request,
                                     v1::GetSalesResponse* response) override {
    UnaryCall::Ref call = UnaryCall::start(backend_.metrics, Method::kGetSales, context);
    const absl::Status status = get_sales(call, *context, *request, response);
    if (!status.ok()) call->finish(status);
    return call->reactor();
  }

  grpc::ServerUnaryReactor* GetTopProducts(grpc::CallbackServerContext* context,
                                           const v1::GetTopProductsRequest* request,
                                           v1::GetTopProductsResponse* response) override {
    UnaryCall::Ref call = UnaryCall::start(backend_.metrics, Method::kGetTopProducts, context);
    const absl::Status status = get_top_products(call, *context, *request, response);
    if (!status.ok()) call->finish(status);
    return call->reactor();
  }

 private:
  absl::StatusOr<Products::Ref> admit(const grpc::ServerContextBase& context, Method method,
                                      const std::string& product) const {
    const std::string name = backend_.products.name_for(product);
    KAPPA_RETURN_IF_ERROR(backend_.gate.admit(context, method, Right::kServices, name));
    return backend_.products.find_readable(name);
  }

  absl::Status get_sales(const UnaryCall::Ref& call, const grpc::ServerContextBase& context,
                         const v1::GetSalesRequest& request, v1::GetSalesResponse* response) {
    KAPPA_ASSIGN_OR_RETURN(Products::Ref product,
                           admit(context, Method::kGetSales, request.product()));
    KAPPA_ASSIGN_OR_RETURN(const size_t page_size, page_size_of(request));
    KAPPA_ASSIGN_OR_RETURN(ServiceQuery query, sales_query(request));
    const uint64_t fingerprint = fingerprint_of(product->name, request);
    SalesCall sales{call, std::move(product), request, response, page_size, fingerprint};
    if (!request.page_token().empty()) {
      KAPPA_ASSIGN_OR_RETURN(PageStart start,
                             backend_.cursors.find(request.page_token(), fingerprint));
      call->answer([&] { return answer_page(backend_.cursors, sales, std::move(start)); });
      return absl::OkStatus();
    }
    const Products::Ref asked = sales.product;
    return run(
        call, context, asked, std::move(query),
        [&cursors = backend_.cursors, sales = std::move(sales)](runtime::QueryResult result) {
          return answer_page(cursors, sales, {rows_of(std::move(result)), "", 0});
        });
  }

  absl::Status get_top_products(const UnaryCall::Ref& call, const grpc::ServerContextBase& context,
                                const v1::GetTopProductsRequest& request,
                                v1::GetTopProductsResponse* response) {
    KAPPA_ASSIGN_OR_RETURN(const Products::Ref product,
                           admit(context, Method::kGetTopProducts, request.product()));
    KAPPA_ASSIGN_OR_RETURN(ServiceQuery query, top_products_query(request));
    return run(call, context, product, std::move(query), [response](runtime::QueryResult result) {
      to_wire(result.stamp, response->mutable_stamp());
      for (size_t row = 0; row < result.rows.rows; ++row) {
        write_top_product(result.rows, row, response->add_products());
      }
      return absl::OkStatus();
    });
  }

  // Runs a query on a query thread and answers with what `fill` makes of its result.
  template <typename Fill>
  absl::Status run(const UnaryCall::Ref& call, const grpc::ServerContextBase& context,
                   const Products::Ref& product, ServiceQuery query, Fill fill) {
    const runtime::Deadline deadline = deadline_of(context, backend_.limits.query_ms_max);
    const runtime::QueryLimits limits{deadline, backend_.limits.query_rows_scanned_max,
                                      backend_.limits.query_memory_bytes_max};
    const bool taken = backend_.queries.try_submit(
        [call, product, query = std::move(query), limits, fill = std::move(fill)] {
          const auto still_wanted = [&] { return call->still_wanted(limits.deadline); };
          if (const absl::Status wanted = still_wanted(); !wanted.ok()) return call->finish(wanted);
          CancellableReader reader(*product->reader, still_wanted);
          absl::StatusOr<runtime::QueryResult> result = run_query(*product, query, reader, limits);
          if (!result.ok()) return call->finish(result.status());
          call->answer([&] { return fill(*std::move(result)); });
        });
    return taken ? absl::OkStatus() : too_many_queries();
  }

  const Backend& backend_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_sales_service(const Backend& backend) {
  return std::make_unique<SalesService>(backend);
}

}  // namespace kappa::serve
