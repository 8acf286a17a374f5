#include "engine/cli/log_choice.h"

#include <chrono>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "engine/cli/terminal.h"
#include "engine/log/header_outbox.h"
#include "engine/log/kafka/kafka_log.h"
#include "engine/log/kafka/kafka_outbox.h"
#include "engine/types/status_macros.h"
#include "state/durable_file.h"

namespace kappa::cli {
namespace {

constexpr char kEmbedded[] = "embedded";
constexpr int kFormat = 1;
constexpr std::chrono::seconds kQuietly{1};  // a connection takes a moment
constexpr std::chrono::seconds kTellAgain{10};

// What the file LOG holds. `config` is the path that was given, for commands that come without it.
struct Known {
  std::string identity;
  std::string address;
  std::string config;
};

absl::StatusOr<Known> read_known(const std::string& path) {
  const absl::StatusOr<std::string> text = state::read_file(path);
  if (absl::IsNotFound(text.status())) return Known{};
  KAPPA_RETURN_IF_ERROR(text.status());
  KAPPA_ASSIGN_OR_RETURN(const std::string object, state::open_json(*text, kFormat, path));
  const auto parsed = nlohmann::json::parse(object, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object()) return absl::DataLossError(absl::StrCat(path, ": not an object"));
  return Known{parsed.value("identity", ""), parsed.value("address", ""),
               parsed.value("config", "")};
}

absl::Status write_known(const std::string& path, const Known& known) {
  const nlohmann::json object = {
      {"identity", known.identity}, {"address", known.address}, {"config", known.config}};
  KAPPA_ASSIGN_OR_RETURN(const std::string text, state::seal_json(object.dump(), kFormat));
  return state::replace_file(path, text);
}

absl::StatusOr<log::KafkaOptions> kafka_options(const LogChoice& choice) {
  log::KafkaOptions options;
  absl::StatusOr<std::string> brokers = log::parse_kafka_address(choice.address);
  if (!brokers.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--log ", std::string(brokers.status().message())));
  }
  options.brokers = *std::move(brokers);
  if (!choice.kafka_config.empty()) {
    KAPPA_ASSIGN_OR_RETURN(options.settings, log::read_kafka_config(choice.kafka_config));
  }
  return options;
}

}  // namespace

absl::Status check_log_choice(const LogChoice& choice) {
  // Which one it is, the directory says.
  if (choice.address.empty()) return absl::OkStatus();
  if (choice.address != kEmbedded) return kafka_options(choice).status();
  if (!choice.kafka_config.empty()) {
    return absl::InvalidArgumentError("--kafka-config goes with --log kafka://HOST:PORT");
  }
  if (!choice.at_least_once) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "--at-least-once goes with --log kafka://HOST:PORT: the embedded log has each output once");
}

absl::StatusOr<ChosenLog> open_log(const LogChoice& choice, const state::DataDirectory& directory,
                                   bool has_products, const log::EmbeddedLogOptions& embedded) {
  const std::string path = directory.path() + "/LOG";
  KAPPA_ASSIGN_OR_RETURN(Known known, read_known(path));
  // Directories from before there was a choice.
  if (known.identity.empty() && has_products) known.identity = kEmbedded;
  LogChoice chosen = choice;
  if (chosen.address.empty()) {
    chosen.address = known.address.empty() ? kEmbedded : known.address;
    if (chosen.kafka_config.empty()) chosen.kafka_config = known.config;
  }
  KAPPA_RETURN_IF_ERROR(check_log_choice(chosen));
  ChosenLog opened;
  opened.address = chosen.address;
  if (chosen.address == kEmbedded) {
    KAPPA_ASSIGN_OR_RETURN(auto log, log::open_embedded_log(directory.log_path(), embedded));
    opened.cut_tails = log->cut_tails();
    opened.log = std::move(log);
  } else {
    KAPPA_ASSIGN_OR_RETURN(log::KafkaOptions options, kafka_options(chosen));
    KAPPA_ASSIGN_OR_RETURN(opened.log, log::open_kafka_log(std::move(options)));
  }
  const absl::StatusOr<std::string> identity =
      runtime::with_patience(patience_of(chosen), [&] { return opened.log->identity(); });
  if (!identity.ok()) {
    return absl::Status(identity.status().code(),
                        absl::StrCat(chosen.address, ": ", identity.status().message()));
  }
  if (!known.identity.empty() && known.identity != *identity) {
    return absl::FailedPreconditionError(absl::StrCat(
        "--log ", chosen.address, " is ", *identity, ", but the state in ", directory.path(),
        " was made from ", known.identity, " (", known.address.empty() ? kEmbedded : known.address,
        "): name that log, or start again with another --data"));
  }
  if (known.identity != *identity || known.address != chosen.address ||
      known.config != chosen.kafka_config) {
    KAPPA_RETURN_IF_ERROR(write_known(path, {*identity, chosen.address, chosen.kafka_config}));
  }
  opened.choice = std::move(chosen);
  return opened;
}

bool is_kafka(const LogChoice& choice) {
  return !choice.address.empty() && choice.address != kEmbedded;
}

absl::StatusOr<LogChoice> log_of_directory(const std::string& data) {
  KAPPA_ASSIGN_OR_RETURN(Known known, read_known(absl::StrCat(data, "/LOG")));
  LogChoice choice;
  choice.address = std::move(known.address);
  choice.kafka_config = std::move(known.config);
  return choice;
}

absl::StatusOr<std::unique_ptr<log::AccessProbe>> open_access_probe(const LogChoice& choice) {
  KAPPA_ASSIGN_OR_RETURN(const log::KafkaOptions kafka, kafka_options(choice));
  return log::AccessProbe::make(kafka.brokers, kafka.settings);
}

runtime::Patience patience_of(const LogChoice& choice) {
  using std::chrono::steady_clock;
  runtime::Patience patience;
  patience.longest = std::chrono::seconds(choice.wait_s);
  patience.waiting = [address = choice.address, told = steady_clock::time_point()](
                         const absl::Status& trouble, std::chrono::milliseconds waited) mutable {
    const auto now = steady_clock::now();
    if (waited < kQuietly || now - told < kTellAgain) return;
    note(absl::StrCat("kappa: waiting for ", address, ": ", trouble.message(), "\n"));
    told = now;
  };
  return patience;
}

absl::StatusOr<std::unique_ptr<log::OutboxPublisher>> open_outbox(const ChosenLog& log,
                                                                  const std::string& product) {
  if (log.address == kEmbedded) {
    return std::make_unique<log::HeaderOutbox>(product, log.log.get());
  }
  KAPPA_ASSIGN_OR_RETURN(log::KafkaOptions kafka, kafka_options(log.choice));
  log::KafkaOutboxOptions options;
  options.brokers = std::move(kafka.brokers);
  options.settings = std::move(kafka.settings);
  options.product = product;
  options.transactions = !log.choice.at_least_once;
  options.log_line = [](std::string_view line) {
    note(absl::StrCat("kappa: ", std::string(line), "\n"));
  };
  return log::make_kafka_outbox(std::move(options));
}

}  // namespace kappa::cli
