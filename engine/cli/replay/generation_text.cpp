#include "engine/cli/replay/generation_text.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/cli/amount_text.h"
#include "engine/cli/import/progress_bar.h"
#include "engine/cli/place_text.h"
#include "engine/cli/replay/course_options.h"

namespace kappa::cli {
namespace {

using serve::GenerationStatus;
using state::GenerationState;

std::string rate_text(double records_per_second) {
  return absl::StrFormat("%.0f/s", records_per_second);
}

bool replays(const GenerationStatus& status) {
  return status.state == GenerationState::kReplaying && status.failure.ok();
}

std::string eta_text(const GenerationStatus& status) {
  if (!replays(status) || status.paused) return "-";
  const std::optional<double> eta = status.eta_seconds();
  return eta ? time_left_text(*eta) : "never";
}

std::string failure_text(const GenerationStatus& status) {
  return on_one_line(std::string(status.failure.message()));
}

}  // namespace

std::string state_text(const GenerationStatus& status) {
  if (!status.failure.ok()) return "failed";
  switch (status.state) {
    case GenerationState::kReplaying:
      return status.paused ? "paused" : "replaying";
    case GenerationState::kReady:
      return "ready";
    case GenerationState::kLive:
      return "live";
    case GenerationState::kRetired:
      return status.runs ? "retired, follows" : "retired";
  }
  return "";
}

Table generation_table(const std::vector<GenerationStatus>& generations) {
  Table table;
  table.columns = {{"generation", true}, {"state"},      {"records", true},
                   {"remaining", true},  {"rate", true}, {"left", true},
                   {"event time"},       {"size", true}, {"created"}};
  for (const GenerationStatus& one : generations) {
    const auto running = [&](std::string text) { return one.runs ? std::move(text) : "-"; };
    table.rows.push_back({absl::StrCat(one.id), state_text(one), running(absl::StrCat(one.records)),
                          running(absl::StrCat(one.records_remaining)),
                          running(rate_text(one.records_per_second)), eta_text(one),
                          running(watermark_text(one.watermark)),
                          running(bytes_text(one.state_bytes)), one.created});
  }
  return table;
}

nlohmann::ordered_json to_json(const GenerationStatus& status) {
  nlohmann::ordered_json json;
  json["generation"] = status.id;
  GenerationStatus plain = status;
  plain.runs = false;
  json["state"] = state_text(plain);
  json["runs"] = status.runs;
  if (!status.failure.ok()) json["failure"] = std::string(status.failure.message());
  json["created"] = status.created;
  json["plan"] = absl::StrFormat("%016x", status.plan_fingerprint);
  json["cpu_cores_max"] = status.budget.cpu_cores_max;
  json["records_per_second_max"] = status.budget.records_per_second_max;
  json["memory_bytes_max"] = status.budget.memory_bytes_max;
  if (!status.paused_because.empty()) json["paused_because"] = status.paused_because;
  json["records"] = status.records;
  json["records_remaining"] = status.records_remaining;
  json["records_per_second"] = status.records_per_second;
  json["arriving_per_second"] = status.arriving_per_second;
  const std::optional<double> eta = replays(status) ? status.eta_seconds() : std::nullopt;
  json["eta_seconds"] = eta ? nlohmann::ordered_json(*eta) : nlohmann::ordered_json();
  json["watermark"] = watermark_json(status.watermark);
  json["state_bytes"] = status.state_bytes;
  json["order"] = order_text(status.start.order);
  const std::string from = from_text(status.start);
  json["from"] = from.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(from);
  json["kept_views"] = status.kept_views;
  return json;
}

std::string failures_text(const std::vector<GenerationStatus>& generations) {
  std::string text;
  for (const GenerationStatus& one : generations) {
    if (!one.paused_because.empty()) {
      absl::StrAppend(&text, "kappa: generation ", one.id, " is paused: ", one.paused_because,
                      "\n");
    }
    if (one.failure.ok()) continue;
    absl::StrAppend(&text, "kappa: generation ", one.id, " has stopped: ", failure_text(one), "\n");
  }
  return text;
}

std::string progress_text(const GenerationStatus& status) {
  const double all =
      static_cast<double>(status.records) + static_cast<double>(status.records_remaining);
  const double part = all > 0 ? static_cast<double>(status.records) / all : 1;
  std::string text =
      absl::StrFormat("%s  %d of %.0f records  ", bar_text(part), status.records, all);
  if (status.paused) {
    text += "paused";
  } else if (const auto eta = status.eta_seconds()) {
    absl::StrAppend(&text, rate_text(status.records_per_second), "  ", time_left_text(*eta),
                    " left");
  } else {
    absl::StrAppend(&text, rate_text(status.records_per_second), ", slower than they arrive");
  }
  if (status.watermark != kNoEventTime) {
    absl::StrAppend(&text, "  at ", watermark_text(status.watermark));
  }
  return text;
}

}  // namespace kappa::cli
