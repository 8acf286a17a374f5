#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/log/embedded/embedded_log.h"
#include "engine/log/kafka/access_probe.h"
#include "engine/log/log.h"
#include "engine/log/outbox_publisher.h"
#include "engine/runtime/patience.h"
#include "state/data_directory.h"

namespace kappa::cli {

// Which log a data directory's products read: --log and what belongs to it.
struct LogChoice {
  std::string address;       // "embedded", "kafka://host:port[,…]"; empty: as the directory says
  std::string kafka_config;  // --kafka-config: librdkafka's properties
  bool at_least_once = false;  // --at-least-once: outputs are published without transactions
  int64_t wait_s = 60;         // --log-wait-s: for a log that does not answer at the start
  bool operator==(const LogChoice&) const = default;
};

bool is_kafka(const LogChoice& choice);

// The log of a deployment, and which one it is.
struct ChosenLog {
  std::unique_ptr<log::Log> log;
  std::vector<log::CutTail> cut_tails;  // of the embedded one
  std::string address;                  // "embedded", "kafka://…"
  LogChoice choice;                     // with what the directory says filled in
};

// The log that the data directory's file LOG names; an empty address: none was opened there yet.
absl::StatusOr<LogChoice> log_of_directory(const std::string& data);

// What can be said of a choice before anything is opened. InvalidArgument names the option.
absl::Status check_log_choice(const LogChoice& choice);

// Opens it. State and order journal belong to one log: which one is written into the file LOG of
// the directory when it is first opened, and compared ever after. A Kafka cluster that does not
// answer is waited for (patience_of()). InvalidArgument: the choice; Unauthenticated: the cluster
// refuses us; FailedPrecondition: another log than the directory's.
absl::StatusOr<ChosenLog> open_log(const LogChoice& choice, const state::DataDirectory& directory,
                                   bool has_products, const log::EmbeddedLogOptions& embedded);

// Waits as long as the choice says, and tells so on standard error: after a second, and then every
// ten seconds.
runtime::Patience patience_of(const LogChoice& choice);

// Asks that log's brokers what they allow. `choice` is Kafka.
absl::StatusOr<std::unique_ptr<log::AccessProbe>> open_access_probe(const LogChoice& choice);

// Publishes a product's outputs to that log, which outlives it.
absl::StatusOr<std::unique_ptr<log::OutboxPublisher>> open_outbox(const ChosenLog& log,
                                                                  const std::string& product);

}  // namespace kappa::cli
