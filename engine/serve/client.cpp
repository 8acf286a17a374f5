#include "engine/serve/client.h"

#include <chrono>
#include <utility>

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include "engine/serve/client_channel.h"
#include "engine/serve/generation_wire.h"
#include "engine/serve/output_event_wire.h"
#include "engine/serve/server_info_wire.h"
#include "engine/serve/wire.h"
#include "engine/types/status_macros.h"
#include "kappa/v1/admin.grpc.pb.h"
#include "kappa/v1/ingest.grpc.pb.h"
#include "kappa/v1/query.grpc.pb.h"
#include "kappa/v1/replay.grpc.pb.h"

namespace kappa::serve {
namespace {

// Requests are small; several make one append of many records.
constexpr size_t kAppendBytesMax = 4u << 20;

template <typename WireColumns>
operators::Schema schema_of(const WireColumns& columns) {
  operators::Schema schema;
  for (const v1::Column& column : columns) schema.push_back(from_wire(column));
  return schema;
}

template <typename WireRows>
absl::Status add_rows(const WireRows& wire, RowsAnswer* answer) {
  for (const v1::Row& one : wire) {
    KAPPA_ASSIGN_OR_RETURN(Row row, from_wire(one, answer->schema));
    answer->rows.push_back(std::move(row));
  }
  return absl::OkStatus();
}

void write_values(const Row& row, google::protobuf::RepeatedPtrField<v1::Value>* wire) {
  for (const Value& value : row) to_wire(value, wire->Add());
}

runtime::WaitingRows waiting_of(const v1::WaitingRows& wire) {
  return {wire.view(), {static_cast<uint64_t>(wire.rows()), EventTime{wire.until_us()}}};
}

absl::Status take_part(const v1::SqlResponse& part, QueryAnswer* answer, bool* complete) {
  switch (part.part_case()) {
    case v1::SqlResponse::kHeader:
      answer->stamp = from_wire(part.header().stamp());
      answer->schema = schema_of(part.header().columns());
      return absl::OkStatus();
    case v1::SqlResponse::kRows:
      return add_rows(part.rows().rows(), answer);
    case v1::SqlResponse::kTrailer:
      *complete = static_cast<size_t>(part.trailer().row_count()) == answer->rows.size();
      for (const v1::WaitingRows& waiting : part.trailer().waiting()) {
        answer->waiting.push_back(waiting_of(waiting));
      }
      return absl::OkStatus();
    case v1::SqlResponse::PART_NOT_SET:
      return absl::OkStatus();
  }
  return absl::OkStatus();
}

// An export as its messages come in.
class ExportReader {
 public:
  explicit ExportReader(const std::function<absl::Status(const RowsAnswer&)>& on_rows)
      : on_rows_(on_rows) {}

  absl::Status take(const v1::ExportResponse& part) {
    if (part.has_header()) {
      batch_.stamp = from_wire(part.header().stamp());
      batch_.schema = schema_of(part.header().columns());
      return on_rows_(batch_);
    }
    if (part.has_trailer()) {
      rows_announced_ = part.trailer().row_count();
      if (part.trailer().has_waiting()) summary_.waiting = waiting_of(part.trailer().waiting());
      return absl::OkStatus();
    }
    batch_.rows.clear();
    KAPPA_RETURN_IF_ERROR(add_rows(part.rows().rows(), &batch_));
    summary_.rows += static_cast<int64_t>(batch_.rows.size());
    return on_rows_(batch_);
  }

  absl::StatusOr<ExportSummary> finish() {
    if (rows_announced_ != summary_.rows) {
      return absl::DataLossError("the export ended before it was complete");
    }
    summary_.stamp = batch_.stamp;
    return std::move(summary_);
  }

