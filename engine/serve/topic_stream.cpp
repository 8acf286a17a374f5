#include "engine/serve/topic_stream.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <utility>

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "engine/serve/api_error.h"
#include "engine/serve/stream_slot.h"
#include "engine/serve/topic_cursor.h"
#include "engine/types/status_macros.h"
#include "kappa/v1/admin.pb.h"

namespace kappa::serve {
namespace {

// A stream of records. It holds no thread while it waits for the caller or for records:
//
//   start ─► stepping ──records──► writing ──OnWriteDone──► stepping
//               │  ▲                  └──caller gone──► ended
//               │  └──append, cancel──┐
//               ├──nothing there──► waiting
//               └──end, limit, error──► ended
//
// The phases are handed on under the mutex; only who has stepping or writing touches the rest.
class TopicStream final : public grpc::ServerWriteReactor<v1::ReadTopicResponse> {
 public:
  TopicStream(const Backend& backend, const v1::ReadTopicRequest& request)
      : backend_(backend),
        request_(request),
        slot_(backend.streams_open, backend.limits.streams_max) {}

  void start(const std::shared_ptr<TopicStream>& self, const grpc::ServerContextBase& context) {
    self_ = self;
    absl::Status status = backend_.gate.admit(context, Method::kReadTopic, Right::kAdmin, "");
    if (status.ok() && !slot_.taken()) status = too_many_queries();
    if (!status.ok()) return end(status);
    submit_step();
  }

 private:
  enum class Phase { kStepping, kWriting, kWaiting };

  void submit_step() {
    backend_.short_tasks.submit([self = self_] { self->step(); });
  }

  // On a short task's thread, in the phase stepping.
  void step() {
    if (is_cancelled()) return end(absl::CancelledError("the caller went away"));
    message_.Clear();
    const absl::Status status = read();
    if (!status.ok()) return end(status);
    if (!message_.records().empty()) {
      set_phase(Phase::kWriting);
      StartWrite(&message_);
    } else if (cursor_->at_end()) {
      end(absl::OkStatus());
    } else if (request_.follow()) {
      wait();
    } else {
      submit_step();  // an empty block that is not the end
    }
  }

  absl::Status read() {
    if (!cursor_) {
      // Before the first look, so that nothing is appended unseen in between.
      if (request_.follow()) subscribe();
      KAPPA_ASSIGN_OR_RETURN(cursor_, TopicCursor::open(backend_.log, request_));
    }
    return cursor_->read(&message_);
  }

  void subscribe() {
    subscription_ = backend_.log.on_append([weak = std::weak_ptr<TopicStream>(self_)] {
      if (const auto stream = weak.lock()) stream->wake();
    });
  }

  void wait() {
    {
      std::lock_guard lock(mutex_);
      if (!woken_ && !cancelled_) {
        phase_ = Phase::kWaiting;
        return;
      }
      woken_ = false;
    }
    submit_step();
  }

  void wake() {
    {
      std::lock_guard lock(mutex_);
      woken_ = true;
      if (phase_ != Phase::kWaiting) return;
      woken_ = false;
      phase_ = Phase::kStepping;
    }
    submit_step();
  }

  bool is_cancelled() {
    std::lock_guard lock(mutex_);
    return cancelled_;
  }

  void set_phase(Phase phase) {
    std::lock_guard lock(mutex_);
    phase_ = phase;
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return end(absl::CancelledError("the caller went away"));
    if (cursor_->at_end()) return end(absl::OkStatus());
    set_phase(Phase::kStepping);
    submit_step();
  }

  void OnCancel() override {
    {
      std::lock_guard lock(mutex_);
      cancelled_ = true;
    }
    wake();
  }

  void end(const absl::Status& status) {
    code_ = status.code();
    Finish(to_grpc(status));
  }

  void OnDone() override {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started_;
    backend_.metrics.handled(Method::kReadTopic, code_, took.count());
    subscription_.reset();
    self_.reset();  // maybe the last reference
  }

  const Backend& backend_;
  const v1::ReadTopicRequest request_;
  const StreamSlot slot_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::shared_ptr<TopicStream> self_;  // until OnDone
  std::unique_ptr<TopicCursor> cursor_;
  std::shared_ptr<void> subscription_;
  v1::ReadTopicResponse message_;
  absl::StatusCode code_ = absl::StatusCode::kUnknown;
  std::mutex mutex_;
  Phase phase_ = Phase::kStepping;
  bool woken_ = false;
  bool cancelled_ = false;
};

}  // namespace

grpc::ServerWriteReactor<v1::ReadTopicResponse>* start_topic_stream(
    const Backend& backend, grpc::CallbackServerContext* context,
    const v1::ReadTopicRequest* request) {
  auto stream = std::make_shared<TopicStream>(backend, *request);
  stream->start(stream, *context);
  return stream.get();
}

}  // namespace kappa::serve
