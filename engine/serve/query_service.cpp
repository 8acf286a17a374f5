#include <memory>
#include <utility>

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "absl/strings/str_cat.h"
#include "engine/serve/api_error.h"
#include "engine/serve/backend.h"
#include "engine/serve/export_stream.h"
#include "engine/serve/keys.h"
#include "engine/serve/scan_call.h"
#include "engine/serve/sql_stream.h"
#include "engine/serve/subscription_reactor.h"
#include "engine/serve/unary_call.h"
#include "engine/serve/wire.h"
#include "engine/types/status_macros.h"
#include "kappa/v1/query.grpc.pb.h"

namespace kappa::serve {
namespace {

using runtime::ViewReader;

template <typename Response>
void write_columns(const operators::Schema& schema, Response* response) {
  for (const operators::Field& field : schema) to_wire(field, response->add_columns());
}

void describe_view(const ServedProduct& product, const operators::PlanNode& node, v1::View* out) {
  const auto& view = std::get<operators::ViewNode>(node.op);
  out->set_product(product.name);
  out->set_name(view.name);
  write_columns(node.schema, out);
  for (const int column : view.key) out->add_key(node.schema[static_cast<size_t>(column)].name);
  out->set_keyed_by_record(view.by_record);
  out->set_emit(view.emit == operators::Emit::kFinal ? v1::EMIT_FINAL : v1::EMIT_CHANGES);
  if (view.event_time) {
    out->set_event_time(node.schema[static_cast<size_t>(*view.event_time)].name);
  }
}

class QueryService final : public v1::Query::CallbackService {
 public:
  explicit QueryService(const Backend& backend) : backend_(backend) {}

  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* context, const v1::GetRequest* request,
                                v1::GetResponse* response) override {
    return handle(Method::kGet, context, *request,
                  [&](const UnaryCall::Ref& call) { return get(call, *request, response); });
  }

  grpc::ServerUnaryReactor* MultiGet(grpc::CallbackServerContext* context,
                                     const v1::MultiGetRequest* request,
                                     v1::MultiGetResponse* response) override {
    return handle(Method::kMultiGet, context, *request,
                  [&](const UnaryCall::Ref& call) { return multi_get(call, *request, response); });
  }

  grpc::ServerUnaryReactor* Scan(grpc::CallbackServerContext* context,
                                 const v1::ScanRequest* request,
                                 v1::ScanResponse* response) override {
    return handle(Method::kScan, context, *request, [&](const UnaryCall::Ref& call) {
      return start_scan(backend_, call, *context, *request, response);
    });
  }

  grpc::ServerWriteReactor<v1::SqlResponse>* Sql(grpc::CallbackServerContext* context,
                                                 const v1::SqlRequest* request) override {
    return start_sql(backend_, context, request);
  }

  grpc::ServerWriteReactor<v1::ExportResponse>* Export(grpc::CallbackServerContext* context,
                                                       const v1::ExportRequest* request) override {
    return start_export(backend_, context, request);
  }

  grpc::ServerWriteReactor<v1::SubscribeResponse>* Subscribe(
      grpc::CallbackServerContext* context, const v1::SubscribeRequest* request) override {
    const auto same = [](const v1::SubscribeResponse& event, v1::SubscribeResponse* response) {
      *response = event;
      return absl::OkStatus();
    };
    const bool from_beginning = request->from() == v1::SUBSCRIBE_FROM_BEGINNING;
    return start_subscription<v1::SubscribeResponse>(
        backend_, *context,
        {Method::kSubscribe, request->product(), request->output(), request->resume_token(),
         from_beginning, request->heartbeat_ms()},
        same);
  }

  grpc::ServerUnaryReactor* DescribeViews(grpc::CallbackServerContext* context,
                                          const v1::DescribeViewsRequest* request,
                                          v1::DescribeViewsResponse* response) override {
    UnaryCall::Ref call = UnaryCall::start(backend_.metrics, Method::kDescribeViews, context);
    call->answer([&] { return describe_views(*context, *request, response); });
    return call->reactor();
  }

 private:
  // Admits a call for one product and starts it. `start` returns an error if it has not begun.
  template <typename Request, typename Start>
  grpc::ServerUnaryReactor* handle(Method method, grpc::CallbackServerContext* context,
                                   const Request& request, Start start) {
    UnaryCall::Ref call = UnaryCall::start(backend_.metrics, method, context);
    const std::string product = backend_.products.name_for(request.product());
    absl::Status status = backend_.gate.admit(*context, method, Right::kQuery, product);
    if (status.ok()) status = start(call);
    if (!status.ok()) call->finish(status);
    return call->reactor();
  }

