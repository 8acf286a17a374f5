#include "engine/cli/replay/course_options.h"

#include "engine/types/datetime.h"
#include "engine/types/time.h"

namespace kappa::cli {

using state::ReplayStart;

ReplayStart CourseOptions::start() const {
  ReplayStart start;
  if (order == order_text(ReplayStart::Order::kLogTime)) start.order = ReplayStart::Order::kLogTime;
  if (const auto from_us = parse_timestamp(from)) start.from_ms = *from_us / kMicrosPerMilli;
  return start;
}

const char* order_text(ReplayStart::Order order) {
  return order == ReplayStart::Order::kLogTime ? "log-time" : "journal";
}

std::string from_text(const ReplayStart& start) {
  return start.from_ms ? timestamp_to_text(*start.from_ms * kMicrosPerMilli) : "";
}

}  // namespace kappa::cli
