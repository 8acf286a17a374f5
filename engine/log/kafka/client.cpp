#include "engine/log/kafka/client.h"

#include <utility>

#include <librdkafka/rdkafka.h>

#include "absl/strings/str_cat.h"
#include "engine/log/kafka/errors.h"
#include "engine/types/status_macros.h"

namespace kappa::log {
namespace {

constexpr std::chrono::seconds kTroubleLasts{10};
constexpr size_t kWhyBytes = 512;

}  // namespace

// The functions that librdkafka calls. They are on its threads, or on that of poll().
struct Client::Callbacks {
  static Client& of(void* opaque) { return *static_cast<Client*>(opaque); }

  static void log(const rd_kafka_t* client, int, const char* facility, const char* text) {
    // It warns of each property that is for the other role; the same file serves both.
    if (std::string_view(facility) == "CONFWARN") return;
    const Client& self = of(rd_kafka_opaque(client));
    if (self.options_.log_line) self.options_.log_line(absl::StrCat(facility, ": ", text));
  }
  static void error(rd_kafka_t*, int error, const char* reason, void* opaque) {
    of(opaque).note_trouble(error, reason);
  }
  static int statistics(rd_kafka_t*, char* json, size_t size, void* opaque) {
    of(opaque).take_statistics({json, size});
    return 0;  // it frees the text itself
  }
  static void commit(rd_kafka_t*, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t*,
                     void* opaque) {
    if (error) of(opaque).options_.on_group_error(error);
  }
  static void delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
    of(opaque).options_.on_delivery(*message);
  }
};

absl::StatusOr<std::unique_ptr<Client>> Client::make(Options options) {
  std::unique_ptr<Client> client(new Client(std::move(options)));
  const Options& given = client->options_;
  KAPPA_ASSIGN_OR_RETURN(rd_kafka_conf_t * conf,
                         make_conf(given.role, given.brokers, given.settings));
  rd_kafka_conf_set_opaque(conf, client.get());
  rd_kafka_conf_set_log_cb(conf, &Callbacks::log);
  rd_kafka_conf_set_error_cb(conf, &Callbacks::error);
  rd_kafka_conf_set_stats_cb(conf, &Callbacks::statistics);
  if (given.on_delivery) rd_kafka_conf_set_dr_msg_cb(conf, &Callbacks::delivery);
  char why[kWhyBytes];
  if (!given.group.empty()) {
    rd_kafka_conf_set(conf, "group.id", given.group.c_str(), why, sizeof(why));
    rd_kafka_conf_set_offset_commit_cb(conf, &Callbacks::commit);
    // Nobody joins the group. It is how long a commit waits for the group's coordinator, and the
    // client's end for the commit, where brokers do not tell who it is.
    rd_kafka_conf_set(conf, "session.timeout.ms", "1000", why, sizeof(why));
  }
  const bool consumer = given.role == KafkaRole::kConsumer;
  client->client_ =
      rd_kafka_new(consumer ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf, why, sizeof(why));
  if (!client->client_) {
    rd_kafka_conf_destroy(conf);
    return absl::InvalidArgumentError(absl::StrCat("librdkafka: ", why));
  }
  // What a group's coordinator says comes as a message; so the callbacks do, then.
  if (!given.group.empty()) rd_kafka_poll_set_consumer(client->client_);
  return client;
}

Client::~Client() {
  // Without a consumer's orderly leave: we are in no group, and on 2.0.2 it can hang when a topic
  // is gone.
  if (client_) rd_kafka_destroy_flags(client_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

void Client::poll(std::chrono::milliseconds wait) const {
  if (options_.group.empty()) {
    rd_kafka_poll(client_, static_cast<int>(wait.count()));
    return;
  }
  rd_kafka_message_t* said = rd_kafka_consumer_poll(client_, static_cast<int>(wait.count()));
  if (!said) return;
  if (said->err) options_.on_group_error(said->err);
  rd_kafka_message_destroy(said);
}

void Client::note_trouble(int error, std::string_view reason) {
  const std::lock_guard lock(mutex_);
  trouble_at_ = std::chrono::steady_clock::now();
  // That no broker is left follows what has been said of each.
  if (!trouble_.empty() && error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) return;
  trouble_ = absl::StrCat(std::string(reason), " (",
                          rd_kafka_err2name(static_cast<rd_kafka_resp_err_t>(error)), ")");
  refusal_ = refusal_of(error, reason);
}

std::string Client::trouble() const {
  const std::lock_guard lock(mutex_);
  const bool late = std::chrono::steady_clock::now() - trouble_at_ < kTroubleLasts;
  return late ? trouble_ : "";
}

absl::Status Client::refusal() const {
  const std::lock_guard lock(mutex_);
  const bool late = std::chrono::steady_clock::now() - trouble_at_ < kTroubleLasts;
  return late ? refusal_ : absl::OkStatus();
}

void Client::take_statistics(std::string_view json) {
  auto parsed = std::make_shared<ClientStatistics>(parse_statistics(json));
  const std::lock_guard lock(mutex_);
  // Out of reach twice in a row: a partition has no leader either while it is being looked for.
  std::map<TopicPartition, std::string> silent;
  for (auto& [partition, of] : parsed->partitions) {
    if (of.out_of_reach.empty()) continue;
    silent[partition] = of.out_of_reach;
    if (!silent_.contains(partition)) of.out_of_reach.clear();
  }
  silent_ = std::move(silent);
  statistics_ = std::move(parsed);
}

std::shared_ptr<const ClientStatistics> Client::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

}  // namespace kappa::log
