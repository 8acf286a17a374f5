#include "engine/serve/unary_call.h"

#include <utility>

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "engine/serve/api_error.h"

namespace kappa::serve {

runtime::Deadline deadline_of(const grpc::ServerContextBase& context, int64_t ms_max) {
  const auto left = context.deadline() - std::chrono::system_clock::now();
  const auto cap = std::chrono::milliseconds(ms_max);
  // A call without a deadline has one in the far future.
  return std::chrono::steady_clock::now() + std::min<std::chrono::nanoseconds>(left, cap);
}

// Lives until OnDone, which gRPC calls after Finish and after any OnCancel.
class UnaryCall::Reactor final : public grpc::ServerUnaryReactor {
 public:
  Reactor(UnaryCall::Ref call, Metrics& metrics, Method method,
          std::chrono::system_clock::time_point deadline)
      : call_(std::move(call)), metrics_(metrics), method_(method), deadline_(deadline) {}

  void end(const absl::Status& status) {
    code_ = status.code();
    Finish(to_grpc(status));
  }

 private:
  void OnCancel() override {
    if (std::chrono::system_clock::now() >= deadline_) {
      call_->finish(absl::DeadlineExceededError("the deadline passed before there was an answer"));
    } else {
      call_->finish(absl::CancelledError("the caller went away"));
    }
  }

  void OnDone() override {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started_;
    metrics_.handled(method_, code_, took.count());
    delete this;
  }

  const UnaryCall::Ref call_;
  Metrics& metrics_;
  const Method method_;
  const std::chrono::system_clock::time_point deadline_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  absl::StatusCode code_ = absl::StatusCode::kUnknown;
};

UnaryCall::Ref UnaryCall::start(Metrics& metrics, Method method,
                                grpc::CallbackServerContext* context) {
  Ref call(new UnaryCall);
  call->reactor_ = new Reactor(call, metrics, method, context->deadline());
  return call;
}

grpc::ServerUnaryReactor* UnaryCall::reactor() const {
  return reactor_;
}

void UnaryCall::finish(const absl::Status& status) {
  if (!ended_.exchange(true, std::memory_order_acq_rel)) reactor_->end(status);
}

void UnaryCall::answer(const std::function<absl::Status()>& fill) {
  if (!ended_.exchange(true, std::memory_order_acq_rel)) reactor_->end(fill());
}

absl::Status UnaryCall::still_wanted(runtime::Deadline deadline) const {
  if (ended()) return absl::CancelledError("the caller went away");
  if (std::chrono::steady_clock::now() > deadline) {
    return absl::DeadlineExceededError("the deadline passed before there was an answer");
  }
  return absl::OkStatus();
}

}  // namespace kappa::serve
