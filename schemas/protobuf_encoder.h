#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "schemas/decoder.h"
#include "schemas/encoder.h"

namespace kappa::schemas {

// `sink` has the Protobuf format. Fields are written in the order of their numbers, so a row has
// one encoding. NULL is an absent field, and so is a default value where the message cannot tell
// the two apart. See make_encoder() for errors.
absl::StatusOr<std::unique_ptr<RowEncoder>> make_protobuf_encoder(const Source& sink,
                                                                  const ProductFiles& files);

}  // namespace kappa::schemas