 private:
  const std::function<absl::Status(const RowsAnswer&)>& on_rows_;
  RowsAnswer batch_;
  ExportSummary summary_;
  int64_t rows_announced_ = -1;
};

ViewInfo view_of(const v1::View& wire) {
  ViewInfo view;
  view.product = wire.product();
  view.name = wire.name();
  view.columns = schema_of(wire.columns());
  view.key.assign(wire.key().begin(), wire.key().end());
  view.keyed_by_record = wire.keyed_by_record();
  if (wire.emit() == v1::EMIT_FINAL) view.emit = operators::Emit::kFinal;
  view.event_time = wire.event_time();
  return view;
}

void write_record(const RecordToSend& record, v1::AppendRecord* wire) {
  if (record.key) wire->set_key(*record.key);
  if (record.value) wire->set_value(*record.value);
  if (record.timestamp) wire->set_timestamp_ms(record.timestamp->ms);
  if (record.partition) wire->set_partition(*record.partition);
  for (const auto& [key, value] : record.headers) {
    v1::RecordHeader* header = wire->add_headers();
    header->set_key(key);
    header->set_value(value);
  }
}

TopicStatus topic_of(const v1::Topic& wire) {
  TopicStatus topic;
  topic.info.name = wire.name();
  topic.info.config.partitions = wire.partitions_size();
  if (wire.has_retention_ms()) topic.info.config.retention_ms = wire.retention_ms();
  if (wire.has_retention_bytes()) topic.info.config.retention_bytes = wire.retention_bytes();
  if (wire.has_compacted()) topic.info.config.compacted = wire.compacted();
  for (const v1::TopicPartition& partition : wire.partitions()) {
    topic.partitions.push_back({Offset{partition.start_offset()}, Offset{partition.end_offset()},
                                Offset{partition.durable_end_offset()}});
    if (partition.has_offset_at_timestamp()) {
      topic.at_time.push_back(Offset{partition.offset_at_timestamp()});
    }
  }
  return topic;
}

v1::ReadTopicRequest request_of(const std::string& topic, const TopicReadOptions& options) {
  v1::ReadTopicRequest request;
  request.set_topic(topic);
  if (options.partition) request.set_partition(*options.partition);
  switch (options.from) {
    case TopicReadOptions::From::kBeginning:
      request.set_start_at(v1::START_AT_BEGINNING);
      break;
    case TopicReadOptions::From::kEnd:
      request.set_start_at(v1::START_AT_END);
      break;
    case TopicReadOptions::From::kOffset:
      request.set_start_at(v1::START_AT_OFFSET);
      request.set_offset(options.offset.value);
      break;
    case TopicReadOptions::From::kTimestamp:
      request.set_start_at(v1::START_AT_TIMESTAMP);
      request.set_timestamp_ms(options.timestamp.ms);
      break;
  }
  request.set_limit(options.limit);
  request.set_follow(options.follow);
  return request;
}

ReceivedRecord record_of(const v1::TopicRecord& wire) {
  ReceivedRecord record;
  record.partition = wire.partition();
  record.offset = Offset{wire.offset()};
  record.timestamp = LogTime{wire.timestamp_ms()};
  if (wire.has_key()) record.key = wire.key();
  if (wire.has_value()) record.value = wire.value();
  for (const v1::RecordHeader& header : wire.headers()) {
    record.headers.emplace_back(header.key(), header.value());
  }
  return record;
}

}  // namespace

struct Client::Impl {
  explicit Impl(ClientChannel with)
      : channel(std::move(with)),
        query(v1::Query::NewStub(channel.channel())),
        ingest(v1::Ingest::NewStub(channel.channel())),
        admin(v1::Admin::NewStub(channel.channel())),
        replay(v1::Replay::NewStub(channel.channel())) {}

  // One unary call: `call` gets a prepared context.
  template <typename Call>
  absl::Status run(Call call) const {
    grpc::ClientContext context;
    channel.prepare(context);
    return channel.status_of(call(&context));
  }

  // The same with a deadline of its own.
  template <typename Call>
  absl::Status run_within(int64_t timeout_ms, Call call) const {
    grpc::ClientContext context;
    channel.prepare(context, /*endless=*/true);
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_ms));
    return channel.status_of(call(&context));
  }

  const ClientChannel channel;
  const std::unique_ptr<v1::Query::Stub> query;
  const std::unique_ptr<v1::Ingest::Stub> ingest;
  const std::unique_ptr<v1::Admin::Stub> admin;
  const std::unique_ptr<v1::Replay::Stub> replay;
};

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Client::~Client() = default;

absl::StatusOr<std::unique_ptr<Client>> Client::make(const ClientOptions& options) {
  KAPPA_ASSIGN_OR_RETURN(ClientChannel channel, ClientChannel::make(options));
  return std::unique_ptr<Client>(new Client(std::make_unique<Impl>(std::move(channel))));
}

absl::StatusOr<QueryAnswer> Client::query(const std::string& product, const std::string& sql) {
  v1::SqlRequest request;
  request.set_product(product);
  request.set_sql(sql);
  grpc::ClientContext context;
  impl_->channel.prepare(context);
  const auto stream = impl_->query->Sql(&context, request);
  QueryAnswer answer;
  absl::Status taken;
  bool complete = false;
  for (v1::SqlResponse part; taken.ok() && stream->Read(&part);) {
    taken = take_part(part, &answer, &complete);
  }
  if (!taken.ok()) context.TryCancel();
  const absl::Status ended = impl_->channel.status_of(stream->Finish());
  KAPPA_RETURN_IF_ERROR(taken);
  KAPPA_RETURN_IF_ERROR(ended);
  if (!complete) return absl::DataLossError("the answer ended before its last row");
  return answer;
}

