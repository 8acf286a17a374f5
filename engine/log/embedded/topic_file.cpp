#include "engine/log/embedded/topic_file.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "engine/log/embedded/file.h"
#include "engine/types/status_macros.h"

namespace kappa::log {
namespace {

constexpr int32_t kPartitionsMax = 4096;
constexpr int kFormat = 1;

std::string topic_file_path(const std::string& directory) {
  return directory + "/topic.json";
}

nlohmann::json or_null(const std::optional<int64_t>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
}

// Fills a directory that nobody looks at yet.
absl::Status fill_directory(const std::string& directory, const TopicConfig& config, bool fsync) {
  KAPPA_RETURN_IF_ERROR(make_directory(directory));
  for (int32_t i = 0; i < config.partitions; ++i) {
    KAPPA_RETURN_IF_ERROR(make_directory(absl::StrCat(directory, "/", i)));
  }
  nlohmann::ordered_json json = {{"format", kFormat},
                                 {"partitions", config.partitions},
                                 {"retention_ms", or_null(config.retention_ms)},
                                 {"retention_bytes", or_null(config.retention_bytes)}};
  if (config.compacted.value_or(false)) json["compacted"] = true;
  KAPPA_ASSIGN_OR_RETURN(const File file,
                         File::open(topic_file_path(directory), OpenFor::kCreating));
  KAPPA_RETURN_IF_ERROR(file.write_at(0, json.dump() + "\n"));
  if (!fsync) return absl::OkStatus();
  KAPPA_RETURN_IF_ERROR(file.sync());
  return sync_directory(directory);
}

// Reads a field that must be null or a whole number not below zero.
bool read_optional(const nlohmann::json& json, const char* field, std::optional<int64_t>* value) {
  const auto found = json.find(field);
  if (found == json.end()) return false;
  if (found->is_null()) return true;
  if (!found->is_number_unsigned()) return false;
  *value = found->get<int64_t>();
  return *value >= 0;
}

}  // namespace

absl::Status validate_topic_config(const std::string& topic, const TopicConfig& config) {
  const auto refuse = [&](absl::string_view field, int64_t found, absl::string_view right) {
    return absl::InvalidArgumentError(
        absl::StrCat("topic ", topic, ": ", field, " is ", found, "; it must be ", right));
  };
  if (config.partitions < 1 || config.partitions > kPartitionsMax) {
    return refuse("partitions", config.partitions, absl::StrCat("1 to ", kPartitionsMax));
  }
  if (config.replication && *config.replication != 1) {
    return refuse("replication", *config.replication,
                  "1: the embedded log is on one machine; copies need Kafka");
  }
  if (config.retention_ms && *config.retention_ms < 0) {
    return refuse("retention_ms", *config.retention_ms, "0 or more; leave it out for ever");
  }
  if (config.retention_bytes && *config.retention_bytes < 0) {
    return refuse("retention_bytes", *config.retention_bytes,
                  "0 or more; leave it out for no limit");
  }
  if (config.compacted.value_or(false) && (config.retention_ms || config.retention_bytes)) {
    return absl::InvalidArgumentError(
        absl::StrCat("topic ", topic,
                     ": retention would remove the last records of keys, which a "
                     "compacted topic keeps; leave it out: the embedded log keeps all records"));
  }
  return absl::OkStatus();
}

absl::Status write_topic(const std::string& log_directory, const std::string& topic,
                         const TopicConfig& config, bool fsync) {
  const std::string directory = absl::StrCat(log_directory, "/", topic);
  const std::string unfinished = directory + "~";
  KAPPA_RETURN_IF_ERROR(remove_path(unfinished));
  absl::Status status = fill_directory(unfinished, config, fsync);
  if (status.ok()) status = rename_path(unfinished, directory);
  if (!status.ok()) {
    remove_path(unfinished).IgnoreError();
    return status;
  }
  return fsync ? sync_directory(log_directory) : absl::OkStatus();
}

absl::StatusOr<TopicConfig> read_topic(const std::string& log_directory, const std::string& topic) {
  const std::string path = topic_file_path(absl::StrCat(log_directory, "/", topic));
  KAPPA_ASSIGN_OR_RETURN(const std::string content, read_whole_file(path));
  const nlohmann::json json = nlohmann::json::parse(content, nullptr, false);
  if (!json.is_object()) return absl::DataLossError(path + " is no JSON object");
  const auto format = json.find("format");
  if (format == json.end() || *format != kFormat) {
    return absl::DataLossError(absl::StrCat(path, " has the format ",
                                            format == json.end() ? "none" : format->dump(),
                                            "; this version of kappa reads format ", kFormat));
  }
  TopicConfig config;
  const auto partitions = json.find("partitions");
  if (partitions == json.end() || !partitions->is_number_unsigned() ||
      *partitions > kPartitionsMax || !read_optional(json, "retention_ms", &config.retention_ms) ||
      !read_optional(json, "retention_bytes", &config.retention_bytes)) {
    return absl::DataLossError(absl::StrCat(path, " is damaged: ", content));
  }
  config.partitions = partitions->get<int32_t>();
  const auto compacted = json.find("compacted");
  if (compacted != json.end() && *compacted == true) config.compacted = true;
  const absl::Status valid = validate_topic_config(topic, config);
  if (!valid.ok()) return absl::DataLossError(absl::StrCat(path, ": ", valid.message()));
  return config;
}

std::string partition_directory(const std::string& log_directory, const TopicPartition& partition) {
  return absl::StrCat(log_directory, "/", partition.topic, "/", partition.partition);
}

bool same_config(const TopicConfig& a, const TopicConfig& b) {
  return a.partitions == b.partitions && a.retention_ms == b.retention_ms &&
         a.retention_bytes == b.retention_bytes &&
         a.compacted.value_or(false) == b.compacted.value_or(false);
}

std::string describe(const TopicConfig& config) {
  const auto or_none = [](const std::optional<int64_t>& value, const char* unit) {
    return value ? absl::StrCat(*value, " ", unit) : std::string("unlimited");
  };
  return absl::StrCat(config.partitions, config.partitions == 1 ? " partition" : " partitions",
                      ", retention ", or_none(config.retention_ms, "ms"), " and ",
                      or_none(config.retention_bytes, "bytes"),
                      config.compacted.value_or(false) ? ", compacted" : "");
}

}  // namespace kappa::log
