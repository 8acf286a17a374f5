#include "engine/serve/export_stream.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "absl/strings/str_cat.h"
#include "engine/runtime/running_query.h"
#include "engine/serve/api_error.h"
#include "engine/serve/cancellable_reader.h"
#include "engine/serve/stream_slot.h"
#include "engine/serve/stream_timeout.h"
#include "engine/serve/unary_call.h"
#include "engine/serve/wire.h"
#include "engine/serve/wrong_sql.h"
#include "engine/sql/suggest.h"
#include "engine/sql/view_rows.h"
#include "engine/types/status_macros.h"
#include "kappa/v1/query.pb.h"

namespace kappa::serve {
namespace {

constexpr size_t kChunkRowsMax = 1024;
constexpr size_t kChunkBytesMax = 256u << 10;

// The columns that a request names: of the view, each once.
absl::StatusOr<std::vector<std::string>> columns_of(const ViewRef& view,
                                                    const v1::ExportRequest& request) {
  std::vector<std::string> known;
  for (const operators::Field& field : *view.schema) known.push_back(field.name);
  std::vector<std::string> columns;
  for (const std::string& name : request.columns()) {
    const std::string field = absl::StrCat("columns[", columns.size(), "]");
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return invalid_field(field, absl::StrCat("view ", view.node->name, " has no column \"", name,
                                               "\"; ", sql::suggestion(name, known)));
    }
    if (std::find(columns.begin(), columns.end(), name) != columns.end()) {
      return invalid_field(field, absl::StrCat("column \"", name, "\" is named twice"));
    }
    columns.push_back(name);
  }
  return columns;
}

// What an export reads, for as long as it does.
struct ExportedRows {
  ViewRef view;
  std::shared_ptr<const sql::BoundQuery> query;
  CancellableReader reader;
  std::unique_ptr<runtime::RunningQuery> running;
  Batch batch;      // being sent
  size_t sent = 0;  // rows of it
};

// An export on its way. One party has it at a time: the handler, a query thread, or gRPC's threads;
// OnCancel only leaves word. Between two messages it goes back to the end of the query threads'
// queue, so that queries get their turn.
//
//   start ─► opening ─► header ─► stepping ─rows─► writing ─► stepping …
//               │                    └──no more──► trailer ─► done
//               └────────────────────┴── error, caller gone ──► done
class ExportStream final : public grpc::ServerWriteReactor<v1::ExportResponse> {
 public:
  ExportStream(const Backend& backend, grpc::CallbackServerContext* context,
               const v1::ExportRequest& request)
      : backend_(backend),
        request_(request),
        caller_(backend.gate.caller(*context)),
        deadline_(deadline_of(*context, backend.limits.export_ms_max)),
        slot_(backend.streams_open, backend.limits.streams_max),
        export_slot_(backend.exports_open, backend.limits.exports_max),
        timeout_(context) {}

  void start(const std::shared_ptr<ExportStream>& self, const grpc::ServerContextBase& context) {
    self_ = self;
    const absl::Status status = submit(context);
    if (!status.ok()) end(status);
  }

 private:
  absl::Status submit(const grpc::ServerContextBase& context) {
    const std::string name = backend_.products.name_for(request_.product());
    KAPPA_RETURN_IF_ERROR(backend_.gate.admit(context, Method::kExport, Right::kQuery, name));
    KAPPA_ASSIGN_OR_RETURN(ViewRef view, find_view(backend_.products, name, request_.view()));
    if (!slot_.taken() || !export_slot_.taken()) return too_many_queries();
    product_ = view.product->name;
    timeout_.start(backend_.limits.export_ms_max);
    const bool taken =
        backend_.queries.try_submit([self = self_, view = std::move(view)] { self->open(view); });
    return taken ? absl::OkStatus() : too_many_queries();
  }

  // On a query thread, as is step().
  void open(const ViewRef& view) {
    const absl::Status opened = pin(view);
    if (!opened.ok()) return end(opened);
    v1::ExportHeader* header = message_.mutable_header();
    to_wire(rows_->running->stamp(), header->mutable_stamp());
    for (const operators::Field& field : rows_->running->schema()) {
      to_wire(field, header->add_columns());
    }
    StartWrite(&message_);
  }

