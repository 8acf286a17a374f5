#pragma once

#include "absl/status/statusor.h"
#include "engine/log/outbox_publisher.h"
#include "state/checkpoint.h"

namespace kappa::runtime {

// A record on its way out as the store keeps it. Payload, in ByteWriter's terms: timestamp i64 |
// key | value | headers u64, each name and value; key and value as u8 0, or 1 and the text.
state::OutboxEntry encode(const log::OutboxRecord& record);
absl::StatusOr<log::OutboxRecord> decode(const state::OutboxEntry& entry);  // DataLoss

}  // namespace kappa::runtime
