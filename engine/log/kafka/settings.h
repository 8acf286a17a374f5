#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

struct rd_kafka_conf_s;

namespace kappa::log {

// librdkafka's configuration properties, by name.
using KafkaSettings = std::vector<std::pair<std::string, std::string>>;

// "host:port[,host:port]" of "kafka://host:port[,host:port]". InvalidArgument says what is wrong.
absl::StatusOr<std::string> parse_kafka_address(std::string_view address);

// Reads a file of librdkafka's properties, `name=value` a line; empty lines and lines that begin
// with # count for nothing. A secret may stand in a file of its own: `sasl.password.file=PATH` is
// the first line of that file, and so for every property that is_secret().
// InvalidArgument names FILE:LINE: no such property, a value that it cannot have, or a property
// that is ours to set. No message holds the value of a secret.
absl::StatusOr<KafkaSettings> read_kafka_config(const std::string& path);

// Whether the value of a property must not be shown to anybody.
bool is_secret(std::string_view name);

// kProbe: a producer of records that no broker takes (access_probe.h).
enum class KafkaRole { kConsumer, kProducer, kProbe };

// A configuration for a client of that role: what correctness needs, defaults, `given` above the
// defaults. The caller owns it. InvalidArgument names the property.
absl::StatusOr<rd_kafka_conf_s*> make_conf(KafkaRole role, const std::string& brokers,
                                           const KafkaSettings& given);

}  // namespace kappa::log