absl::StatusOr<KeyedAnswer> Client::get(const std::string& product, const std::string& view,
                                        const std::vector<Row>& keys) {
  v1::MultiGetRequest request;
  request.set_product(product);
  request.set_view(view);
  for (const Row& key : keys) write_values(key, request.add_keys()->mutable_values());
  v1::MultiGetResponse response;
  KAPPA_RETURN_IF_ERROR(impl_->run([&](grpc::ClientContext* context) {
    return impl_->query->MultiGet(context, request, &response);
  }));
  KeyedAnswer answer{from_wire(response.stamp()), schema_of(response.columns()), {}};
  for (const v1::KeyedRow& keyed : response.rows()) {
    std::optional<Row>& row = answer.rows.emplace_back();
    if (keyed.has_row()) {
      KAPPA_ASSIGN_OR_RETURN(row, from_wire(keyed.row(), answer.schema));
    }
  }
  return answer;
}

absl::Status Client::scan(const std::string& product, const std::string& view,
                          const ScanBounds& bounds,
                          const std::function<bool(RowsAnswer page)>& on_page, int page_size) {
  v1::ScanRequest request;
  request.set_product(product);
  request.set_view(view);
  request.set_page_size(page_size);
  write_values(bounds.prefix, request.mutable_prefix());
  write_values(bounds.start, request.mutable_start());
  write_values(bounds.end, request.mutable_end());
  do {
    v1::ScanResponse response;
    KAPPA_RETURN_IF_ERROR(impl_->run([&](grpc::ClientContext* context) {
      return impl_->query->Scan(context, request, &response);
    }));
    RowsAnswer page{from_wire(response.stamp()), schema_of(response.columns()), {}};
    KAPPA_RETURN_IF_ERROR(add_rows(response.rows(), &page));
    request.set_page_token(response.next_page_token());
    if (!on_page(std::move(page))) break;
  } while (!request.page_token().empty());
  return absl::OkStatus();
}

absl::StatusOr<ExportSummary> Client::export_view(
    const ExportRequest& request,
    const std::function<absl::Status(const RowsAnswer& batch)>& on_rows) {
  v1::ExportRequest wire;
  wire.set_product(request.product);
  wire.set_view(request.view);
  for (const std::string& column : request.columns) wire.add_columns(column);
  wire.set_where(request.where);
  grpc::ClientContext context;
  impl_->channel.prepare(context, /*endless=*/true);
  const auto stream = impl_->query->Export(&context, wire);
  ExportReader reader(on_rows);
  absl::Status taken;
  for (v1::ExportResponse part; taken.ok() && stream->Read(&part);) taken = reader.take(part);
  if (!taken.ok()) context.TryCancel();
  const absl::Status ended = impl_->channel.status_of(stream->Finish());
  KAPPA_RETURN_IF_ERROR(taken);
  KAPPA_RETURN_IF_ERROR(ended);
  return reader.finish();
}

absl::StatusOr<std::vector<ViewInfo>> Client::views(const std::string& product) {
  v1::DescribeViewsRequest request;
  request.set_product(product);
  v1::DescribeViewsResponse response;
  KAPPA_RETURN_IF_ERROR(impl_->run([&](grpc::ClientContext* context) {
    return impl_->query->DescribeViews(context, request, &response);
  }));
  std::vector<ViewInfo> views;
  for (const v1::View& view : response.views()) views.push_back(view_of(view));
  return views;
}

absl::Status Client::subscribe(const std::string& product, const std::string& output,
                               const SubscribeOptions& options,
                               const std::function<bool(const OutputEvent& event)>& on_event) {
  v1::SubscribeRequest request;
  request.set_product(product);
  request.set_output(output);
  request.set_resume_token(options.resume_token);
  request.set_from(options.from_beginning ? v1::SUBSCRIBE_FROM_BEGINNING : v1::SUBSCRIBE_FROM_END);
  request.set_heartbeat_ms(static_cast<int32_t>(options.heartbeat_ms));
  grpc::ClientContext context;
  impl_->channel.prepare(context, /*endless=*/true);
  const auto stream = impl_->query->Subscribe(&context, request);
  OutputEvent event;
  std::string topic;
  absl::Status taken;
  bool wanted = true;
  for (v1::SubscribeResponse response; wanted && stream->Read(&response);) {
    taken = take_event(response, &topic, &event);
    wanted = taken.ok() && on_event(event);
  }
  if (wanted) return impl_->channel.status_of(stream->Finish());
  context.TryCancel();
  (void)stream->Finish();
  return taken;
}

