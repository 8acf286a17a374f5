#include "engine/cli/playground/summary.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/cli/terminal.h"
#include "engine/runtime/query_executor.h"
#include "engine/sql/catalog.h"
#include "engine/types/datetime.h"

namespace kappa::cli::playground {
namespace {

constexpr std::chrono::seconds kQueryTime{2};

// 1234567 as 1,234,567.
std::string grouped(int64_t number) {
  std::string digits = absl::StrCat(number);
  for (size_t at = digits.size(); at > 3 + (number < 0 ? 1u : 0u);) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

// "2024-05-01T10:00:00Z" as "10:00:00".
std::string time_of_day(const std::string& timestamp) {
  return timestamp.size() >= 19 ? timestamp.substr(11, 8) : timestamp;
}

std::string cut(const std::string& line, int width) {
  size_t bytes = 0;
  int columns = 0;
  while (bytes < line.size()) {
    size_t next = bytes + 1;
    while (next < line.size() && (static_cast<unsigned char>(line[next]) & 0xc0) == 0x80) ++next;
    if (++columns >= width) break;
    bytes = next;
  }
  return line.substr(0, bytes);
}

}  // namespace

Summary::Summary(Service& service, const Generator& generator)
    : product_(service.deployment().products().front()),
      generator_(generator),
      clock_(service.deployment().clock()),
      start_(std::chrono::steady_clock::now()),
      last_(start_) {
  last_applied_ = product_.live()->pipeline->stats().records;
}

std::vector<std::vector<std::string>> Summary::rows(const std::string& sql) {
  const auto live = product_.live();
  const sql::CompiledQuery compiled = sql::compile_query({"summary", sql}, live->pipeline->plan());
  if (!compiled.ok()) return {};
  runtime::QueryLimits limits;
  limits.deadline = std::chrono::steady_clock::now() + kQueryTime;
  const auto result = runtime::execute(*compiled.query, *live->pipeline, limits);
  std::vector<std::vector<std::string>> rows;
  if (!result.ok()) return rows;
  for (size_t row = 0; row < result->rows.rows; ++row) {
    std::vector<std::string> cells;
    for (const ColumnRef& column : result->rows.columns) {
      cells.push_back(to_text(value_at(*column, row)));
    }
    rows.push_back(std::move(cells));
  }
  return rows;
}

void Summary::look_at_views(Look* look) {
  for (auto& row :
       rows("SELECT channel, sales, revenue FROM revenue_by_channel ORDER BY channel")) {
    look->channels.push_back({row[0], row[1], row[2]});
  }
  for (auto& row : rows("SELECT window_start, card_id, reason, sales, amount FROM suspicious_cards "
                        "ORDER BY window_start DESC, card_id LIMIT 5")) {
    look->alerts.push_back({row[0], row[1], row[2], row[3], row[4]});
  }
  for (auto& row : rows("SELECT sum(on_hand) AS on_hand, count(*) AS places FROM stock_levels "
                        "HAVING count(*) > 0")) {
    look->stock = {row[0], row[1]};
  }
  for (auto& row : rows("SELECT window_start, posts, brand FROM posts_per_minute "
                        "ORDER BY window_start DESC, posts DESC, brand LIMIT 1")) {
    look->talk = {row[0], row[1], row[2]};
  }
  for (auto& row : rows("SELECT window_start, sum(visitors) AS visitors FROM footfall_per_minute "
                        "GROUP BY window_start ORDER BY window_start DESC LIMIT 1")) {
    look->visits = {row[0], row[1]};
  }
}

Look Summary::look() {
  const auto now = std::chrono::steady_clock::now();
  const std::chrono::duration<double> since_start = now - start_;
  const std::chrono::duration<double> since_last = now - last_;
  const runtime::PipelineStats stats = product_.live()->pipeline->stats();
  Look look;
  look.seconds = since_start.count();
  look.events_in_log = generator_.records_in_log();
  look.others_in_log = generator_.others_in_log();
  const double seconds = std::max(since_last.count(), 1e-3);
  look.events_per_second = static_cast<double>(generator_.records() - last_events_) / seconds;
  look.applied_per_second = static_cast<double>(stats.records - last_applied_) / seconds;
  last_ = now;
  last_events_ = generator_.records();
  last_applied_ = stats.records;
  look.watermark = kEndOfTime;
  for (const runtime::SourceStats& source : stats.sources) {
    look.lag_records += source.lag_records;
    look.dead_letters += source.dead_letters;
    if (source.topic == kTopicNames[kSales] || source.topic == kTopicNames[kClicks]) {
      look.watermark = std::min(look.watermark, source.watermark);
    }
  }
  for (const runtime::ViewStats& view : stats.views) look.late_records += view.late_records;
  if (look.watermark != kNoEventTime && look.watermark != kEndOfTime) {
    const int64_t behind_us = clock_.now().ms * kMicrosPerMilli - look.watermark.us;
    look.watermark_behind_seconds = static_cast<double>(behind_us) / kMicrosPerSecond;
  }
  look_at_views(&look);
  return look;
}

std::vector<std::string> to_lines(const Look& look, int width) {
  std::string watermark = "none yet";
  if (look.watermark != kNoEventTime && look.watermark != kEndOfTime) {
    watermark = absl::StrFormat("%s, %.1f s behind the clock",
                                time_of_day(timestamp_to_text(look.watermark.us)),
                                look.watermark_behind_seconds);
  }
  std::vector<std::string> lines = {
      absl::StrCat("  events     ", grouped(static_cast<int64_t>(look.events_per_second)),
                   " a second, ", grouped(look.events_in_log), " in all; ",
                   grouped(look.others_in_log), " beside sales and clicks"),
      absl::StrCat("  applied    ", grouped(static_cast<int64_t>(look.applied_per_second)),
                   " a second, lag ", grouped(look.lag_records), " records"),
      absl::StrCat("  watermark  ", watermark),
      absl::StrCat("  late       ", grouped(static_cast<int64_t>(look.late_records)),
                   "   dead letters ", grouped(static_cast<int64_t>(look.dead_letters))),
  };
  for (const Look::Channel& channel : look.channels) {
    lines.push_back(absl::StrFormat("  %-9s  %s sales, revenue %s", channel.name, channel.sales,
                                    channel.revenue));
  }
  if (look.stock) {
    lines.push_back(absl::StrFormat("  stock      %s on hand, of %s products in stores",
                                    look.stock->on_hand, look.stock->places));
  }
  if (look.talk) {
    lines.push_back(absl::StrFormat("  posts      %s about %s since %s", look.talk->posts,
                                    look.talk->brand, time_of_day(look.talk->window_start)));
  }
  if (look.visits) {
    lines.push_back(absl::StrFormat("  footfall   %s people since %s", look.visits->visitors,
                                    time_of_day(look.visits->window_start)));
  }
  for (const Look::Alert& alert : look.alerts) {
    lines.push_back(absl::StrFormat("  %s   %-17s  %s, %s sales, %s",
                                    time_of_day(alert.window_start), alert.reason, alert.card,
                                    alert.sales, alert.amount));
  }
  for (std::string& line : lines) line = cut(line, width);
  return lines;
}

std::string to_json(const Look& look) {
  nlohmann::ordered_json json;
  json["event"] = "progress";
  json["seconds"] = look.seconds;
  json["events"] = look.events_in_log;
  json["other_events"] = look.others_in_log;
  json["events_per_second"] = look.events_per_second;
  json["applied_per_second"] = look.applied_per_second;
  json["lag_records"] = look.lag_records;
  const bool known = look.watermark != kNoEventTime && look.watermark != kEndOfTime;
  json["watermark"] =
      known ? nlohmann::ordered_json(timestamp_to_text(look.watermark.us)) : nullptr;
  json["late_records"] = look.late_records;
  json["dead_letters"] = look.dead_letters;
  return json.dump();
}

}  // namespace kappa::cli::playground
