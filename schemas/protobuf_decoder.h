#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "schemas/decoder.h"

namespace kappa::schemas {

// A decoder for `source`, which has the Protobuf format: the .proto is read from `files` here, and
// payloads are walked field by field straight into columns. InvalidArgument: as make_decoder.
absl::StatusOr<std::unique_ptr<Decoder>> make_protobuf_decoder(const Source& source,
                                                               std::vector<int> wanted,
                                                               const ProductFiles& files);

}  // namespace kappa::schemas
