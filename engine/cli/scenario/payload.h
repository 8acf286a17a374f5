#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "schemas/decoder.h"
#include "schemas/source.h"

namespace kappa::cli::scenario {

// Turns the JSON of a scenario's record into a Protobuf message of the source's type, by the JSON
// mapping of proto3. One thread.
class ProtobufPayload {
 public:
  // InvalidArgument: a .proto that is missing or does not parse, or lacks the message.
  static absl::StatusOr<std::unique_ptr<ProtobufPayload>> make(const schemas::Source& source,
                                                               const schemas::ProductFiles& files);
  virtual ~ProtobufPayload() = default;
  virtual absl::StatusOr<std::string> encode(const std::string& json) = 0;
};

}  // namespace kappa::cli::scenario
