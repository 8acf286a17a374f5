#pragma once

#include <memory>
#include <vector>

#include "schemas/decoder.h"

namespace kappa::schemas {

// How a JSON decoder goes about it. What it returns is the same either way.
enum class JsonPath : uint8_t {
  kLearning,  // by learnt shapes, and the slow path for what they do not fit
  kSlowOnly,  // the slow path alone: the yardstick for tests
};

// `source` has the JSON format and columns with distinct fields.
std::unique_ptr<Decoder> make_json_decoder(const Source& source, std::vector<int> wanted,
                                           JsonPath path = JsonPath::kLearning);

}  // namespace kappa::schemas
