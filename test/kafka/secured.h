#pragma once

#include <string>
#include <vector>

namespace kappa::test {

// The broker that ctest starts once with the fixture `kafka_secured` (start.sh --secured). Its user
// `kappa` may do nothing but what a test allows it; use topics and products of your own.
struct SecuredBroker {
  std::string plain;      // host:port that may do everything: for the test's own doings
  std::string sasl;       // SASL_SSL, SCRAM-SHA-512
  std::string mutual;     // TLS with certificates on both sides
  std::string directory;  // with what secure.sh has written

  std::string password() const;
  // Librdkafka's properties of the user, as --kafka-config takes them.
  std::string properties(const std::string& password_file, const std::string& ca) const;
  std::string properties() const;         // the right ones
  std::string mutual_properties() const;  // of the client's certificate
};
SecuredBroker secured_broker();

// Adds ACLs of the user. `arguments` in the words of Kafka's own tool: {"--topic", "sales",
// "--operation", "Read"}; resources and operations may be several.
void allow(const SecuredBroker& broker, const std::vector<std::string>& arguments,
           const std::string& principal = "User:kappa");

}  // namespace kappa::test
