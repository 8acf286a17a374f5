#include "engine/cli/commands/export.h"

#include <chrono>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/cli/amount_text.h"
#include "engine/cli/answer_notes.h"
#include "engine/cli/export/export_file.h"
#include "engine/cli/import/progress_bar.h"
#include "engine/cli/place_text.h"
#include "engine/cli/value_json.h"
#include "engine/types/status_macros.h"

namespace kappa::cli {
namespace {

ExportFormat format_of(const ExportOptions& options) {
  if (options.format) return *options.format;
  const bool json = options.file.ends_with(".ndjson") || options.file.ends_with(".jsonl");
  return json ? ExportFormat::kNdjson : ExportFormat::kCsv;
}

// Writes rows as they come in.
class Writer {
 public:
  Writer(const ExportOptions& options, ExportFile& file)
      : format_(format_of(options)), file_(file) {
    // Rows that go to the terminal show themselves how far it is.
    if (!options.file.empty() || !out_is_terminal()) progress_.emplace();
  }

  absl::Status write(const serve::RowsAnswer& batch) {
    std::string text;
    if (!rows_) {
      rows_.emplace(format_, batch.schema);
      text = rows_->head();
    }
    for (const Row& row : batch.rows) rows_->append(row, &text);
    count_ += batch.rows.size();
    if (progress_) progress_->show(progress_text());
    return file_.write(text);
  }

  void end() { progress_.reset(); }

 private:
  std::string progress_text() const {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start_;
    const double rate = took.count() > 0 ? static_cast<double>(count_) / took.count() : 0;
    return absl::StrCat(count_, " rows  ", absl::StrFormat("%.0f/s", rate), "  ",
                        bytes_text(static_cast<uint64_t>(file_.bytes())));
  }

  const ExportFormat format_;
  ExportFile& file_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::optional<ProgressBar> progress_;
  std::optional<RowText> rows_;  // once the columns are known
  size_t count_ = 0;
};

std::string result_json(const ExportOptions& options, const serve::ExportSummary& summary,
                        int64_t bytes) {
  nlohmann::ordered_json json;
  json["view"] = options.rows.view;
  json["file"] = nullptr;
  if (!options.file.empty()) json["file"] = options.file;
  json["rows"] = summary.rows;
  json["bytes"] = bytes;
  json["generation"] = summary.stamp.generation;
  json["place"] = place_json(summary.stamp);
  json["watermark"] = watermark_json(summary.stamp.watermark);
  json["waiting"] = nullptr;
  if (summary.waiting) {
    json["waiting"] = {{"rows", summary.waiting->waiting.rows},
                       {"until", watermark_json(summary.waiting->waiting.until)}};
  }
  return json_text(json, /*one_line=*/true);
}

void tell_result(const ExportOptions& options, const serve::ExportSummary& summary, int64_t bytes) {
  if (options.output == OutputFormat::kJson) {
    const std::string json = result_json(options, summary, bytes);
    return options.file.empty() ? note(json) : print(json);
  }
  note(absl::StrCat("kappa: ", summary.rows, summary.rows == 1 ? " row of " : " rows of ",
                    options.rows.view, ", ", bytes, " bytes, as of generation ",
                    summary.stamp.generation, " and watermark ",
                    watermark_text(summary.stamp.watermark), "\n"));
}

absl::StatusOr<serve::ExportSummary> export_rows(const ExportOptions& options,
                                                 Connection& connection, ExportFile& file) {
  if (connection.own()) {
    KAPPA_RETURN_IF_ERROR(connection.own()->find(options.rows.product).status());
  }
  Writer writer(options, file);
  KAPPA_ASSIGN_OR_RETURN(
      serve::ExportSummary summary,
      connection.client().export_view(
          options.rows, [&](const serve::RowsAnswer& batch) { return writer.write(batch); }));
  writer.end();
  KAPPA_RETURN_IF_ERROR(file.finish());
  return summary;
}

}  // namespace

int run_export(const ExportOptions& options) {
  const auto file = ExportFile::open(options.file, options.force);
  if (!file.ok()) {
    report(file.status());
    return kExitUsage;
  }
  ConnectOptions connect = options.connect;
  connect.command = "kappa export";
  connect.with_products = true;
  const auto connection = Connection::open(std::move(connect));
  if (!connection.ok()) return report(connection.status());
  const auto summary = export_rows(options, **connection, **file);
  if (!summary.ok()) return report(summary.status());
  tell_result(options, *summary, (*file)->bytes());
  if (summary->waiting) tell_waiting(*summary->waiting, summary->stamp.watermark);
  tell_lag(**connection);
  return kExitOk;
}

}  // namespace kappa::cli
