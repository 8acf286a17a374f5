#include "engine/log/kafka/settings.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <span>

#include <librdkafka/rdkafka.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/types/status_macros.h"

namespace kappa::log {
namespace {

struct Setting {
  const char* name;
  const char* value;
};

// What the answer depends on. Nobody else may set these.
constexpr Setting kFixedForBoth[] = {
    {"client.id", "kappa"}, {"statistics.interval.ms", "1000"},  // figures, and who is out of reach
};
constexpr Setting kFixedForConsumers[] = {
    {"isolation.level", "read_committed"},
    {"enable.auto.commit", "false"},
    {"auto.commit.enable", "false"},
    {"enable.auto.offset.store", "false"},
    {"auto.offset.reset", "error"},
    {"enable.partition.eof", "true"},
    {"check.crcs", "true"},
    {"allow.auto.create.topics", "false"},
};
constexpr Setting kFixedForProducers[] = {
    {"enable.idempotence", "true"},
};
constexpr Setting kFixedForProbes[] = {
    {"acks", "2"},  // brokers know 0, 1 and all
};

// Starting points; measured where README.md says so.
constexpr Setting kDefaultsForBoth[] = {
    {"socket.nagle.disable", "true"},
    {"socket.timeout.ms", "10000"},
    {"reconnect.backoff.max.ms", "1000"},
    {"topic.metadata.refresh.interval.ms", "10000"},
};
constexpr Setting kDefaultsForConsumers[] = {
    {"fetch.wait.max.ms", "100"},
    {"fetch.error.backoff.ms", "100"},
    // What is queued goes round in memory: little enough that it is not cold, nor fresh each time.
    {"max.partition.fetch.bytes", "1048576"},
    {"fetch.max.bytes", "67108864"},
    {"queued.min.messages", "1000000"},
    {"queued.max.messages.kbytes", "4096"},
};
// As above, of later versions than 2.0.2, which has none.
constexpr Setting kDefaultsForLaterConsumers[] = {
    {"fetch.queue.backoff.ms", "10"},  // when to look again at a full queue: see fetch_waker.h
};
constexpr Setting kDefaultsForProducers[] = {
    {"linger.ms", "1"},
    {"message.timeout.ms", "30000"},
};

// Set by other means: the address, groups and transactions.
constexpr std::array kElsewhere = {"bootstrap.servers", "metadata.broker.list", "group.id",
                                   "group.instance.id", "transactional.id",     "log.queue"};

bool names(std::span<const Setting> settings, std::string_view name) {
  return std::any_of(settings.begin(), settings.end(),
                     [&](const Setting& setting) { return name == setting.name; });
}

bool is_ours(std::string_view name) {
  return names(kFixedForBoth, name) || names(kFixedForConsumers, name) ||
         names(kFixedForProducers, name) ||
         std::find(kElsewhere.begin(), kElsewhere.end(), name) != kElsewhere.end();
}

absl::Status set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  char why[512];
  if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why, sizeof(why)) == RD_KAFKA_CONF_OK) {
    return absl::OkStatus();
  }
  if (is_secret(name)) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": librdkafka does not take this value"));
  }
  return absl::InvalidArgumentError(absl::StrCat(name, ": ", why));
}

absl::StatusOr<std::string> read_secret(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!file || !std::getline(file, line)) {
    return absl::InvalidArgumentError(absl::StrCat("cannot read a secret from ", path));
  }
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

absl::StatusOr<std::pair<std::string, std::string>> parse_line(std::string_view line) {
  const size_t equals = line.find('=');
  if (equals == std::string_view::npos) {
    return absl::InvalidArgumentError("expected name=value, found no \"=\"");
  }
  const auto text = [](std::string_view part) {
    return std::string(absl::StripAsciiWhitespace(absl::string_view(part.data(), part.size())));
  };
  std::string name = text(line.substr(0, equals));
  std::string value = text(line.substr(equals + 1));
  constexpr std::string_view kFile = ".file";
  if (name.ends_with(kFile) && is_secret(name.substr(0, name.size() - kFile.size()))) {
    name.resize(name.size() - kFile.size());
    KAPPA_ASSIGN_OR_RETURN(value, read_secret(value));
  }
  if (is_ours(name)) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " is set by kappa itself: take the line out"));
  }
  return std::pair(std::move(name), std::move(value));
}

