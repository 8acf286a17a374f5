#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "absl/strings/str_cat.h"
#include "engine/serve/api_error.h"
#include "engine/serve/backend.h"
#include "engine/serve/inspect.h"
#include "engine/serve/topic_stream.h"
#include "engine/serve/unary_call.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"
#include "kappa/v1/admin.grpc.pb.h"

namespace kappa::serve {
namespace {

constexpr int32_t kPartitionsMax = 10'000;

absl::Status write_partition(const log::Log& log, const TopicPartition& partition,
                             std::optional<LogTime> at, v1::TopicPartition* out) {
  out->set_partition(partition.partition);
  if (at) {
    // Before the range, so that it is not beyond the end that is told.
    KAPPA_ASSIGN_OR_RETURN(const Offset first, log.offset_for_time(partition, *at));
    out->set_offset_at_timestamp(first.value);
  }
  KAPPA_ASSIGN_OR_RETURN(const log::PartitionRange range, log.range(partition));
  out->set_start_offset(range.start.value);
  out->set_end_offset(range.end.value);
  out->set_durable_end_offset(range.durable_end.value);
  return absl::OkStatus();
}

absl::Status write_topic(const log::Log& log, const log::TopicInfo& info, std::optional<LogTime> at,
                         v1::Topic* out) {
  out->set_name(info.name);
  if (info.config.retention_ms) out->set_retention_ms(*info.config.retention_ms);
  if (info.config.retention_bytes) out->set_retention_bytes(*info.config.retention_bytes);
  if (info.config.compacted) out->set_compacted(*info.config.compacted);
  for (int32_t i = 0; i < info.config.partitions; ++i) {
    KAPPA_RETURN_IF_ERROR(write_partition(log, {info.name, i}, at, out->add_partitions()));
  }
  return absl::OkStatus();
}

absl::Status list_topics(const log::Log& log, std::optional<LogTime> at,
                         v1::ListTopicsResponse* response) {
  KAPPA_ASSIGN_OR_RETURN(std::vector<log::TopicInfo> topics, log.topics());
  std::sort(topics.begin(), topics.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  for (const log::TopicInfo& topic : topics) {
    KAPPA_RETURN_IF_ERROR(write_topic(log, topic, at, response->add_topics()));
  }
  return absl::OkStatus();
}

absl::StatusOr<log::TopicConfig> config_of(const v1::CreateTopicRequest& request) {
  const absl::Status name = log::validate_topic_name(request.name());
  if (!name.ok()) return invalid_field("name", to_std(name.message()));
  if (request.partitions() < 0 || request.partitions() > kPartitionsMax) {
    return invalid_field("partitions", absl::StrCat("expected 0 to ", kPartitionsMax, ", got ",
                                                    request.partitions()));
  }
  log::TopicConfig config;
  if (request.partitions() > 0) config.partitions = request.partitions();
  if (request.has_retention_ms()) config.retention_ms = request.retention_ms();
  if (request.has_retention_bytes()) config.retention_bytes = request.retention_bytes();
  if (request.has_compacted()) config.compacted = request.compacted();
  if (request.has_replication()) config.replication = request.replication();
  if (config.replication && *config.replication <= 0) {
    return invalid_field("replication", "expected more than 0; leave it out for the default");
  }
  if (config.retention_ms && *config.retention_ms <= 0) {
    return invalid_field("retention_ms", "expected more than 0; leave it out to keep records");
  }
  if (config.retention_bytes && *config.retention_bytes <= 0) {
    return invalid_field("retention_bytes", "expected more than 0; leave it out to keep records");
  }
  return config;
}

absl::Status cannot_complete(const ServedProduct& product) {
  return with_reason(absl::FailedPreconditionError(absl::StrCat(
                         "this server cannot close the windows of product ", product.name)),
                     "NO_COMPLETE", {{"product", product.name}});
}

class AdminService final : public v1::Admin::CallbackService {
 public:
  explicit AdminService(const Backend& backend) : backend_(backend) {}

  grpc::ServerUnaryReactor* ListTopics(grpc::CallbackServerContext* context,
                                       const v1::ListTopicsRequest* request,
                                       v1::ListTopicsResponse* response) override {
    return handle(Method::kListTopics, context, [&](const UnaryCall::Ref& call) {
      std::optional<LogTime> at;
      if (request->has_at_timestamp_ms()) {
        at = LogTime{request->at_timestamp_ms()};
        KAPPA_RETURN_IF_ERROR(check_timestamp("at_timestamp_ms", at->ms));
      }
      backend_.short_tasks.submit([&log = backend_.log, call, at, response] {
        call->answer([&] { return list_topics(log, at, response); });
      });
      return absl::OkStatus();
    });
  }

  grpc::ServerUnaryReactor* CreateTopic(grpc::CallbackServerContext* context,
                                        const v1::CreateTopicRequest* request,
                                        v1::CreateTopicResponse*) override {
    return handle(Method::kCreateTopic, context, [&](const UnaryCall::Ref& call) {
      absl::StatusOr<log::TopicConfig> config = config_of(*request);
      if (!config.ok()) return config.status();
      backend_.short_tasks.submit(
          [&log = backend_.log, call, name = request->name(), config = *std::move(config)] {
            call->finish(log.create_topic(name, config));
          });
      return absl::OkStatus();
    });
  }

  grpc::ServerWriteReactor<v1::ReadTopicResponse>* ReadTopic(
      grpc::CallbackServerContext* context, const v1::ReadTopicRequest* request) override {
    return start_topic_stream(backend_, context, request);
  }

  grpc::ServerUnaryReactor* Inspect(grpc::CallbackServerContext* context,
                                    const v1::InspectRequest* request,
                                    v1::InspectResponse* response) override {
    return handle(Method::kInspect, context, [&](const UnaryCall::Ref& call) {
      const runtime::Deadline deadline = deadline_of(*context, backend_.limits.query_ms_max);
      const bool taken =
          backend_.queries.try_submit([this, call, deadline, copy = *request, response] {
            run_inspect(call, deadline, copy, response);
          });
      return taken ? absl::OkStatus() : too_many_queries();
    });
  }

  grpc::ServerUnaryReactor* Complete(grpc::CallbackServerContext* context,
                                     const v1::CompleteRequest* request,
                                     v1::CompleteResponse*) override {
    return handle(Method::kComplete, context, [&](const UnaryCall::Ref& call) {
      KAPPA_ASSIGN_OR_RETURN(const Products::Ref product,
                             backend_.products.find_readable(request->product()));
      if (!product->complete) return cannot_complete(*product);
      const runtime::Deadline deadline = deadline_of(*context, backend_.limits.complete_ms_max);
      const bool taken = backend_.queries.try_submit(
          [call, product, deadline] { call->finish(product->complete(deadline)); });
      return taken ? absl::OkStatus() : too_many_queries();
    });
  }

 private:
  template <typename Start>
  grpc::ServerUnaryReactor* handle(Method method, grpc::CallbackServerContext* context,
                                   Start start) {
    UnaryCall::Ref call = UnaryCall::start(backend_.metrics, method, context);
    absl::Status status = backend_.gate.admit(*context, method, Right::kAdmin, "");
    if (status.ok()) status = start(call);
    if (!status.ok()) call->finish(status);
    return call->reactor();
  }

  void run_inspect(const UnaryCall::Ref& call, runtime::Deadline deadline,
                   const v1::InspectRequest& request, v1::InspectResponse* response) {
    v1::InspectResponse found;  // the call's own may be gone before this is done
    const absl::Status status = inspect(
        backend_, request, deadline, [&] { return call->still_wanted(deadline); }, &found);
    if (!status.ok()) return call->finish(status);
    call->answer([&] {
      response->Swap(&found);
      return absl::OkStatus();
    });
  }

  const Backend& backend_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_admin_service(const Backend& backend) {
  return std::make_unique<AdminService>(backend);
}

}  // namespace kappa::serve