absl::StatusOr<std::vector<log::AppendedAt>> Client::append(
    const std::string& topic, const std::vector<RecordToSend>& records, bool synced) {
  std::vector<log::AppendedAt> appended;
  for (size_t next = 0; next < records.size();) {
    v1::AppendRequest request;
    request.set_topic(topic);
    request.set_durability(synced ? v1::DURABILITY_SYNCED : v1::DURABILITY_WRITTEN);
    for (size_t bytes = 0; next < records.size() && bytes < kAppendBytesMax; ++next) {
      write_record(records[next], request.add_records());
      bytes += records[next].key.value_or("").size() + records[next].value.value_or("").size();
    }
    v1::AppendResponse response;
    KAPPA_RETURN_IF_ERROR(impl_->run([&](grpc::ClientContext* context) {
      return impl_->ingest->Append(context, request, &response);
    }));
    for (const v1::AppendedRecord& at : response.records()) {
      appended.push_back({at.partition(), Offset{at.offset()}});
    }
  }
  return appended;
}

absl::StatusOr<std::vector<TopicStatus>> Client::topics(std::optional<LogTime> at) {
  v1::ListTopicsRequest request;
  if (at) request.set_at_timestamp_ms(at->ms);
  v1::ListTopicsResponse response;
  KAPPA_RETURN_IF_ERROR(impl_->run([&](grpc::ClientContext* context) {
    return impl_->admin->ListTopics(context, request, &response);
  }));
  std::vector<TopicStatus> topics;
  for (const v1::Topic& wire : response.topics()) {
    const TopicStatus& topic = topics.emplace_back(topic_of(wire));
    if (at && topic.at_time.size() != topic.partitions.size()) {
      return absl::UnimplementedError(
          "the server does not tell where in the log a time is; it has to be of a later version");
    }
  }
  return topics;
}

absl::Status Client::create_topic(const std::string& name, const log::TopicConfig& config) {
  v1::CreateTopicRequest request;
  request.set_name(name);
  request.set_partitions(config.partitions);
  if (config.retention_ms) request.set_retention_ms(*config.retention_ms);
  if (config.retention_bytes) request.set_retention_bytes(*config.retention_bytes);
  if (config.compacted) request.set_compacted(*config.compacted);
  if (config.replication) request.set_replication(*config.replication);
  v1::CreateTopicResponse response;
  return impl_->run([&](grpc::ClientContext* context) {
    return impl_->admin->CreateTopic(context, request, &response);
  });
}

absl::Status Client::read_topic(const std::string& topic, const TopicReadOptions& options,
                                const std::function<bool(ReceivedRecord record)>& on_record) {
  grpc::ClientContext context;
  impl_->channel.prepare(context, options.follow);
  const auto stream = impl_->admin->ReadTopic(&context, request_of(topic, options));
  bool wanted = true;
  for (v1::ReadTopicResponse response; wanted && stream->Read(&response);) {
    for (int i = 0; wanted && i < response.records_size(); ++i) {
      wanted = on_record(record_of(response.records(i)));
    }
  }
  if (!wanted) context.TryCancel();
  const absl::Status ended = impl_->channel.status_of(stream->Finish());
  return wanted ? ended : absl::OkStatus();
}

absl::StatusOr<ServerInfo> Client::inspect(const std::string& product, bool checksum) {
  v1::InspectRequest request;
  request.set_product(product);
  request.set_checksum(checksum);
  v1::InspectResponse response;
  KAPPA_RETURN_IF_ERROR(impl_->run([&](grpc::ClientContext* context) {
    return impl_->admin->Inspect(context, request, &response);
  }));
  return from_wire(response);
}

absl::Status Client::complete(const std::string& product) {
  grpc::ClientContext context;
  impl_->channel.prepare(context, /*endless=*/true);
  v1::CompleteRequest request;
  request.set_product(product);
  v1::CompleteResponse response;
  return impl_->channel.status_of(impl_->admin->Complete(&context, request, &response));
}

absl::StatusOr<std::vector<GenerationStatus>> Client::generations(const std::string& product) {
  v1::ListGenerationsRequest request;
  request.set_product(product);
  v1::ListGenerationsResponse response;
  KAPPA_RETURN_IF_ERROR(impl_->run([&](grpc::ClientContext* context) {
    return impl_->replay->ListGenerations(context, request, &response);
  }));
  std::vector<GenerationStatus> generations;
  for (const v1::Generation& wire : response.generations()) generations.push_back(from_wire(wire));
  return generations;
}

