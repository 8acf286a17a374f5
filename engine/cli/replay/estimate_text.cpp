#include "engine/cli/replay/estimate_text.h"

#include <cmath>
#include <cstdint>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "engine/cli/amount_text.h"

namespace kappa::cli {
namespace {

using Json = nlohmann::ordered_json;
using replay::DiskEstimate;
using replay::TimeEstimate;
using From = replay::TimeEstimate::From;

// What is measured is told as exactly as it is worth, what was given as it was given.
std::string rate_text(const TimeEstimate& time) {
  if (time.from == From::kBudget) return absl::StrCat(time.records_per_second);
  return count_text(static_cast<uint64_t>(std::lround(roughly(time.records_per_second))));
}

const char* source_text(From from) {
  switch (from) {
    case From::kLastReplay:
      return "what the last replay reached";
    case From::kLive:
      return "what the live generation reaches while it is busy";
    case From::kBudget:
      return "what it may take";
    case From::kNothing:
      break;
  }
  return "";
}

Json source_json(From from) {
  switch (from) {
    case From::kLastReplay:
      return "last replay";
    case From::kLive:
      return "live";
    case From::kBudget:
      return "budget";
    case From::kNothing:
      break;
  }
  return {};
}

template <typename Amount>
Json or_null(const std::optional<Amount>& amount) {
  return amount ? Json(*amount) : Json();
}

std::string time_text(const TimeEstimate& time) {
  if (time.from == From::kNothing) {
    return "How long it takes is not known: no replay has shown yet how fast it is, nor has the "
           "live generation";
  }
  return absl::StrCat("It takes about ", duration_text(time.seconds.value_or(0)), " at ",
                      rate_text(time), " records/s, ", source_text(time.from));
}

std::string disk_text(const DiskEstimate& disk) {
  if (!disk.bytes) return "how much disk is not known";
  const std::string about = absl::StrCat("about ", bytes_text(*disk.bytes), " of disk");
  if (!disk.free_bytes) return about;
  return absl::StrCat(about, ", ", bytes_text(*disk.free_bytes), " are free");
}

}  // namespace

std::string estimate_text(const TimeEstimate& time, const DiskEstimate& disk) {
  return absl::StrCat(time_text(time), "; ", disk_text(disk));
}

Json to_json(const TimeEstimate& time, const DiskEstimate& disk) {
  const bool known = time.from != From::kNothing;
  Json json;
  json["estimated_seconds"] = or_null(time.seconds);
  json["records_per_second"] = known ? Json(time.records_per_second) : Json();
  json["rate_from"] = source_json(time.from);
  json["estimated_disk_bytes"] = or_null(disk.bytes);
  json["disk_free_bytes"] = or_null(disk.free_bytes);
  return json;
}

}  // namespace kappa::cli
