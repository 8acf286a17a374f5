#pragma once

#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

// Why there can be no broker on this machine; empty: there can.
#define KAPPA_NEED_KAFKA()                        \
  do {                                            \
    if (!::kappa::test::why_no_kafka().empty()) { \
      ::kappa::test::say_skipped();               \
      return;                                     \
    }                                             \
  } while (false)

namespace kappa::test {

// A test that needs a broker begins with KAPPA_NEED_KAFKA(): without Java or the jars it ends
// there, and ctest tells that it was skipped and why. Everything here fails the running test case
// on an error, with what the broker or kcat said.
std::string why_no_kafka();
void say_skipped();

// host:port of the broker that ctest starts once for all cases with the fixture `kafka_broker`. Use
// topics of your own (unique_name) and leave the broker alone.
std::string shared_broker();

// `stem` with something behind it that no other case or run has.
std::string unique_name(const std::string& stem);

// A broker of one test's own, which may be killed: Apache Kafka, one node, its data in a directory
// of its own. It ends with this object, or with this process.
class Broker {
 public:
  Broker();   // returns once it is ready
  ~Broker();  // kill -9; its data is removed
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  const std::string& bootstrap() const {
    return bootstrap_;
  }               // host:port, the same after a restart
  void kill();    // kill -9
  void start();   // after kill(): with the data it had; returns once it is ready
  void pause();   // SIGSTOP: connections stay, nothing answers
  void resume();  // SIGCONT

 private:
  std::string directory_;
  std::string bootstrap_;
  pid_t pid_ = -1;
};

// With Kafka's own names of settings, such as {"cleanup.policy", "compact"}.
using TopicSettings = std::map<std::string, std::string>;
// Of a topic that is compacted, but not for years: what its records have been can be counted. (The
// lag counts from the records' timestamps, and theirs are old.)
inline const TopicSettings kCompactedSomeDay = {{"cleanup.policy", "compact"},
                                                {"min.compaction.lag.ms", "900000000000"}};
void create_topic(const std::string& bootstrap, const std::string& topic, int partitions,
                  const TopicSettings& settings = {});
void delete_topic(const std::string& bootstrap, const std::string& topic);

// Runs kcat, an independent client, and returns its standard output: `arguments` follow
// `kcat -b BOOTSTRAP`, `input` goes to its standard input. It is ended after a minute.
std::string kcat(const std::string& bootstrap, const std::vector<std::string>& arguments,
                 const std::string& input = "");
// Returns once no transaction is open in the topic, or after 20 seconds. A commit is answered
// before its markers are in every partition; until then, readers with `read_committed` stop before
// it.
void await_decided(const std::string& bootstrap, const std::string& topic);
// What a reader with `read_committed` finds in all partitions of a topic, once it is decided: a
// line a record, in kcat's format (such as "%o %k %s %h"; kcat -h explains it).
std::vector<std::string> committed_records(const std::string& bootstrap, const std::string& topic,
                                           const std::string& format);

}  // namespace kappa::test
