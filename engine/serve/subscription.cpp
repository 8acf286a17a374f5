#include "engine/serve/subscription.h"

#include <utility>

#include <grpcpp/alarm.h>
#include <grpcpp/server_context.h>

#include "absl/strings/str_cat.h"
#include "engine/serve/api_error.h"
#include "engine/serve/wire.h"
#include "engine/types/status_macros.h"
#include "kappa/v1/subscribe.pb.h"

namespace kappa::serve {
namespace {

bool same_table(const schemas::Source& a, const schemas::Source& b) {
  return schemas::describe(a) == schemas::describe(b);
}

absl::StatusOr<std::optional<ResumeToken>> read_token(const std::string& text) {
  if (text.empty()) return std::nullopt;
  std::optional<ResumeToken> token = parse_resume_token(text);
  if (token) return token;
  return invalid_field("resume_token", "it is damaged, or not a token of this server");
}

}  // namespace

// A timer that may outlive the stream.
class Subscription::Bell {
 public:
  explicit Bell(Subscription* stream) : link_(std::make_shared<Link>()) { link_->stream = stream; }
  ~Bell() {
    {
      std::lock_guard lock(link_->mutex);
      link_->stream = nullptr;
    }
    alarm_.Cancel();
  }
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  // Only after it has rung, or for the first time.
  void set(std::chrono::milliseconds after) {
    alarm_.Set(std::chrono::system_clock::now() + after, [link = link_](bool rang) {
      std::lock_guard lock(link->mutex);
      if (rang && link->stream != nullptr) link->stream->tell(&News::heartbeat_due);
    });
  }

