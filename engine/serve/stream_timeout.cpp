#include "engine/serve/stream_timeout.h"

#include <chrono>
#include <mutex>

#include <grpcpp/alarm.h>
#include <grpcpp/server_context.h>

namespace kappa::serve {

// Cancels a call from a timer, unless the call has ended. The timer may outlive the call.
class StreamTimeout::Canceller {
 public:
  explicit Canceller(grpc::CallbackServerContext* context) : context_(context) {}
  void cancel() {
    std::lock_guard lock(mutex_);
    if (context_ != nullptr) context_->TryCancel();
  }
  void end() {
    std::lock_guard lock(mutex_);
    context_ = nullptr;
  }

 private:
  std::mutex mutex_;
  grpc::CallbackServerContext* context_;
};

struct StreamTimeout::Alarm {
  grpc::Alarm alarm;
};

StreamTimeout::StreamTimeout(grpc::CallbackServerContext* context)
    : canceller_(std::make_shared<Canceller>(context)), alarm_(std::make_unique<Alarm>()) {}

StreamTimeout::~StreamTimeout() = default;

void StreamTimeout::start(int64_t ms) {
  const auto at = std::chrono::system_clock::now() + std::chrono::milliseconds(ms);
  alarm_->alarm.Set(at, [canceller = canceller_](bool rang) {
    if (rang) canceller->cancel();
  });
}

void StreamTimeout::end() {
  canceller_->end();
}

}  // namespace kappa::serve
