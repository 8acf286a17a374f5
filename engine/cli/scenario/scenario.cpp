#include "engine/cli/scenario/scenario.h"

#include "absl/strings/numbers.h"
#include "engine/types/datetime.h"
#include "engine/types/text.h"

namespace kappa::cli::scenario {

const Expected* Step::expected() const {
  if (const auto* query = std::get_if<QueryStep>(&what)) return &query->expected;
  if (const auto* topic = std::get_if<TopicStep>(&what)) return &topic->expected;
  return nullptr;
}

bool Step::makes_entry() const {
  return std::holds_alternative<RecordsStep>(what) || std::holds_alternative<TickStep>(what) ||
         std::holds_alternative<CompleteStep>(what);
}

std::optional<LogTime> parse_log_time(std::string_view text) {
  int64_t ms = 0;
  if (absl::SimpleAtoi(to_absl(text), &ms)) return LogTime{ms};
  const std::optional<int64_t> us = parse_timestamp(text);
  if (!us || *us % kMicrosPerMilli != 0) return std::nullopt;
  return LogTime{*us / kMicrosPerMilli};
}

}  // namespace kappa::cli::scenario
