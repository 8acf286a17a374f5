#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/log/kafka/client.h"

namespace kappa::log {

// How far a product's outbox is published: the last record of its control topic
// `PRODUCT.kappa-outbox` (one partition, compacted; key: the product). Value, for people and other
// programs to read:
//
//   {"published_to":1234,"journal":"5f1c2a9b0d3e4f67","owner":"a7c0…"}
struct OutboxPlace {
  uint64_t published_to = 0;  // entries below are published
  uint64_t journal_id = 0;    // of the order journal that numbered them
  uint64_t owner = 0;         // the process that publishes; a number that it drew
};

std::string encode(const OutboxPlace& place);
absl::StatusOr<OutboxPlace> decode_outbox_place(std::string_view value);  // DataLoss

std::string outbox_control_topic(const std::string& product);

// Makes the control topic if it is not there. FailedPrecondition: it is there, and not compacted,
// so that retention would delete the place.
absl::Status ensure_control_topic(const Client& client, const std::string& topic);

// Whether a topic has the name of a product's control topic.
bool is_outbox_control_topic(std::string_view topic);

// The last committed place; nullopt: the topic holds none. Reads from the end. Unavailable: it
// could not be read, or no broker knows the topic.
absl::StatusOr<std::optional<OutboxPlace>> read_outbox_place(const Client::Options& consumer,
                                                             const std::string& product);

}  // namespace kappa::log