absl::StatusOr<GenerationStatus> Client::start_replay(const std::string& product,
                                                      const ReplayRequest& replay) {
  v1::StartReplayRequest request;
  request.set_product(product);
  for (const auto& [path, text] : replay.files) (*request.mutable_files())[path] = text;
  to_wire(replay.budget, request.mutable_budget());
  for (const std::string& topic : replay.accepted_gaps) request.add_accepted_gaps(topic);
  to_wire(replay.start, request.mutable_start());
  request.set_recompute_all(replay.recompute_all);
  v1::StartReplayResponse response;
  KAPPA_RETURN_IF_ERROR(impl_->run([&](grpc::ClientContext* context) {
    return impl_->replay->StartReplay(context, request, &response);
  }));
  return from_wire(response.generation());
}

absl::Status Client::pause_replay(const std::string& product, uint32_t generation) {
  v1::PauseReplayRequest request;
  request.set_product(product);
  request.set_generation(generation);
  v1::PauseReplayResponse response;
  return impl_->run([&](grpc::ClientContext* context) {
    return impl_->replay->PauseReplay(context, request, &response);
  });
}

absl::Status Client::resume_replay(const std::string& product, uint32_t generation,
                                   const std::optional<ReplayBudget>& budget) {
  v1::ResumeReplayRequest request;
  request.set_product(product);
  request.set_generation(generation);
  if (budget) to_wire(*budget, request.mutable_budget());
  v1::ResumeReplayResponse response;
  return impl_->run([&](grpc::ClientContext* context) {
    return impl_->replay->ResumeReplay(context, request, &response);
  });
}

absl::Status Client::cancel_replay(const std::string& product, uint32_t generation) {
  v1::CancelReplayRequest request;
  request.set_product(product);
  request.set_generation(generation);
  v1::CancelReplayResponse response;
  return impl_->run([&](grpc::ClientContext* context) {
    return impl_->replay->CancelReplay(context, request, &response);
  });
}

absl::StatusOr<Comparison> Client::compare_generations(const std::string& product,
                                                       uint32_t generation, size_t samples_max,
                                                       int64_t timeout_ms) {
  v1::CompareGenerationsRequest request;
  request.set_product(product);
  request.set_generation(generation);
  request.set_samples_max(static_cast<int32_t>(samples_max));
  v1::CompareGenerationsResponse response;
  KAPPA_RETURN_IF_ERROR(impl_->run_within(timeout_ms, [&](grpc::ClientContext* context) {
    return impl_->replay->CompareGenerations(context, request, &response);
  }));
  return from_wire(response);
}

absl::StatusOr<SwapReport> Client::swap_generation(const std::string& product,
                                                   const SwapRequest& swap, int64_t timeout_ms) {
  v1::SwapGenerationRequest request;
  request.set_product(product);
  request.set_generation(swap.generation);
  for (const std::string& view : swap.require_equal) request.add_require_equal(view);
  request.set_keep_following(swap.keep_following);
  v1::SwapGenerationResponse response;
  KAPPA_RETURN_IF_ERROR(impl_->run_within(timeout_ms, [&](grpc::ClientContext* context) {
    return impl_->replay->SwapGeneration(context, request, &response);
  }));
  return from_wire(response.report());
}

absl::StatusOr<SwapReport> Client::roll_back(const std::string& product, bool keep_following,
                                             int64_t timeout_ms) {
  v1::RollBackRequest request;
  request.set_product(product);
  request.set_keep_following(keep_following);
  v1::RollBackResponse response;
  KAPPA_RETURN_IF_ERROR(impl_->run_within(timeout_ms, [&](grpc::ClientContext* context) {
    return impl_->replay->RollBack(context, request, &response);
  }));
  return from_wire(response.report());
}

absl::StatusOr<std::vector<uint32_t>> Client::drop_retired_generations(const std::string& product,
                                                                       size_t keep) {
  v1::DropRetiredGenerationsRequest request;
  request.set_product(product);
  request.set_keep(static_cast<uint32_t>(keep));
  v1::DropRetiredGenerationsResponse response;
  KAPPA_RETURN_IF_ERROR(impl_->run([&](grpc::ClientContext* context) {
    return impl_->replay->DropRetiredGenerations(context, request, &response);
  }));
  return std::vector<uint32_t>(response.generations().begin(), response.generations().end());
}

}  // namespace kappa::serve
