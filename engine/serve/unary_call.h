#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "engine/runtime/reads.h"
#include "engine/serve/backend.h"

namespace grpc {
class CallbackServerContext;
class ServerContextBase;
class ServerUnaryReactor;
}  // namespace grpc

namespace kappa::serve {

// The deadline of a call, at most `ms_max` from now.
runtime::Deadline deadline_of(const grpc::ServerContextBase& context, int64_t ms_max);

// A unary call between its start and its end. It ends once: with what whoever works on it has to
// say, or with the caller's going away. From then on request and response are gone, so work that is
// handed to another thread takes copies of what it needs of the request, and writes the response in
// `fill` only. Thread-safe.
class UnaryCall {
 public:
  using Ref = std::shared_ptr<UnaryCall>;

  // Starts the clock of the call. The handler returns `reactor()` to gRPC.
  static Ref start(Metrics& metrics, Method method, grpc::CallbackServerContext* context);
  grpc::ServerUnaryReactor* reactor() const;

  // Ends the call, if it has not ended.
  void finish(const absl::Status& status);
  // Ends the call with the answer that `fill` writes, if it has not ended. `fill` may find that
  // there is no answer.
  void answer(const std::function<absl::Status()>& fill);
  bool ended() const { return ended_.load(std::memory_order_acquire); }
  // OK while the call has not ended and there is time: for work in slices.
  absl::Status still_wanted(runtime::Deadline deadline) const;

 private:
  class Reactor;
  UnaryCall() = default;

  std::atomic<bool> ended_ = false;
  Reactor* reactor_ = nullptr;  // valid until ended_
};

}  // namespace kappa::serve