  absl::Status get(const UnaryCall::Ref& call, const v1::GetRequest& request,
                   v1::GetResponse* response) {
    KAPPA_ASSIGN_OR_RETURN(ViewRef view,
                           find_view(backend_.products, request.product(), request.view()));
    KAPPA_RETURN_IF_ERROR(check_has_key(view));
    std::vector<Row> keys(1);
    KAPPA_ASSIGN_OR_RETURN(keys[0], read_key(view, request.key(), "key"));
    // The answer is written and sent from the pipeline's thread: handing it to another one would
    // cost more than that.
    view.reader().get(view.id, std::move(keys),
                      [call, view, response](absl::StatusOr<ViewReader::Rows> rows) {
                        if (!rows.ok()) return call->finish(rows.status());
                        call->answer([&] {
                          to_wire(rows->stamp, response->mutable_stamp());
                          write_columns(*view.schema, response);
                          if (rows->rows[0]) to_wire(*rows->rows[0], response->mutable_row());
                          return absl::OkStatus();
                        });
                      });
    return absl::OkStatus();
  }

  absl::Status multi_get(const UnaryCall::Ref& call, const v1::MultiGetRequest& request,
                         v1::MultiGetResponse* response) {
    KAPPA_ASSIGN_OR_RETURN(ViewRef view,
                           find_view(backend_.products, request.product(), request.view()));
    KAPPA_RETURN_IF_ERROR(check_has_key(view));
    if (static_cast<size_t>(request.keys_size()) > backend_.limits.keys_max) {
      return invalid_field("keys", absl::StrCat("expected at most ", backend_.limits.keys_max,
                                                " keys, got ", request.keys_size()));
    }
    std::vector<Row> keys(static_cast<size_t>(request.keys_size()));
    for (int i = 0; i < request.keys_size(); ++i) {
      KAPPA_ASSIGN_OR_RETURN(
          keys[static_cast<size_t>(i)],
          read_key(view, request.keys(i).values(), absl::StrCat("keys[", i, "].values")));
    }
    view.reader().get(view.id, std::move(keys),
                      [this, call, view, response](absl::StatusOr<ViewReader::Rows> rows) {
                        if (!rows.ok()) return call->finish(rows.status());
                        // Maybe many rows: written away from the pipeline's thread.
                        auto kept = std::make_shared<ViewReader::Rows>(*std::move(rows));
                        backend_.short_tasks.submit([call, view, response, kept] {
                          call->answer([&] { return write_rows(view, *kept, response); });
                        });
                      });
    return absl::OkStatus();
  }

  static absl::Status write_rows(const ViewRef& view, const ViewReader::Rows& rows,
                                 v1::MultiGetResponse* response) {
    to_wire(rows.stamp, response->mutable_stamp());
    write_columns(*view.schema, response);
    for (const std::optional<Row>& row : rows.rows) {
      v1::KeyedRow* added = response->add_rows();
      if (row) to_wire(*row, added->mutable_row());
    }
    return absl::OkStatus();
  }

  // Without a product: all that can be read and that the caller may read.
  absl::Status describe_views(const grpc::ServerContextBase& context,
                              const v1::DescribeViewsRequest& request,
                              v1::DescribeViewsResponse* response) {
    const std::string name = backend_.products.name_for(request.product());
    std::vector<Products::Ref> products;
    absl::Status denied;
    if (!name.empty()) {
      KAPPA_RETURN_IF_ERROR(
          backend_.gate.admit(context, Method::kDescribeViews, Right::kQuery, name));
      KAPPA_ASSIGN_OR_RETURN(Products::Ref product, backend_.products.find_readable(name));
      products.push_back(std::move(product));
    } else {
      for (Products::Ref& product : backend_.products.all()) {
        absl::Status admitted =
            backend_.gate.admit(context, Method::kDescribeViews, Right::kQuery, product->name);
        if (!admitted.ok())
          denied = std::move(admitted);
        else if (product->reader != nullptr)
          products.push_back(std::move(product));
      }
    }
    if (products.empty()) return denied;
    for (const Products::Ref& product : products) {
      const operators::Plan& plan = product->reader->plan();
      for (const operators::NodeId id : plan.views()) {
        describe_view(*product, plan.node(id), response->add_views());
      }
    }
    return absl::OkStatus();
  }

  const Backend& backend_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_query_service(const Backend& backend) {
  return std::make_unique<QueryService>(backend);
}

}  // namespace kappa::serve
