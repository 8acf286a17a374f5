#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/log/kafka/consumer_shelf.h"
#include "engine/log/kafka/settings.h"
#include "engine/log/kafka/topic_catalog.h"

namespace kappa::log {

// Finds out what the brokers allow, by asking for it in ways that leave nothing behind. librdkafka
// 2.0.2 cannot ask which operations are allowed, and DescribeAcls needs a right that few have.
//
// Each answer is OK; PermissionDenied, by the ACL that is missing; or why it cannot be told
// (Unavailable, NotFound). A question takes ten seconds at most. One thread.
class AccessProbe {
 public:
  // InvalidArgument: a property, by name.
  static absl::StatusOr<std::unique_ptr<AccessProbe>> make(const std::string& brokers,
                                                           const KafkaSettings& settings);

  // Describe and Read: a fetch behind the topic's last record.
  absl::Status read(const std::string& topic);
  // Write: a record with a number of acknowledgements that there is not. Brokers look at the right
  // first, and then refuse the record.
  absl::Status write(const std::string& topic);
  // Create: a topic that is only validated.
  absl::Status create(const std::string& topic);
  // Describe and Write on a transactional id: a producer whose transactions would last longer than
  // brokers let them. They look at the right first, and a producer that has the id is not fenced.
  absl::Status transactions(const std::string& transactional_id);

 private:
  AccessProbe(Client::Options client) : client_(std::move(client)), consumers_(client_) {}

  const Client::Options client_;
  ConsumerShelf consumers_;
  TopicCatalog topics_{&consumers_};
};

}  // namespace kappa::log
