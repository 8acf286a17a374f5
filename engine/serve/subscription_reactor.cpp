#include "engine/serve/subscription_reactor.h"

#include <memory>
#include <utility>

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "engine/serve/api_error.h"
#include "kappa/v1/fraud.pb.h"
#include "kappa/v1/subscribe.pb.h"

namespace kappa::serve {
namespace {

template <typename Response>
class SubscriptionReactor final : public grpc::ServerWriteReactor<Response>, public Subscription {
 public:
  using Convert = std::function<absl::Status(const v1::SubscribeResponse&, Response*)>;

  SubscriptionReactor(const Backend& backend, SubscriptionRequest request, Convert convert)
      : Subscription(backend, std::move(request)), convert_(std::move(convert)) {}

  void begin(const std::shared_ptr<SubscriptionReactor>& self,
             const grpc::ServerContextBase& context) {
    start(self, context);
  }

 private:
  absl::Status prepare(const v1::SubscribeResponse& message) override {
    response_.Clear();
    return convert_(message, &response_);
  }
  void write() override { this->StartWrite(&response_); }
  void finish(const absl::Status& status) override { this->Finish(to_grpc(status)); }
  void OnWriteDone(bool ok) override { written(ok); }
  void OnCancel() override { cancel(); }
  void OnDone() override { done(); }

  const Convert convert_;
  Response response_;
};

}  // namespace

template <typename Response>
grpc::ServerWriteReactor<Response>* start_subscription(
    const Backend& backend, const grpc::ServerContextBase& context, SubscriptionRequest request,
    std::function<absl::Status(const v1::SubscribeResponse&, Response*)> convert) {
  auto stream = std::make_shared<SubscriptionReactor<Response>>(backend, std::move(request),
                                                                std::move(convert));
  stream->begin(stream, context);
  return stream.get();
}

template grpc::ServerWriteReactor<v1::SubscribeResponse>* start_subscription(
    const Backend&, const grpc::ServerContextBase&, SubscriptionRequest,
    std::function<absl::Status(const v1::SubscribeResponse&, v1::SubscribeResponse*)>);
template grpc::ServerWriteReactor<v1::StreamAlertsResponse>* start_subscription(
    const Backend&, const grpc::ServerContextBase&, SubscriptionRequest,
    std::function<absl::Status(const v1::SubscribeResponse&, v1::StreamAlertsResponse*)>);

}  // namespace kappa::serve
