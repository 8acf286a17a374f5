#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "engine/runtime/reads.h"
#include "engine/serve/backend.h"
#include "engine/serve/output_cursor.h"
#include "engine/serve/stream_slot.h"

namespace grpc {
class ServerContextBase;
}

namespace kappa::serve {

// What a stream of an output asks for: a SubscribeRequest.
struct SubscriptionRequest {
  Method method = Method::kSubscribe;  // as metrics and audit have it
  std::string product;
  std::string output;
  std::string resume_token;
  bool from_beginning = false;
  int64_t heartbeat_ms = 0;
};

// A stream of an output. It holds no thread while it waits for the caller, for records or for its
// next heartbeat, and one message at a time is on its way:
//
//   start ─► stepping ──event──► writing ──written()──► stepping
//              │  ▲                 └──caller gone──► ended
//              │  └─append, heartbeat due, generation changed, cancel─┐
//              ├──nothing there──► waiting ───────────────────────────┘
//              ├──heartbeat due──► asking the pipeline for the time ─► writing
//              └──error──► ended
//
// The phases are handed on under the mutex; only who has stepping, asking or writing touches the
// rest. What it is to gRPC is subscription_reactor.h's.
class Subscription {
 public:
  Subscription(const Backend& backend, SubscriptionRequest request);
  virtual ~Subscription();

 protected:
  // `self` is held until done().
  void start(const std::shared_ptr<Subscription>& self, const grpc::ServerContextBase& context);
  void written(bool ok);
  void cancel();
  void done();

  // Takes the message as it is to be sent. An error ends the stream.
  virtual absl::Status prepare(const v1::SubscribeResponse& message) = 0;
  // Begins to write what was prepared; written() follows.
  virtual void write() = 0;
  // Ends the call; done() follows.
  virtual void finish(const absl::Status& status) = 0;

 private:
  enum class Phase : uint8_t { kStepping, kWriting, kWaiting };
  // What has happened since it was last looked at.
  struct News {
    bool appended = false;
    bool heartbeat_due = false;
    bool product_set = false;
    bool any() const { return appended || heartbeat_due || product_set; }
  };
  class Bell;  // rings when a heartbeat is due

  absl::Status check(const grpc::ServerContextBase& context);
  void submit_step();
  void step();
  absl::StatusOr<bool> next_message();
  absl::Status open();
  void listen();
  bool write_header();
  absl::StatusOr<bool> take_generation();
  void ask_time();
  void write_heartbeat(const absl::StatusOr<runtime::Stamp>& now);
  void write_message();
  void set_bell();
  void tell(bool News::*what);
  bool has(bool News::*what);
  bool take(bool News::*what);
  void wait();
  bool is_cancelled();
  void end(const absl::Status& status);

  const Backend& backend_;
  const SubscriptionRequest request_;
  const StreamSlot slot_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::shared_ptr<Subscription> self_;  // until done()
  std::unique_ptr<OutputCursor> cursor_;
  std::shared_ptr<void> appends_;
  std::shared_ptr<void> products_;
  std::unique_ptr<Bell> bell_;
  std::unique_ptr<v1::SubscribeResponse> message_;
  uint32_t generation_ = 0;  // that was told last
  bool header_due_ = false;  // once more
  absl::StatusCode code_ = absl::StatusCode::kUnknown;
  std::mutex mutex_;
  Phase phase_ = Phase::kStepping;
  News news_;
  bool cancelled_ = false;
};

}  // namespace kappa::serve
