#include "engine/cli/commands/declare_common.h"

#include <algorithm>
#include <cmath>

#include <CLI/CLI.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/types/datetime.h"

namespace kappa::cli {
namespace {

CLI::Validator a_time() {
  const auto is_one = [](const std::string& text) {
    if (parse_timestamp(text).value_or(-1) >= 0) return std::string();
    return absl::StrCat("expected a time from 1970 on, as 2026-11-01 or 2026-11-01T08:00:00Z, got ",
                        text);
  };
  return {is_one, ""};
}

}  // namespace

CLI::App& declare_command(CLI::App& parent, const std::string& name, const std::string& what,
                          const std::string& examples) {
  CLI::App* command = parent.add_subcommand(name, what);
  command->footer("Examples:\n" + examples);
  return *command;
}

CLI::Validator whole_number(int64_t least, int64_t most) {
  const std::string range = most == kNoLimit ? absl::StrCat("of at least ", least)
                                             : absl::StrCat("from ", least, " to ", most);
  const auto is_one = [least, most, range](const std::string& text) {
    int64_t value = 0;
    if (absl::SimpleAtoi(text, &value) && value >= least && value <= most) return std::string();
    return absl::StrCat("expected a whole number ", range, ", got ", text);
  };
  return {is_one, ""};
}

CLI::Validator more_than_zero() {
  const auto is_one = [](const std::string& text) {
    double value = 0;
    if (absl::SimpleAtod(text, &value) && std::isfinite(value) && value > 0) return std::string();
    return absl::StrCat("expected a number above 0, got ", text);
  };
  return {is_one, ""};
}

CLI::Option* within(CLI::Option* option, int64_t least, int64_t most) {
  return option->check(whole_number(least, most))->type_name("N")->capture_default_str();
}

CLI::Option* declare_words(CLI::App& command, const std::string& name,
                           const std::vector<std::string>& words,
                           const std::function<void(size_t)>& choose, const std::string& what) {
  const auto take = [words, choose](const std::string& text) {
    const auto word = std::find(words.begin(), words.end(), text);
    if (word != words.end()) choose(static_cast<size_t>(word - words.begin()));
  };
  const auto is_choice = [words](const std::string& text) {
    if (std::find(words.begin(), words.end(), text) != words.end()) return std::string();
    return absl::StrCat("expected ", absl::StrJoin(words, " or "), ", got ", text);
  };
  return command.add_option_function<std::string>(name, take, what)
      ->check(CLI::Validator(is_choice, ""))
      ->type_name(absl::StrJoin(words, "|"));
}

void declare_output(CLI::App& command, OutputFormat& value, std::string& config) {
  declare_choice(command, "--output", value,
                 {{"table", OutputFormat::kTable}, {"json", OutputFormat::kJson}}, "how to print");
  command.add_option("--config", config, "a YAML file with settings (KAPPA_CONFIG)")
      ->type_name("FILE")
      ->configurable(false);
}

void declare_log_choice(CLI::App& command, LogChoice& value) {
  command
      .add_option("--log", value.address,
                  "embedded, or kafka://HOST:PORT[,HOST:PORT…]; default: as the data directory "
                  "says, else embedded")
      ->type_name("LOG");
  command
      .add_option("--kafka-config", value.kafka_config,
                  "librdkafka's properties, name=value a line (engine/log/kafka/README.md)")
      ->type_name("FILE");
  within(command.add_option(
             "--log-wait-s", value.wait_s,
             "how long a Kafka that does not answer is waited for at the start; 0: not at all"),
         0, 1'000'000'000);
}

void declare_service(CLI::App& command, ServiceOptions& value) {
  DeploymentOptions& deployment = value.deployment;
  command.add_option("--data", deployment.data, "the data directory")
      ->type_name("DIR")
      ->capture_default_str();
  declare_log_choice(command, deployment.log);
  command.add_flag("--at-least-once", deployment.log.at_least_once,
                   "publish outputs to Kafka without transactions");
  command.add_option("--listen", value.listen, "where gRPC listens; port 0: any")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  command.add_option("--http", value.http, "where HTTP listens (/metrics, /livez, /readyz)")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  within(command.add_option("--workers", deployment.workers, "threads that apply records"), 1, 128);
  within(
      command.add_option("--partitions", deployment.partitions, "of topics that have to be made"),
      1, 1000);
  within(command.add_option("--checkpoint-interval-ms", deployment.checkpoint_interval_ms,
                            "time between checkpoints"),
         10, 3'600'000);
  declare_choice(
      command, "--fsync", deployment.fsync,
      {{"on-sync", log::Fsync::kOnSync},
       {"interval", log::Fsync::kInterval},
       {"always", log::Fsync::kAlways}},
      "when the log is synced: with checkpoints and when asked (the default), every 100 ms "
      "too, before each append returns");
  command.add_option("--tls-cert", value.tls.certificate, "the server's certificate, PEM")
      ->type_name("FILE");
  command.add_option("--tls-key", value.tls.key, "its key, PEM")->type_name("FILE");
  command.add_option("--tls-client-ca", value.tls.client_ca, "clients need a certificate of it")
      ->type_name("FILE");
  command.add_option("--tokens", value.tokens_file, "who may do what (engine/serve/README.md)")
      ->type_name("FILE");
  command
      .add_option("--pseudonym-key", value.pseudonym_key_file,
                  "holds the key of pseudonyms in hex, 64 digits or more (openssl rand -hex 32); "
                  "default: a random one, which changes with every start")
      ->type_name("FILE");
  command.add_flag("--raw-ids", value.raw_ids,
                   "without --tokens: callers see the ids of cards and customers as they are");
  command.add_flag("--insecure", value.insecure, "listen beyond this machine without TLS");
}

void declare_connect(CLI::App& command, ConnectOptions& value) {
  // Two ways to say the same thing, so who gives one with a flag has chosen against the other.
  CLI::Option* server =
      command
          .add_option("--server", value.client.server,
                      "a running kappa; default: whoever holds the data directory, else nobody")
          ->type_name("HOST:PORT");
  command.add_option("--data", value.data, "the data directory")
      ->type_name("DIR")
      ->capture_default_str()
      ->excludes(server);
  within(command.add_option("--timeout-ms", value.client.timeout_ms, "longest wait for an answer"),
         1, 86'400'000);
  command.add_option("--tls-ca", value.client.ca_file, "the authority of the server's certificate")
      ->type_name("FILE");
  command.add_option("--client-cert", value.client.certificate_file, "a certificate of our own")
      ->type_name("FILE");
  command.add_option("--client-key", value.client.key_file, "its key")->type_name("FILE");
  command.add_option("--token-file", value.client.token_file, "holds a bearer token")
      ->type_name("FILE");
  command.add_flag("--insecure", value.client.insecure, "no TLS beyond this machine");
}

void declare_product_name(CLI::App& command, std::string& value) {
  command.add_option("--product", value, "the product's name, if there are several")
      ->configurable(false)
      ->type_name("NAME");
}

void declare_course(CLI::App& command, CourseOptions& value) {
  command
      .add_option(
          "--from", value.from,
          "begin with the first record that is not earlier, as 2026-11-01 or 2026-11-01T08:00:00Z")
      ->configurable(false)
      ->check(a_time())
      ->type_name("TIME");
  command
      .add_option("--order", value.order,
                  "journal: as the live generation took the records; log-time: by their timestamps")
      ->configurable(false)
      ->check(CLI::IsMember({"journal", "log-time"}))
      ->type_name("ORDER");
  command
      .add_flag("--recompute-all", value.recompute_all,
                "compute views that do not change, too, instead of bringing their state along")
      ->configurable(false);
}

std::vector<CommandWords> command_words(const CLI::App& app) {
  std::vector<CommandWords> words;
  for (const CLI::App* command : app.get_subcommands({})) {
    CommandWords entry{command->get_name(), {}, {}};
    for (const CLI::Option* option : command->get_options()) {
      for (const std::string& name : option->get_lnames()) entry.options.push_back("--" + name);
    }
    for (CommandWords& below : command_words(*command)) {
      entry.commands.push_back(below.name);
      for (std::string& option : below.options) {
        if (std::find(entry.options.begin(), entry.options.end(), option) == entry.options.end()) {
          entry.options.push_back(std::move(option));
        }
      }
    }
    words.push_back(std::move(entry));
  }
  return words;
}

}  // namespace kappa::cli
