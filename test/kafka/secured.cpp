#include "test/kafka/secured.h"

#include <cstdlib>
#include <fstream>

#include <catch2/catch.hpp>

#include "test/kafka/broker.h"

namespace kappa::test {
namespace {

const std::string kDirectory = KAPPA_KAFKA_DIR;

std::string line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  INFO("run it by ctest, or call test/kafka/start.sh --secured; " << path);
  REQUIRE_FALSE(line.empty());
  return line;
}

std::string quoted(const std::string& word) {
  return "'" + word + "'";
}

}  // namespace

SecuredBroker secured_broker() {
  const std::string directory = kDirectory + "/secured";
  return {line_of(directory + "/bootstrap"), line_of(directory + "/sasl"),
          line_of(directory + "/mutual"), directory};
}

std::string SecuredBroker::password() const {
  return line_of(directory + "/password");
}

std::string SecuredBroker::properties(const std::string& password_file,
                                      const std::string& ca) const {
  return "security.protocol=sasl_ssl\nsasl.mechanism=SCRAM-SHA-512\nsasl.username=kappa\n"
         "sasl.password.file=" +
         password_file + "\nssl.ca.location=" + ca + "\n";
}

std::string SecuredBroker::properties() const {
  return properties(directory + "/password", directory + "/tls/ca.pem");
}

std::string SecuredBroker::mutual_properties() const {
  const std::string tls = directory + "/tls/";
  return "security.protocol=ssl\nssl.ca.location=" + tls +
         "ca.pem\nssl.certificate.location=" + tls + "client.pem\nssl.key.location=" + tls +
         "client.key\n";
}

void allow(const SecuredBroker& broker, const std::vector<std::string>& arguments,
           const std::string& principal) {
  // librdkafka 2.0.2 knows no ACLs on transactional ids.
  std::string command = "java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp " +
                        quoted(kDirectory + "/lib/*") +
                        " kafka.admin.AclCommand --bootstrap-server " + broker.plain +
                        " --add --allow-principal " + quoted(principal);
  for (const std::string& argument : arguments) command += " " + quoted(argument);
  const std::string said = broker.directory + "/acl-" + unique_name("said");
  INFO(command);
  REQUIRE(std::system((command + " >" + said + " 2>&1").c_str()) == 0);
}

}  // namespace kappa::test