using Conf = std::unique_ptr<rd_kafka_conf_t, decltype(&rd_kafka_conf_destroy)>;

absl::Status set_all(rd_kafka_conf_t* conf, std::span<const Setting> settings) {
  for (const Setting& setting : settings) {
    KAPPA_RETURN_IF_ERROR(set(conf, setting.name, setting.value));
  }
  return absl::OkStatus();
}

absl::Status set_known(rd_kafka_conf_t* conf, std::span<const Setting> settings) {
  size_t size = 0;
  for (const Setting& setting : settings) {
    if (rd_kafka_conf_get(conf, setting.name, nullptr, &size) == RD_KAFKA_CONF_UNKNOWN) continue;
    KAPPA_RETURN_IF_ERROR(set(conf, setting.name, setting.value));
  }
  return absl::OkStatus();
}

}  // namespace

bool is_secret(std::string_view name) {
  return name.ends_with("password") || name.ends_with("secret") || name.ends_with("key.pem") ||
         name == "sasl.oauthbearer.config";
}

absl::StatusOr<std::string> parse_kafka_address(std::string_view address) {
  constexpr std::string_view kScheme = "kafka://";
  const auto wrong = [&](std::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat(
        absl::string_view(address.data(), address.size()), ": ",
        absl::string_view(what.data(), what.size()), "; expected kafka://HOST:PORT[,HOST:PORT…]"));
  };
  if (!address.starts_with(kScheme)) return wrong("this is no address of a log");
  const std::string brokers(address.substr(kScheme.size()));
  // It would be taken for a host's name, and shown.
  if (absl::StrContains(brokers, '@')) {
    return absl::InvalidArgumentError(
        "kafka://…@…: users and passwords belong into the file of --kafka-config");
  }
  for (const absl::string_view broker : absl::StrSplit(brokers, ',')) {
    const size_t colon = broker.rfind(':');
    uint32_t port = 0;
    if (colon == absl::string_view::npos || colon == 0)
      return wrong("a broker has no host and port");
    if (!absl::SimpleAtoi(broker.substr(colon + 1), &port) || port == 0 || port > 65535) {
      return wrong("a broker's port is none");
    }
    if (absl::StrContains(broker, '/')) return wrong("there is a path in it");
  }
  return brokers;
}

absl::StatusOr<KafkaSettings> read_kafka_config(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::InvalidArgumentError(absl::StrCat("cannot read ", path));
  const Conf scratch(rd_kafka_conf_new(), &rd_kafka_conf_destroy);
  KafkaSettings settings;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    const absl::string_view stripped = absl::StripAsciiWhitespace(line);
    if (stripped.empty() || stripped.front() == '#') continue;
    auto setting = parse_line({stripped.data(), stripped.size()});
    absl::Status status = setting.status();
    if (status.ok()) status = set(scratch.get(), setting->first, setting->second);
    if (!status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(path, ":", number, ": ", status.message()));
    }
    settings.push_back(*std::move(setting));
  }
  return settings;
}

absl::StatusOr<rd_kafka_conf_s*> make_conf(KafkaRole role, const std::string& brokers,
                                           const KafkaSettings& given) {
  const bool consumer = role == KafkaRole::kConsumer;
  Conf conf(rd_kafka_conf_new(), &rd_kafka_conf_destroy);
  KAPPA_RETURN_IF_ERROR(set_all(conf.get(), kDefaultsForBoth));
  KAPPA_RETURN_IF_ERROR(consumer ? set_all(conf.get(), kDefaultsForConsumers)
                                 : set_all(conf.get(), kDefaultsForProducers));
  if (consumer) KAPPA_RETURN_IF_ERROR(set_known(conf.get(), kDefaultsForLaterConsumers));
  for (const auto& [name, value] : given) KAPPA_RETURN_IF_ERROR(set(conf.get(), name, value));
  KAPPA_RETURN_IF_ERROR(set_all(conf.get(), kFixedForBoth));
  if (role == KafkaRole::kProbe) {
    KAPPA_RETURN_IF_ERROR(set_all(conf.get(), kFixedForProbes));
  } else {
    KAPPA_RETURN_IF_ERROR(consumer ? set_all(conf.get(), kFixedForConsumers)
                                   : set_all(conf.get(), kFixedForProducers));
  }
  KAPPA_RETURN_IF_ERROR(set(conf.get(), "bootstrap.servers", brokers));
  return conf.release();
}

}  // namespace kappa::log
