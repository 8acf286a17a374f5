#include "engine/serve/sql_stream.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "engine/runtime/query_executor.h"
#include "engine/serve/api_error.h"
#include "engine/serve/cancellable_reader.h"
#include "engine/serve/stream_slot.h"
#include "engine/serve/stream_timeout.h"
#include "engine/serve/unary_call.h"
#include "engine/serve/wire.h"
#include "engine/serve/wrong_sql.h"
#include "engine/sql/catalog.h"
#include "engine/types/status_macros.h"
#include "kappa/v1/query.pb.h"

namespace kappa::serve {
namespace {

constexpr size_t kChunkRowsMax = 1024;
constexpr size_t kChunkBytesMax = 256u << 10;

// A SELECT on its way. One party has it at a time: the handler, then a query thread, then gRPC's
// threads, one message after the other; OnCancel only leaves word.
//
//   start ─► executing ─► header ─► rows … ─► trailer ─► done
//                └────────────┴────────┴─────► error ─────┘
class SqlStream final : public grpc::ServerWriteReactor<v1::SqlResponse> {
 public:
  SqlStream(const Backend& backend, grpc::CallbackServerContext* context)
      : backend_(backend),
        context_(context),
        deadline_(deadline_of(*context, backend.limits.query_ms_max)),
        slot_(backend.streams_open, backend.limits.streams_max),
        timeout_(context) {}

  void start(const std::shared_ptr<SqlStream>& self, const v1::SqlRequest& request) {
    self_ = self;
    const absl::Status status = submit(self, request);
    if (!status.ok()) end(status);
  }

 private:
  absl::Status submit(const std::shared_ptr<SqlStream>& self, const v1::SqlRequest& request) {
    const std::string name = backend_.products.name_for(request.product());
    KAPPA_RETURN_IF_ERROR(backend_.gate.admit(*context_, Method::kSql, Right::kQuery, name));
    KAPPA_ASSIGN_OR_RETURN(Products::Ref product, backend_.products.find_readable(name));
    if (!slot_.taken()) return too_many_queries();
    const bool taken = backend_.queries.try_submit(
        [self, product, text = request.sql()] { self->execute(*product, text); });
    return taken ? absl::OkStatus() : too_many_queries();
  }

  // On a query thread.
  void execute(const ServedProduct& product, const std::string& text) {
    absl::StatusOr<runtime::QueryResult> result = run(product, text);
    if (!result.ok()) return end(result.status());
    result_.emplace(*std::move(result));
    // A caller that takes in nothing must not hold the answer's memory for ever.
    timeout_.start(backend_.limits.stream_ms_max);
    v1::SqlHeader* header = message_.mutable_header();
    to_wire(result_->stamp, header->mutable_stamp());
    for (const operators::Field& field : result_->schema) to_wire(field, header->add_columns());
    StartWrite(&message_);
  }

  absl::StatusOr<runtime::QueryResult> run(const ServedProduct& product, const std::string& text) {
    KAPPA_RETURN_IF_ERROR(still_wanted());
    const sql::CompiledQuery query = sql::compile_query({"query", text}, product.reader->plan());
    if (!query.ok()) return wrong_sql("sql", query.diagnostics);
    CancellableReader reader(*product.reader, [this] { return still_wanted(); });
    return runtime::execute(*query.query, reader,
                            {deadline_, backend_.limits.query_rows_scanned_max,
                             backend_.limits.query_memory_bytes_max});
  }

  absl::Status still_wanted() const {
    if (cancelled_) return absl::CancelledError("the caller went away");
    if (std::chrono::steady_clock::now() > deadline_) {
      return absl::DeadlineExceededError("the query did not end before its deadline");
    }
    return absl::OkStatus();
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return end(absl::CancelledError("the caller went away"));
    message_.Clear();
    if (sent_ < result_->rows.rows) return write_rows();
    v1::SqlTrailer* trailer = message_.mutable_trailer();
    trailer->set_row_count(static_cast<int64_t>(sent_));
    for (const runtime::WaitingRows& waiting : result_->waiting) {
      v1::WaitingRows* added = trailer->add_waiting();
      added->set_view(waiting.view);
      added->set_rows(static_cast<int64_t>(waiting.waiting.rows));
      added->set_until_us(waiting.waiting.until.us);
    }
    code_ = absl::StatusCode::kOk;
    StartWriteAndFinish(&message_, grpc::WriteOptions(), grpc::Status::OK);
  }

  void write_rows() {
    v1::SqlRows* rows = message_.mutable_rows();
    const size_t end_row = std::min(result_->rows.rows, sent_ + kChunkRowsMax);
    size_t bytes = 0;
    while (sent_ < end_row && bytes < kChunkBytesMax) {
      v1::Row* row = rows->add_rows();
      to_wire(result_->rows, sent_++, row);
      bytes += row->ByteSizeLong();
    }
    StartWrite(&message_);
  }

  void end(const absl::Status& status) {
    code_ = status.code();
    Finish(to_grpc(status));
  }

  void OnCancel() override { cancelled_ = true; }

  void OnDone() override {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started_;
    backend_.metrics.handled(Method::kSql, code_, took.count());
    timeout_.end();
    self_.reset();  // maybe the last reference
  }

  const Backend& backend_;
  grpc::CallbackServerContext* const context_;  // valid until OnDone
  const runtime::Deadline deadline_;
  const StreamSlot slot_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::shared_ptr<SqlStream> self_;  // until OnDone
  std::atomic<bool> cancelled_ = false;
  absl::StatusCode code_ = absl::StatusCode::kUnknown;
  std::optional<runtime::QueryResult> result_;
  size_t sent_ = 0;
  v1::SqlResponse message_;
  StreamTimeout timeout_;
};

}  // namespace

grpc::ServerWriteReactor<v1::SqlResponse>* start_sql(const Backend& backend,
                                                     grpc::CallbackServerContext* context,
                                                     const v1::SqlRequest* request) {
  auto stream = std::make_shared<SqlStream>(backend, context);
  stream->start(stream, *request);
  return stream.get();
}

}  // namespace kappa::serve