 private:
  struct Link {
    std::mutex mutex;
    Subscription* stream = nullptr;
  };
  const std::shared_ptr<Link> link_;
  grpc::Alarm alarm_;
};

Subscription::Subscription(const Backend& backend, SubscriptionRequest request)
    : backend_(backend),
      request_(std::move(request)),
      slot_(backend.streams_open, backend.limits.streams_max),
      message_(std::make_unique<v1::SubscribeResponse>()) {}

Subscription::~Subscription() = default;

void Subscription::start(const std::shared_ptr<Subscription>& self,
                         const grpc::ServerContextBase& context) {
  self_ = self;
  const absl::Status status = check(context);
  if (!status.ok()) return end(status);
  submit_step();
}

absl::Status Subscription::check(const grpc::ServerContextBase& context) {
  const std::string product = backend_.products.name_for(request_.product);
  // A service of a domain says itself what of a row its callers see.
  const Right right = request_.method == Method::kSubscribe ? Right::kQuery : Right::kServices;
  KAPPA_RETURN_IF_ERROR(backend_.gate.admit(context, request_.method, right, product));
  const int64_t least = backend_.limits.heartbeat_ms_min;
  const int64_t most = backend_.limits.heartbeat_ms_max;
  const int64_t asked = request_.heartbeat_ms;
  if (asked != 0 && (asked < least || asked > most)) {
    return invalid_field("heartbeat_ms",
                         absl::StrCat("expected ", least, " to ", most, ", got ", asked));
  }
  return slot_.taken() ? absl::OkStatus() : too_many_queries();
}

void Subscription::submit_step() {
  backend_.short_tasks.submit([self = self_] { self->step(); });
}

// On a short task's thread, in the phase stepping.
void Subscription::step() {
  if (is_cancelled()) return end(absl::CancelledError("the caller went away"));
  message_->Clear();
  const absl::StatusOr<bool> message = next_message();
  if (!message.ok()) return end(message.status());
  if (*message) return write_message();
  take(&News::heartbeat_due) ? ask_time() : wait();
}

// Fills in the next message; false: a heartbeat is due, or there is none.
absl::StatusOr<bool> Subscription::next_message() {
  take(&News::appended);
  if (!cursor_) {
    KAPPA_RETURN_IF_ERROR(open());
    tell(&News::product_set);  // the token may tell of another generation
    return write_header();
  }
  // What has been read already is by the columns that were told.
  if (!cursor_->has_event() && take(&News::product_set)) {
    KAPPA_ASSIGN_OR_RETURN(const bool changed, take_generation());
    if (changed) return true;
  }
  if (std::exchange(header_due_, false)) return write_header();
  return has(&News::heartbeat_due) ? false : cursor_->next(message_.get());
}

absl::Status Subscription::open() {
  KAPPA_ASSIGN_OR_RETURN(const std::optional<ResumeToken> token, read_token(request_.resume_token));
  listen();  // before the first look, so that nothing comes unseen in between
  KAPPA_ASSIGN_OR_RETURN(OutputRef output,
                         find_output(backend_.products, request_.product, request_.output));
  generation_ = token ? token->generation : output.product->generation;
  KAPPA_ASSIGN_OR_RETURN(
      cursor_, OutputCursor::open(backend_.log, std::move(output), token, request_.from_beginning));
  set_bell();
  return absl::OkStatus();
}

void Subscription::listen() {
  appends_ = backend_.log.on_append([this] { tell(&News::appended); });
  products_ = backend_.products.on_set([this] { tell(&News::product_set); });
  bell_ = std::make_unique<Bell>(this);
}

bool Subscription::write_header() {
  cursor_->output().to_wire(message_->mutable_header());
  return true;
}

// Whether another generation is live than was told.
absl::StatusOr<bool> Subscription::take_generation() {
  absl::StatusOr<OutputRef> output =
      find_output(backend_.products, request_.product, request_.output);
  if (absl::IsUnavailable(output.status())) return false;  // it is restoring: set again later
  KAPPA_RETURN_IF_ERROR(output.status());
  const OutputRef& before = cursor_->output();
  if (output->token_scope() != before.token_scope()) {
    return with_reason(
        absl::FailedPreconditionError(absl::StrCat(
            "output ", before.table->name, " goes to topic ", output->table->topic,
            " now, no longer to ", before.table->topic, ": subscribe anew, without a token")),
        "OUTPUT_MOVED");
  }
  const uint32_t live = output->product->generation;
  header_due_ = header_due_ || !same_table(*before.table, *output->table);
  KAPPA_RETURN_IF_ERROR(cursor_->set_output(*std::move(output)));
  if (live == generation_) return false;
  v1::GenerationChanged* changed = message_->mutable_generation_changed();
  changed->set_from(std::exchange(generation_, live));
  changed->set_to(live);
  return true;
}

// The pipeline's thread writes the heartbeat. The phase stays stepping meanwhile.
void Subscription::ask_time() {
  const OutputRef& output = cursor_->output();
  output.product->reader->stamp_now(
      output.feeds, [self = self_, product = output.product](absl::StatusOr<runtime::Stamp> now) {
        self->write_heartbeat(now);
      });
}

void Subscription::write_heartbeat(const absl::StatusOr<runtime::Stamp>& now) {
  v1::Heartbeat* heartbeat = message_->mutable_heartbeat();
  if (now.ok()) to_wire(*now, heartbeat->mutable_stamp());
  set_bell();
  write_message();
}

void Subscription::write_message() {
  const OutputRef& output = cursor_->output();
  message_->set_resume_token(encode({output.token_scope(), generation_, cursor_->places()}));
  const absl::Status status = prepare(*message_);
  if (!status.ok()) return end(status);
  {
    std::lock_guard lock(mutex_);
    phase_ = Phase::kWriting;
  }
  write();
}

void Subscription::set_bell() {
  const int64_t asked = request_.heartbeat_ms;
  bell_->set(std::chrono::milliseconds(asked == 0 ? backend_.limits.heartbeat_ms : asked));
}

bool Subscription::has(bool News::*what) {
  std::lock_guard lock(mutex_);
  return news_.*what;
}

bool Subscription::take(bool News::*what) {
  std::lock_guard lock(mutex_);
  return std::exchange(news_.*what, false);
}

// Any thread.
void Subscription::tell(bool News::*what) {
  {
    std::lock_guard lock(mutex_);
    news_.*what = true;
    if (phase_ != Phase::kWaiting) return;
    phase_ = Phase::kStepping;
  }
  submit_step();
}

void Subscription::wait() {
  {
    std::lock_guard lock(mutex_);
    if (!news_.any() && !cancelled_) {
      phase_ = Phase::kWaiting;
      return;
    }
  }
  submit_step();
}

bool Subscription::is_cancelled() {
  std::lock_guard lock(mutex_);
  return cancelled_;
}

void Subscription::written(bool ok) {
  if (!ok) return end(absl::CancelledError("the caller went away"));
  {
    std::lock_guard lock(mutex_);
    phase_ = Phase::kStepping;
  }
  submit_step();
}

void Subscription::cancel() {
  {
    std::lock_guard lock(mutex_);
    cancelled_ = true;
  }
  tell(&News::appended);
}

void Subscription::end(const absl::Status& status) {
  code_ = status.code();
  finish(status);
}

void Subscription::done() {
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started_;
  backend_.metrics.handled(request_.method, code_, took.count());
  appends_.reset();
  products_.reset();
  bell_.reset();
  self_.reset();  // maybe the last reference
}

}  // namespace kappa::serve
