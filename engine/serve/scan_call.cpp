#include "engine/serve/scan_call.h"

#include <algorithm>
#include <utility>

#include <grpcpp/server_context.h>

#include "absl/strings/str_cat.h"
#include "engine/serve/api_error.h"
#include "engine/serve/cancellable_reader.h"
#include "engine/serve/keys.h"
#include "engine/serve/wire.h"
#include "engine/types/hash.h"
#include "engine/types/status_macros.h"
#include "kappa/v1/query.pb.h"

namespace kappa::serve {
namespace {

constexpr int kPageRowsDefault = 1000;
constexpr int kPageRowsMax = 10'000;
constexpr size_t kPageBytesMax = 1u << 20;

absl::StatusOr<size_t> page_size_of(const v1::ScanRequest& request) {
  if (request.page_size() < 0 || request.page_size() > kPageRowsMax) {
    return invalid_field(
        "page_size", absl::StrCat("expected 0 to ", kPageRowsMax, ", got ", request.page_size()));
  }
  return static_cast<size_t>(request.page_size() == 0 ? kPageRowsDefault : request.page_size());
}

absl::StatusOr<KeyRange> range_of(const ViewRef& view, const v1::ScanRequest& request) {
  if (!request.prefix().empty() || !request.start().empty() || !request.end().empty()) {
    KAPPA_RETURN_IF_ERROR(check_has_key(view));
  }
  KeyRange range;
  KAPPA_ASSIGN_OR_RETURN(range.prefix, read_key_prefix(view, request.prefix(), "prefix"));
  KAPPA_ASSIGN_OR_RETURN(range.start, read_key_prefix(view, request.start(), "start"));
  KAPPA_ASSIGN_OR_RETURN(range.end, read_key_prefix(view, request.end(), "end"));
  return range;
}

// Names what is scanned, so that a token cannot go on with another scan.
uint64_t fingerprint_of(const ViewRef& view, const v1::ScanRequest& request) {
  v1::ScanRequest named = request;
  named.set_product(view.product->name);
  named.clear_page_size();
  named.clear_page_token();
  const std::string bytes = named.SerializeAsString();
  return hash_bytes(bytes.data(), bytes.size());
}

// Writes a page and returns the position after it.
uint64_t write_page(const ScanRows& rows, uint64_t position, size_t page_size,
                    v1::ScanResponse* response) {
  to_wire(rows.stamp, response->mutable_stamp());
  for (const operators::Field& field : rows.schema) to_wire(field, response->add_columns());
  const uint64_t end = std::min<uint64_t>(rows.order.size(), position + page_size);
  size_t bytes = 0;
  while (position < end && bytes < kPageBytesMax) {
    v1::Row* row = response->add_rows();
    to_wire(rows.rows, rows.order[position++], row);
    bytes += row->ByteSizeLong();
  }
  return position;
}

// Answers with the page at `start`, and keeps the rows if there are more pages to come.
absl::Status answer_page(Cursors& cursors, PageStart start, uint64_t fingerprint, size_t page_size,
                         v1::ScanResponse* response) {
  const uint64_t next = write_page(*start.rows, start.position, page_size, response);
  if (next == start.rows->order.size()) {
    if (!start.cursor.empty()) cursors.finish(start.cursor);
    return absl::OkStatus();
  }
  if (start.cursor.empty()) {
    KAPPA_ASSIGN_OR_RETURN(start.cursor, cursors.keep(start.rows, fingerprint));
  }
  response->set_next_page_token(Cursors::token(start.cursor, next));
  return absl::OkStatus();
}

struct FirstPage {
  ViewRef view;
  KeyRange range;
  runtime::Deadline deadline;
  uint64_t fingerprint;
  size_t page_size;
};

// On a query thread.
void run_first_page(const Backend& backend, const UnaryCall::Ref& call, const FirstPage& page,
                    v1::ScanResponse* response) {
  CancellableReader reader(page.view.reader(), [&] { return call->still_wanted(page.deadline); });
  const ScanLimits limits{page.deadline, backend.limits.query_rows_scanned_max,
                          backend.limits.scan_memory_bytes_max};
  auto rows = scan(page.view, page.range, reader, limits);
  if (!rows.ok()) return call->finish(rows.status());
  call->answer([&] {
    return answer_page(backend.cursors, {*std::move(rows), "", 0}, page.fingerprint, page.page_size,
                       response);
  });
}

}  // namespace

absl::Status start_scan(const Backend& backend, const UnaryCall::Ref& call,
                        const grpc::ServerContextBase& context, const v1::ScanRequest& request,
                        v1::ScanResponse* response) {
  KAPPA_ASSIGN_OR_RETURN(ViewRef view,
                         find_view(backend.products, request.product(), request.view()));
  KAPPA_ASSIGN_OR_RETURN(const size_t page_size, page_size_of(request));
  KAPPA_ASSIGN_OR_RETURN(KeyRange range, range_of(view, request));
  const uint64_t fingerprint = fingerprint_of(view, request);
  if (!request.page_token().empty()) {
    KAPPA_ASSIGN_OR_RETURN(PageStart start,
                           backend.cursors.find(request.page_token(), fingerprint));
    call->answer([&] {
      return answer_page(backend.cursors, std::move(start), fingerprint, page_size, response);
    });
    return absl::OkStatus();
  }
  FirstPage page{std::move(view), std::move(range),
                 deadline_of(context, backend.limits.query_ms_max), fingerprint, page_size};
  const bool taken = backend.queries.try_submit([&backend, call, page = std::move(page), response] {
    run_first_page(backend, call, page, response);
  });
  return taken ? absl::OkStatus() : too_many_queries();
}

}  // namespace kappa::serve
