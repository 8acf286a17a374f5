#include "engine/cli/doctor/examine.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>
#include <utility>

#include <sys/resource.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/cli/compiled_product.h"
#include "engine/cli/dead_letters.h"
#include "engine/cli/doctor/access.h"
#include "engine/cli/doctor/checks.h"
#include "engine/types/clock.h"
#include "engine/types/status_macros.h"

namespace kappa::cli::doctor {
namespace {

// The last record of a Kafka partition need not lie right before its end: transactions leave marks.
constexpr int64_t kLastOffsets = 64;

std::optional<uint64_t> open_files_of_process(int pid) {
  std::ifstream limits(absl::StrCat("/proc/", pid, "/limits"));
  const std::string name = "Max open files";
  for (std::string line; std::getline(limits, line);) {
    if (!line.starts_with(name)) continue;
    const size_t begin = line.find_first_not_of(' ', name.size());
    const size_t end = line.find(' ', begin);
    uint64_t value = 0;
    if (begin == std::string::npos || !absl::SimpleAtoi(line.substr(begin, end - begin), &value)) {
      return std::nullopt;  // unlimited
    }
    return value;
  }
  return std::nullopt;
}

// Of who holds the directory, who runs the products; else of this process, which could.
std::optional<uint64_t> open_files_max(const std::optional<ExaminedDirectory>& directory) {
  if (directory && directory->holder && directory->holder->pid > 0) {
    if (const auto limit = open_files_of_process(directory->holder->pid)) return limit;
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return {};
  return limit.rlim_cur;
}

ExaminedDirectory examine_directory(const std::string& path) {
  ExaminedDirectory directory;
  directory.path = path;
  std::error_code error;
  directory.there = std::filesystem::is_directory(path, error);
  if (!directory.there) return directory;
  directory.writable = access(path.c_str(), R_OK | W_OK | X_OK) == 0;
  const std::filesystem::space_info space = std::filesystem::space(path, error);
  if (!error) directory.free_bytes = space.available;
  const auto holder = state::lock_holder(path);
  if (holder.ok()) directory.holder = *holder;
  return directory;
}

// The greatest timestamp among the last records of a partition.
absl::StatusOr<std::optional<LogTime>> newest_of(serve::Client& client, const std::string& topic,
                                                 int32_t partition,
                                                 const log::PartitionRange& range) {
  std::optional<LogTime> newest;
  if (range.start == range.end) return newest;
  serve::TopicReadOptions read;
  read.partition = partition;
  read.from = serve::TopicReadOptions::From::kOffset;
  read.offset = Offset{std::max(range.start.value, range.end.value - kLastOffsets)};
  read.limit = kLastOffsets;
  KAPPA_RETURN_IF_ERROR(client.read_topic(topic, read, [&](const serve::ReceivedRecord& record) {
    if (!newest || *newest < record.timestamp) newest = record.timestamp;
    return true;
  }));
  return newest;
}

// What Kafka does not let us read is told by check_access(); the rest is looked at all the same.
bool is_told(const absl::Status& status) {
  return status.ok() || absl::IsPermissionDenied(status);
}

bool any_late_checkpoint(const Examined& examined) {
  Findings findings;
  check_checkpoints(examined, &findings);
  return !findings.empty();
}

absl::Status examine_running(serve::Client& client, Examined* examined) {
  KAPPA_ASSIGN_OR_RETURN(serve::ServerInfo info, client.inspect("", /*checksum=*/false));
  examined->running = std::move(info.products);
  examined->now = SystemClock().now();
  return absl::OkStatus();
}

absl::Status examine_deployment(const ExamineOptions& options, Examined* examined) {
  ConnectOptions connect = options.connect;
  connect.command = "kappa doctor";
  KAPPA_ASSIGN_OR_RETURN(const auto connection, Connection::open(std::move(connect)));
  serve::Client& client = connection->client();
  KAPPA_ASSIGN_OR_RETURN(examined->topics, examine_topics(client, examined->needs));
  if (connection->own()) return absl::OkStatus();  // nobody runs products
  KAPPA_RETURN_IF_ERROR(examine_running(client, examined));
  // Work that came this moment, after a pause, is no late checkpoint: so it is given its time.
  if (any_late_checkpoint(*examined)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2 * options.checkpoint_interval_ms));
    return examine_running(client, examined);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<CompiledProduct>> products_of(const ExamineOptions& options,
                                                         const Examined& examined) {
  if (!options.products.empty()) return compile_products(options.products);
  if (!examined.directory || !examined.directory->there) return std::vector<CompiledProduct>();
  return compile_catalogue(examined.directory->path);
}

}  // namespace

absl::StatusOr<std::vector<ExaminedTopic>> examine_topics(serve::Client& client,
                                                          const std::vector<TopicNeed>& needs) {
  std::set<std::string> sources;
  for (const TopicNeed& need : needs) {
    if (need.role == TopicNeed::Role::kSource) sources.insert(need.topic);
  }
  KAPPA_ASSIGN_OR_RETURN(const std::vector<serve::TopicStatus> topics, client.topics());
  std::vector<ExaminedTopic> all;
  for (const serve::TopicStatus& status : topics) {
    ExaminedTopic topic{status.info, status.partitions, {}, {}};
    if (is_dead_letter_topic(topic.info.name) || is_late_topic(topic.info.name)) {
      const auto summary = summarize_dead_letters(client, topic.info.name, "");
      if (summary.ok()) topic.counted = summary->all().records;
      if (!is_told(summary.status())) return summary.status();
    }
    if (sources.contains(status.info.name)) {
      for (size_t i = 0; i < status.partitions.size(); ++i) {
        const auto found =
            newest_of(client, status.info.name, static_cast<int32_t>(i), status.partitions[i]);
        if (!is_told(found.status())) return found.status();
        if (!found.ok() || !*found) continue;
        const LogTime newest = **found;
        if (!topic.newest || *topic.newest < newest) topic.newest = newest;
        if (!topic.quietest || newest < *topic.quietest) topic.quietest = newest;
      }
    }
    all.push_back(std::move(topic));
  }
  return all;
}

absl::StatusOr<Examined> examine(const ExamineOptions& options) {
  Examined examined;
  examined.checkpoint_interval_ms = options.checkpoint_interval_ms;
  if (options.connect.client.server.empty()) {
    examined.directory = examine_directory(options.connect.data);
  }
  examined.open_files_max = open_files_max(examined.directory);
  KAPPA_ASSIGN_OR_RETURN(const std::vector<CompiledProduct> products,
                         products_of(options, examined));
  for (const CompiledProduct& product : products) {
    const std::vector<TopicNeed> needs = topic_needs(product.name, product.plan, 1);
    examined.needs.insert(examined.needs.end(), needs.begin(), needs.end());
    const std::vector<KeyedTogether> joins = keyed_together(product.name, product.plan);
    examined.joins.insert(examined.joins.end(), joins.begin(), joins.end());
  }
  LogChoice log;
  if (examined.directory && examined.directory->there) {
    KAPPA_ASSIGN_OR_RETURN(log, log_of_directory(examined.directory->path));
  }
  examined.now = SystemClock().now();
  examined.log = examine_deployment(options, &examined);
  // Behind a server elsewhere nobody knows what its log is, but the topic may be there.
  for (const CompiledProduct& product : products) {
    TopicNeed place = outbox_place_need(product.name);
    if (is_kafka(log) || examined.find(place.topic)) examined.needs.push_back(std::move(place));
  }
  if (examined.log.ok() && is_kafka(log)) examined.log = examine_access(log, &examined);
  return examined;
}

}  // namespace kappa::cli::doctor
