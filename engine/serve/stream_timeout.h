#pragma once

#include <cstdint>
#include <memory>

namespace grpc {
class CallbackServerContext;
}

namespace kappa::serve {

// Cancels a stream that goes on for too long, such as one whose caller takes in nothing: it must
// not hold for ever what it holds. Thread-safe.
class StreamTimeout {
 public:
  explicit StreamTimeout(grpc::CallbackServerContext* context);
  ~StreamTimeout();

  // The stream is cancelled in `ms` from now. Once.
  void start(int64_t ms);
  // The stream has ended; its context may go.
  void end();

 private:
  class Canceller;
  struct Alarm;
  const std::shared_ptr<Canceller> canceller_;
  const std::unique_ptr<Alarm> alarm_;
};

}  // namespace kappa::serve
