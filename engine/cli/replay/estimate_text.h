#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "replay/estimate.h"

namespace kappa::cli {

// "It takes about 4 min at 85,000 records/s, what the last replay reached; about 120.0 MiB of disk,
// 70.0 GiB are free".
std::string estimate_text(const replay::TimeEstimate& time, const replay::DiskEstimate& disk);

// estimated_seconds, records_per_second, rate_from, estimated_disk_bytes, disk_free_bytes: null
// where it is not known.
nlohmann::ordered_json to_json(const replay::TimeEstimate& time, const replay::DiskEstimate& disk);

}  // namespace kappa::cli
