#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "absl/strings/str_cat.h"
#include "engine/serve/api_error.h"
#include "engine/serve/backend.h"
#include "engine/serve/contract_check.h"
#include "engine/serve/unary_call.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"
#include "kappa/v1/ingest.grpc.pb.h"

namespace kappa::serve {
namespace {

std::string record_field(int index, std::string_view field) {
  return absl::StrCat("records[", index, "].", to_absl(field));
}

absl::Status check_record(const v1::AppendRecord& record, int index) {
  if (record.has_timestamp_ms() && record.timestamp_ms() < 0) {
    return invalid_field(
        record_field(index, "timestamp_ms"),
        absl::StrCat("expected milliseconds since 1970, 0 or more, got ", record.timestamp_ms()));
  }
  if (record.has_partition() && record.partition() < 0) {
    return invalid_field(record_field(index, "partition"),
                         absl::StrCat("expected 0 or more, got ", record.partition()));
  }
  return absl::OkStatus();
}

absl::Status check_request(const v1::AppendRequest& request) {
  if (request.topic().empty()) return invalid_field("topic", "expected the name of a topic");
  if (request.records().empty()) return invalid_field("records", "expected at least one record");
  for (int i = 0; i < request.records_size(); ++i) {
    KAPPA_RETURN_IF_ERROR(check_record(request.records(i), i));
  }
  if (!v1::Durability_IsValid(request.durability())) {
    return invalid_field("durability", "expected DURABILITY_WRITTEN or DURABILITY_SYNCED");
  }
  return absl::OkStatus();
}

// The records as a decoder takes them: keys and payloads one after the other, each followed by the
// next one and the last by padding.
class PaddedRecords {
 public:
  explicit PaddedRecords(const v1::AppendRequest& request) {
    size_t bytes = kRecordPadding;
    for (const v1::AppendRecord& record : request.records()) {
      bytes += record.key().size() + record.value().size();
    }
    buffer_ = std::make_unique<char[]>(bytes);
    next_ = buffer_.get();
    for (const v1::AppendRecord& record : request.records()) {
      RecordView& view = views_.emplace_back();
      if (record.has_key()) view.key = copy(record.key(), &view.key_size);
      if (record.has_value()) view.value = copy(record.value(), &view.value_size);
    }
  }
  const std::vector<RecordView>& views() const { return views_; }

 private:
  const char* copy(const std::string& bytes, uint32_t* size) {
    *size = static_cast<uint32_t>(bytes.size());
    std::memcpy(next_, bytes.data(), bytes.size());
    return std::exchange(next_, next_ + bytes.size());
  }

  std::unique_ptr<char[]> buffer_;
  char* next_ = nullptr;
  std::vector<RecordView> views_;
};

absl::Status contract_error(const std::string& topic,
                            const std::vector<ContractViolation>& violations) {
  std::vector<FieldViolation> fields;
  fields.reserve(violations.size());
  for (const ContractViolation& violation : violations) {
    fields.push_back({record_field(static_cast<int>(violation.record), "value"), violation.reason});
  }
  const std::string more =
      violations.size() == 1 ? "" : absl::StrCat(" (and ", violations.size() - 1, " more)");
  const ContractViolation& first = violations.front();
  return with_reason(with_violations(absl::InvalidArgumentError(absl::StrCat(
                                         "records[", first.record, "] does not meet what product ",
                                         first.product, " declares of topic ", topic, ": ",
                                         first.reason, more, "; nothing was appended")),
                                     fields),
                     "CONTRACT_VIOLATION", {{"topic", topic}, {"product", first.product}});
}

class IngestService final : public v1::Ingest::CallbackService {
 public:
  explicit IngestService(const Backend& backend) : backend_(backend), check_(&backend.products) {}

  grpc::ServerUnaryReactor* Append(grpc::CallbackServerContext* context,
                                   const v1::AppendRequest* request,
                                   v1::AppendResponse* response) override {
    UnaryCall::Ref call = UnaryCall::start(backend_.metrics, Method::kAppend, context);
    const absl::Status status = append(call, *context, *request, response);
    if (!status.ok()) call->finish(status);
    return call->reactor();
  }

 private:
  // Checks and appends at once, on gRPC's thread: both are bounded by the size of a message. Only
  // waiting for the disk is left to another one.
  absl::Status append(const UnaryCall::Ref& call, const grpc::ServerContextBase& context,
                      const v1::AppendRequest& request, v1::AppendResponse* response) {
    KAPPA_RETURN_IF_ERROR(backend_.gate.admit(context, Method::kAppend, Right::kIngest, ""));
    KAPPA_RETURN_IF_ERROR(check_request(request));
    KAPPA_RETURN_IF_ERROR(check_topic(request.topic()));
    KAPPA_RETURN_IF_ERROR(check_contract(request));
    KAPPA_ASSIGN_OR_RETURN(std::vector<log::AppendedAt> appended, append_records(request));
    auto answer = [call, response, appended = std::move(appended)](const absl::Status& synced) {
      if (!synced.ok()) return call->finish(synced);
      call->answer([&] {
        for (const log::AppendedAt& at : appended) {
          v1::AppendedRecord* record = response->add_records();
          record->set_partition(at.partition);
          record->set_offset(at.offset.value);
        }
        return absl::OkStatus();
      });
    };
    if (request.durability() == v1::DURABILITY_WRITTEN) {
      answer(absl::OkStatus());
    } else {
      backend_.syncs.after_sync(std::move(answer));
    }
    return absl::OkStatus();
  }

  absl::Status check_topic(const std::string& topic) const {
    const absl::Status status = backend_.log.topic(topic).status();
    if (!absl::IsNotFound(status)) return status;
    return with_reason(absl::NotFoundError(absl::StrCat(
                           status.message(), "; check its name, or make it (kappa topics --create ",
                           topic, ", or Admin.CreateTopic)")),
                       "TOPIC_NOT_FOUND", {{"topic", topic}});
  }

  absl::Status check_contract(const v1::AppendRequest& request) {
    const PaddedRecords records(request);
    KAPPA_ASSIGN_OR_RETURN(const std::vector<ContractViolation> violations,
                           check_.check(request.topic(), records.views()));
    return violations.empty() ? absl::OkStatus() : contract_error(request.topic(), violations);
  }

  absl::StatusOr<std::vector<log::AppendedAt>> append_records(const v1::AppendRequest& request) {
    std::vector<RecordHeaders> headers(static_cast<size_t>(request.records_size()));
    std::vector<log::RecordToAppend> records;
    for (int i = 0; i < request.records_size(); ++i) {
      const v1::AppendRecord& record = request.records(i);
      log::RecordToAppend& added = records.emplace_back();
      if (record.has_key()) added.key = record.key();
      if (record.has_value()) added.value = record.value();
      if (record.has_timestamp_ms()) added.timestamp = LogTime{record.timestamp_ms()};
      if (record.has_partition()) added.partition = record.partition();
      if (record.headers().empty()) continue;
      RecordHeaders& own = headers[static_cast<size_t>(i)];
      for (const v1::RecordHeader& header : record.headers()) {
        own.emplace_back(header.key(), header.value());
      }
      added.headers = &own;
    }
    return backend_.log.append(request.topic(), records);
  }

  const Backend& backend_;
  ContractCheck check_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_ingest_service(const Backend& backend) {
  return std::make_unique<IngestService>(backend);
}

}  // namespace kappa::serve
