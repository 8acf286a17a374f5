#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "schemas/decoder.h"
#include "schemas/source.h"

namespace kappa::cli::scenario {

// Turns the JSON of a scenario's record into a Protobuf message of the type of a source or sink, by
// the JSON mapping of proto3, and back. It knows nothing of our own encoder and decoder, so that
// scenarios judge them. One thread.
class ProtobufPayload {
 public:
  // InvalidArgument: a .proto that is missing or does not parse, or lacks the message.
  static absl::StatusOr<std::unique_ptr<ProtobufPayload>> make(const schemas::Source& source,
                                                               const schemas::ProductFiles& files);
  virtual ~ProtobufPayload() = default;
  virtual absl::StatusOr<std::string> encode(const std::string& json) = 0;
  // One JSON object with all fields of the message, in the order of the .proto; null: absent.
  // DataLoss: the bytes are no such message.
  virtual absl::StatusOr<std::string> to_json(const std::string& bytes) = 0;
};

}  // namespace kappa::cli::scenario
