#include "engine/cli/commands/topics_create.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/cli/compiled_product.h"
#include "engine/cli/confirm.h"
#include "engine/cli/table.h"
#include "engine/cli/topic_needs.h"
#include "engine/cli/value_json.h"
#include "engine/types/datetime.h"
#include "engine/types/status_macros.h"

namespace kappa::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr int32_t kSourcePartitions = 4;  // as `serve` makes them

// A topic that is needed, for all its uses, and what the log has of that name.
struct Wanted {
  std::string topic;
  std::vector<std::string> uses;  // "shop: source"
  log::TopicConfig config;        // to make it with
  bool source = false;
  std::optional<log::TopicConfig> there;
  std::vector<std::string> differences;

  char sign() const { return !there ? '+' : differences.empty() ? '=' : '~'; }
};

std::string retention_text(const log::TopicConfig& config) {
  const bool limited = config.retention_ms || config.retention_bytes;
  if (config.compacted.value_or(false) && !limited) return "the last of each key";
  const std::string time = config.retention_ms
                               ? interval_to_text(*config.retention_ms * kMicrosPerMilli)
                               : std::string("for ever");
  if (!config.retention_bytes) return time;
  return absl::StrCat(time, ", ", *config.retention_bytes, " bytes a partition");
}

void compare(const TopicsOptions& options, Wanted* wanted) {
  const log::TopicConfig& there = *wanted->there;
  const log::TopicConfig& want = wanted->config;
  // How many partitions a source has is whoever's who made it, unless a number was asked for.
  const bool any_number = wanted->source && options.partitions == 0;
  if (!any_number && there.partitions != want.partitions) {
    wanted->differences.push_back(
        absl::StrCat("would be made with ", want.partitions,
                     want.partitions == 1 ? " partition" : " partitions"));
  }
  if (want.compacted.value_or(false) && !there.compacted.value_or(true)) {
    wanted->differences.push_back("would be compacted");
  }
  if (there.retention_ms != want.retention_ms || there.retention_bytes != want.retention_bytes) {
    wanted->differences.push_back(absl::StrCat("would be kept ", retention_text(want)));
  }
}

std::vector<Wanted> find_wanted(const TopicsOptions& options, bool on_kafka,
                                const std::vector<CompiledProduct>& products,
                                const std::vector<serve::TopicStatus>& topics) {
  const int32_t partitions = options.partitions > 0 ? options.partitions : kSourcePartitions;
  std::vector<Wanted> all;
  std::map<std::string, size_t> index;
  for (const CompiledProduct& product : products) {
    std::vector<TopicNeed> needs = topic_needs(product.name, product.plan, partitions);
    if (on_kafka) needs.push_back(outbox_place_need(product.name));
    for (const TopicNeed& need : needs) {
      const auto [at, is_new] = index.emplace(need.topic, all.size());
      if (is_new) all.push_back({need.topic, {}, {}, false, {}, {}});
      Wanted& wanted = all[at->second];
      wanted.uses.push_back(absl::StrCat(need.product, ": ", role_text(need.role)));
      wanted.config.partitions = std::max(wanted.config.partitions, need.partitions);
      if (options.replication > 0) wanted.config.replication = options.replication;
      if (need.compacted) wanted.config.compacted = true;
      wanted.source = wanted.source || need.role == TopicNeed::Role::kSource;
    }
  }
  for (const serve::TopicStatus& topic : topics) {
    const auto at = index.find(topic.info.name);
    if (at == index.end()) continue;
    Wanted& wanted = all[at->second];
    wanted.there = topic.info.config;
    compare(options, &wanted);
  }
  return all;
}

void print_wanted(const std::vector<Wanted>& all) {
  Table table;
  table.columns = {{""}, {"topic"}, {"for"}, {"partitions", true}, {"retention"}, {"differs"}};
  for (const Wanted& wanted : all) {
    const log::TopicConfig& shown = wanted.there ? *wanted.there : wanted.config;
    table.rows.push_back({std::string(1, wanted.sign()), wanted.topic,
                          absl::StrJoin(wanted.uses, ", "), absl::StrCat(shown.partitions),
                          retention_text(shown), absl::StrJoin(wanted.differences, "; ")});
  }
  print_table(table);
}

