#include "test/runtime/engine_run.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "engine/types/status_macros.h"

namespace kappa::runtime {
namespace {

std::string line_of(const Row& row) {
  std::string line;
  for (size_t i = 0; i < row.size(); ++i) line += (i > 0 ? "|" : "") + to_text(row[i]);
  return line;
}

}  // namespace

EngineRun::EngineRun(const operators::Plan& plan, log::Log* log, std::string journal, Clock* clock,
                     PipelineOptions options)
    : plan_(plan),
      log_(log),
      journal_(std::move(journal)),
      clock_(clock),
      options_(std::move(options)) {}

absl::Status EngineRun::open() {
  KAPPA_ASSIGN_OR_RETURN(pipeline_,
                         Pipeline::open(plan_, {}, log_, &store_, journal_, clock_, options_));
  return absl::OkStatus();
}

absl::Status EngineRun::kill_and_open() {
  pipeline_.reset();
  store_.heal();
  return open();
}

absl::StatusOr<EngineRun::View> EngineRun::view(const std::string& name) {
  const operators::NodeId id = plan_.find_view(name);
  const operators::Schema& schema = plan_.node(id).schema;
  std::vector<int> columns(schema.size());
  std::iota(columns.begin(), columns.end(), 0);
  KAPPA_ASSIGN_OR_RETURN(const auto snapshot, pipeline_->pin({id}, Deadline::max()));
  std::vector<Row> rows;
  while (true) {
    Arena arena;
    KAPPA_ASSIGN_OR_RETURN(const Batch batch, snapshot->next(id, columns, arena));
    if (batch.empty()) break;
    for (size_t i = 0; i < batch.rows; ++i) {
      Row row;
      for (const ColumnRef& column : batch.columns) row.push_back(value_at(*column, i));
      rows.push_back(std::move(row));
    }
  }
  KAPPA_RETURN_IF_ERROR(check_points(id, rows));
  View view{{}, snapshot->stamp(), {}};
  for (const Row& row : rows) view.lines.push_back(line_of(row));
  std::sort(view.lines.begin(), view.lines.end());
  KAPPA_ASSIGN_OR_RETURN(view.waiting, snapshot->waiting(id));
  return view;
}

absl::Status EngineRun::check_points(operators::NodeId id, const std::vector<Row>& rows) {
  const auto& op = std::get<operators::ViewNode>(plan_.node(id).op);
  if (op.by_record) return absl::OkStatus();
  std::vector<Row> keys;
  for (const Row& row : rows) {
    Row key;
    for (const int column : op.key) key.push_back(row[static_cast<size_t>(column)]);
    keys.push_back(std::move(key));
  }
  absl::StatusOr<ViewReader::Rows> found = absl::InternalError("not called");
  pipeline_->get(id, keys, [&](absl::StatusOr<ViewReader::Rows> got) { found = std::move(got); });
  KAPPA_RETURN_IF_ERROR(found.status());
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto& point = found->rows[i];
    if (point && line_of(*point) == line_of(rows[i])) continue;
    return absl::InternalError(absl::StrCat("view ", op.name, ": a scan gives ", line_of(rows[i]),
                                            ", its key gives ",
                                            point ? line_of(*point) : "nothing"));
  }
  return absl::OkStatus();
}

std::string PublishedRecord::header(const std::string& name) const {
  for (const auto& [key, content] : headers) {
    if (key == name) return content;
  }
  return "";
}

absl::StatusOr<std::vector<PublishedRecord>> read_topic(const log::Log& log,
                                                        const std::string& topic) {
  std::vector<PublishedRecord> records;
  const auto info = log.topic(topic);
  if (absl::IsNotFound(info.status())) return records;
  KAPPA_RETURN_IF_ERROR(info.status());
  for (int32_t p = 0; p < info->config.partitions; ++p) {
    KAPPA_ASSIGN_OR_RETURN(const auto reader, log.open_reader({topic, p}, Offset{0}));
    while (true) {
      KAPPA_ASSIGN_OR_RETURN(const RecordBlock block, reader->read(1u << 20));
      if (block.empty()) break;
      for (const RecordView& record : block.records) {
        PublishedRecord published;
        published.has_value = record.value != nullptr;
        if (published.has_value) published.value = std::string(*record.value_view());
        published.headers = parse_headers(record);
        records.push_back(std::move(published));
      }
    }
  }
  return records;
}

}  // namespace kappa::runtime
