#include "engine/cli/place_text.h"

#include <nlohmann/json.hpp>

#include "engine/types/datetime.h"

namespace kappa::cli {

std::string watermark_text(EventTime watermark) {
  if (watermark == kNoEventTime) return "none yet";
  if (watermark == kEndOfTime) return "the end";
  return timestamp_to_text(watermark.us);
}

nlohmann::ordered_json watermark_json(EventTime watermark) {
  if (watermark == kNoEventTime) return nullptr;
  if (watermark == kEndOfTime) return "end";
  return timestamp_to_text(watermark.us);
}

nlohmann::ordered_json place_json(const runtime::Stamp& stamp) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [partition, next] : stamp.place) {
    auto& offsets = json[partition.topic];
    const auto index = static_cast<size_t>(partition.partition);
    while (offsets.size() <= index) offsets.push_back(nullptr);
    offsets[index] = next.value;
  }
  return json;
}

}  // namespace kappa::cli
