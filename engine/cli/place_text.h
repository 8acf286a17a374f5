#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "engine/runtime/reads.h"

namespace kappa::cli {

// "2024-05-01T10:00:00Z"; "none yet" before the first event; "the end" after an end mark.
std::string watermark_text(EventTime watermark);
// The same as JSON: null before the first event, "end" after an end mark.
nlohmann::ordered_json watermark_json(EventTime watermark);
// {"sales": [120, 118], …}: the next offset of each partition.
nlohmann::ordered_json place_json(const runtime::Stamp& stamp);

}  // namespace kappa::cli