Json to_json(const Wanted& wanted) {
  const log::TopicConfig& shown = wanted.there ? *wanted.there : wanted.config;
  Json json;
  json["topic"] = wanted.topic;
  json["state"] = !wanted.there ? "new" : wanted.differences.empty() ? "there" : "differs";
  json["for"] = wanted.uses;
  json["partitions"] = shown.partitions;
  json["retention_ms"] = shown.retention_ms ? Json(*shown.retention_ms) : Json();
  json["retention_bytes"] = shown.retention_bytes ? Json(*shown.retention_bytes) : Json();
  json["compacted"] = shown.compacted ? Json(*shown.compacted) : Json();
  json["differences"] = wanted.differences;
  return json;
}

absl::Status make(serve::Client& client, const std::vector<Wanted>& all) {
  for (const Wanted& wanted : all) {
    if (wanted.there) continue;
    KAPPA_RETURN_IF_ERROR(client.create_topic(wanted.topic, wanted.config));
  }
  return absl::OkStatus();
}

std::string counted(size_t number, const std::string& what) {
  return absl::StrCat(number, number == 1 ? " topic " : " topics ", what);
}

}  // namespace

int create_topics(const TopicsOptions& options) {
  if (options.products.empty()) {
    report("topics create: name a product's directory with --product");
    return kExitUsage;
  }
  if (!options.retention.empty() || options.retention_bytes > 0) {
    report("topics create: --retention goes with --create TOPIC; products' topics keep everything");
    return kExitUsage;
  }
  const auto products = compile_products(options.products);
  if (!products.ok()) {
    report(products.status());
    return kExitUsage;
  }
  const absl::Status log = check_log_choice(options.connect.log);
  if (!log.ok()) {
    report(log);
    return kExitUsage;
  }
  ConnectOptions connect = options.connect;
  connect.command = "kappa topics create";
  connect.makes_directory = true;
  const auto connection = Connection::open(std::move(connect));
  if (!connection.ok()) return report(connection.status());
  serve::Client& client = (*connection)->client();
  const auto topics = client.topics();
  if (!topics.ok()) return report(topics.status());

  // A server elsewhere does not say what its log is; it makes the outbox's topic itself.
  const bool here = options.connect.client.server.empty();
  const auto chosen = here ? log_of_directory(options.connect.data) : LogChoice();
  if (!chosen.ok()) return report(chosen.status());
  const std::vector<Wanted> all = find_wanted(options, is_kafka(*chosen), *products, *topics);
  if (options.output == OutputFormat::kJson) {
    Json json = Json::array();
    for (const Wanted& wanted : all) json.push_back(to_json(wanted));
    print(json_text(json));
  } else {
    print_wanted(all);
  }
  const auto with_sign = [&](char sign) {
    return static_cast<size_t>(std::count_if(
        all.begin(), all.end(), [&](const Wanted& wanted) { return wanted.sign() == sign; }));
  };
  if (const size_t different = with_sign('~'); different > 0) {
    note(absl::StrCat("kappa: ",
                      counted(different, different == 1 ? "differs and is left as it is\n"
                                                        : "differ and are left as they are\n")));
  }
  const size_t missing = with_sign('+');
  if (missing == 0) {
    note("kappa: every topic is there\n");
    return kExitOk;
  }
  if (!options.yes) {
    if (!can_ask()) {
      note(absl::StrCat("kappa: ",
                        counted(missing, "would be made; nothing is done without --yes\n")));
      return kExitUsage;
    }
    const std::string question =
        absl::StrCat("make ", missing, missing == 1 ? " topic?" : " topics?");
    if (!confirmed(question)) return report("nothing was made");
  }
  const absl::Status made = make(client, all);
  if (!made.ok()) return report(made);
  note(absl::StrCat("kappa: ", counted(missing, "made\n")));
  return kExitOk;
}

}  // namespace kappa::cli
