#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "engine/log/kafka/settings.h"
#include "engine/log/outbox_publisher.h"

namespace kappa::log {

struct KafkaOutboxOptions {
  std::string brokers;     // host:port[,host:port]
  KafkaSettings settings;  // above our defaults
  std::string product;
  // Off: at least once. Nothing needs transactions of the brokers then; after a crash, and after an
  // answer that never came, records that were in flight may be there twice.
  bool transactions = true;
  std::function<void(std::string_view)> log_line;  // any thread; may be empty
};

// Publishes a product's records to Kafka, exactly once for readers with `read_committed`.
//
// A batch of records is one transaction of the id `kappa.PRODUCT`, which also writes the place, how
// far publishing has got, to the compacted topic `PRODUCT.kappa-outbox` (outbox_place.h). So
// whoever comes after a crash, and whoever does not know what became of a transaction, finds out
// there: the producer is destroyed, a new one initialised, which ends every transaction of the old
// one, and the place is read again.
//
//   no producer ─place is ours, init, place again─► ready ─transaction─► ready
//        ▲                                            └─any error─┐
//        └────────────────────────────────────────────────────────┘
//
// The place names the process that owns it. Who finds another one's name there has been overtaken
// (a copy of the data directory, a machine that hung) and ends with FailedPrecondition.
absl::StatusOr<std::unique_ptr<OutboxPublisher>> make_kafka_outbox(KafkaOutboxOptions options);

}  // namespace kappa::log