  absl::Status pin(const ViewRef& view) {
    KAPPA_RETURN_IF_ERROR(still_wanted());
    KAPPA_ASSIGN_OR_RETURN(const std::vector<std::string> columns, columns_of(view, request_));
    const sql::CompiledQuery query =
        sql::compile_view_rows(view.reader().plan(), view.id, columns, {"where", request_.where()});
    if (!query.ok()) return wrong_sql("where", query.diagnostics);
    rows_.emplace(ExportedRows{
        view, query.query, {view.reader(), [this] { return still_wanted(); }}, nullptr, {}, 0});
    const runtime::QueryLimits limits{.deadline = deadline_,
                                      .rows_scanned_max = std::numeric_limits<size_t>::max(),
                                      .memory_bytes_max = backend_.limits.query_memory_bytes_max};
    KAPPA_ASSIGN_OR_RETURN(rows_->running,
                           runtime::RunningQuery::start(*rows_->query, rows_->reader, limits));
    return absl::OkStatus();
  }

  absl::Status still_wanted() const {
    if (cancelled_) return absl::CancelledError("the caller went away");
    if (std::chrono::steady_clock::now() > deadline_) {
      return absl::DeadlineExceededError("the export did not end before its deadline");
    }
    return absl::OkStatus();
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return end(absl::CancelledError("the caller went away"));
    backend_.queries.submit([self = self_] { self->step(); });
  }

  void step() {
    message_.Clear();
    const absl::StatusOr<bool> more = next_rows();
    if (!more.ok()) return end(more.status());
    if (*more) return write_rows();
    const absl::Status written = write_trailer();
    if (!written.ok()) return end(written);
    code_ = absl::StatusCode::kOk;
    rows_.reset();
    StartWriteAndFinish(&message_, grpc::WriteOptions(), grpc::Status::OK);
  }

  // Whether there are rows that have not been sent.
  absl::StatusOr<bool> next_rows() {
    KAPPA_RETURN_IF_ERROR(still_wanted());
    if (rows_->sent < rows_->batch.rows) return true;
    KAPPA_ASSIGN_OR_RETURN(rows_->batch, rows_->running->next());
    rows_->sent = 0;
    return !rows_->batch.empty();
  }

  void write_rows() {
    v1::ExportRows* rows = message_.mutable_rows();
    const size_t end_row = std::min(rows_->batch.rows, rows_->sent + kChunkRowsMax);
    size_t bytes = 0;
    while (rows_->sent < end_row && bytes < kChunkBytesMax) {
      v1::Row* row = rows->add_rows();
      to_wire(rows_->batch, rows_->sent++, row);
      bytes += row->ByteSizeLong();
      ++rows_sent_;
    }
    StartWrite(&message_);
  }

  absl::Status write_trailer() {
    v1::ExportTrailer* trailer = message_.mutable_trailer();
    trailer->set_row_count(rows_sent_);
    KAPPA_ASSIGN_OR_RETURN(const auto waiting, rows_->running->waiting());
    if (waiting.empty()) return absl::OkStatus();
    v1::WaitingRows* wire = trailer->mutable_waiting();
    wire->set_view(waiting[0].view);
    wire->set_rows(static_cast<int64_t>(waiting[0].waiting.rows));
    wire->set_until_us(waiting[0].waiting.until.us);
    return absl::OkStatus();
  }

  void end(const absl::Status& status) {
    code_ = status.code();
    rows_.reset();  // the pin must not wait for whoever still holds this
    Finish(to_grpc(status));
  }

  void OnCancel() override { cancelled_ = true; }

  void OnDone() override {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started_;
    backend_.metrics.handled(Method::kExport, code_, took.count());
    note_in_audit();
    timeout_.end();
    self_.reset();  // maybe the last reference
  }

  // Rows that have left are noted even if the caller then went away.
  void note_in_audit() const {
    const bool whole = code_ == absl::StatusCode::kOk;
    if (!whole && rows_sent_ == 0) return;
    backend_.gate.done(
        Method::kExport, caller_,
        absl::StrCat("product ", product_, ", view ", request_.view(), ", ", rows_sent_,
                     rows_sent_ == 1 ? " row" : " rows", whole ? "" : ", broken off"));
  }

  const Backend& backend_;
  const v1::ExportRequest request_;
  const std::string caller_;
  const runtime::Deadline deadline_;
  const StreamSlot slot_;
  const StreamSlot export_slot_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::shared_ptr<ExportStream> self_;  // until OnDone
  std::string product_;
  std::atomic<bool> cancelled_ = false;
  absl::StatusCode code_ = absl::StatusCode::kUnknown;
  std::optional<ExportedRows> rows_;  // from pin() to the end
  int64_t rows_sent_ = 0;
  v1::ExportResponse message_;
  StreamTimeout timeout_;
};

}  // namespace

grpc::ServerWriteReactor<v1::ExportResponse>* start_export(const Backend& backend,
                                                           grpc::CallbackServerContext* context,
                                                           const v1::ExportRequest* request) {
  auto stream = std::make_shared<ExportStream>(backend, context, *request);
  stream->start(stream, *context);
  return stream.get();
}

}  // namespace kappa::serve
