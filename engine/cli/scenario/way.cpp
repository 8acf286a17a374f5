#include "engine/cli/scenario/way.h"

#include <chrono>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "engine/types/status_macros.h"
#include "state/durable_file.h"

namespace kappa::cli::scenario {
namespace {

constexpr size_t kReadBytes = 1 << 20;
constexpr std::chrono::seconds kQueryTime{60};

absl::Status append_to_file(const std::string& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::app);
  out << bytes;
  out.close();
  return out ? absl::OkStatus() : absl::UnavailableError(absl::StrCat("cannot write ", path));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Way>> Way::open(const Script& script, WayOptions options,
                                               const std::string& directory,
                                               const std::string& journal) {
  std::unique_ptr<Way> way(new Way(script, std::move(options), directory));
  KAPPA_RETURN_IF_ERROR(way->open_all(journal));
  return way;
}

Way::Way(const Script& script, WayOptions options, std::string directory)
    : script_(script), options_(std::move(options)), directory_(std::move(directory)) {}

Way::~Way() {
  pipeline_.reset();
  store_.reset();
  log_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

absl::Status Way::open_all(const std::string& journal) {
  std::error_code error;
  if (!std::filesystem::create_directories(directory_, error)) {
    return absl::UnavailableError(
        absl::StrCat("cannot make the directory ", directory_, ": ", error.message()));
  }
  log::EmbeddedLogOptions log_options;
  log_options.fsync = log::Fsync::kNever;
  log_options.retention_check_ms = 0;
  log_options.seed = 1;
  log_options.clock = &clock_;
  KAPPA_ASSIGN_OR_RETURN(log_, log::open_embedded_log(directory_ + "/log", log_options));
  for (const auto& [topic, partitions] : script_.topics) {
    log::TopicConfig config;
    config.partitions = partitions;
    KAPPA_RETURN_IF_ERROR(log_->create_topic(topic, config));
  }
  for (const ScriptEntry& entry : script_.entries) {
    if (options_.whole_log_first) KAPPA_RETURN_IF_ERROR(append_records(entry));
  }
  if (!journal.empty()) KAPPA_RETURN_IF_ERROR(append_to_file(journal_path(), journal));
  if (options_.rocksdb) {
    KAPPA_ASSIGN_OR_RETURN(store_, state::open_rocksdb_store(directory_ + "/db"));
  } else {
    store_ = state::make_memory_store();
  }
  return open_pipeline();
}

absl::Status Way::open_pipeline() {
  runtime::PipelineOptions options;
  options.product = "scenario";
  options.workers = options_.workers;
  options.epoch_records_max = options_.epoch_records_max;
  KAPPA_ASSIGN_OR_RETURN(
      pipeline_, runtime::Pipeline::open(script_.plan, script_.files, log_.get(), store_.get(),
                                         journal_path(), &clock_, options));
  return absl::OkStatus();
}

absl::Status Way::append(const ScriptEntry& entry) {
  return options_.whole_log_first ? absl::OkStatus() : append_records(entry);
}

absl::Status Way::append_records(const ScriptEntry& entry) {
  if (entry.records.empty()) return absl::OkStatus();
  std::vector<log::RecordToAppend> records;
  for (const ScriptRecord& record : entry.records) {
    log::RecordToAppend to_append;
    if (record.key) to_append.key = *record.key;
    if (record.value) to_append.value = *record.value;
    to_append.timestamp = record.timestamp;
    to_append.partition = record.partition;
    to_append.headers = &record.headers;
    records.push_back(to_append);
  }
  return log_->append(entry.topic, records).status();
}

absl::Status Way::lead(EntryKind kind, LogTime clock) {
  clock_.set(clock);
  switch (kind) {
    case EntryKind::kRecords:
      return pipeline_->advance();
    case EntryKind::kTick:
      return pipeline_->tick();
    case EntryKind::kEnd:
      return pipeline_->complete();
  }
  return absl::OkStatus();
}

absl::Status Way::follow(const std::string& bytes, LogTime clock) {
  clock_.set(clock);
  if (!bytes.empty()) {
    KAPPA_RETURN_IF_ERROR(append_to_file(journal_path(), bytes));
    KAPPA_RETURN_IF_ERROR(pipeline_->follow(1));
  }
  return options_.restart_after_entry ? restart(/*checkpoint_first=*/true) : absl::OkStatus();
}

absl::Status Way::restart(bool checkpoint_first) {
  if (checkpoint_first) KAPPA_RETURN_IF_ERROR(pipeline_->checkpoint());
  pipeline_.reset();
  if (options_.rocksdb) {
    store_.reset();
    KAPPA_ASSIGN_OR_RETURN(store_, state::open_rocksdb_store(directory_ + "/db"));
  }
  return open_pipeline();
}

absl::StatusOr<std::string> Way::journal() const {
  return state::read_file(journal_path());
}

absl::StatusOr<runtime::QueryResult> Way::query(const sql::BoundQuery& query) {
  runtime::QueryLimits limits;
  limits.deadline = std::chrono::steady_clock::now() + kQueryTime;
  return runtime::execute(query, *pipeline_, limits);
}

absl::StatusOr<std::vector<Way::PublishedRecord>> Way::published(const std::string& topic) {
  KAPPA_RETURN_IF_ERROR(pipeline_->checkpoint());
  std::vector<PublishedRecord> published;
  const absl::StatusOr<log::TopicInfo> info = log_->topic(topic);
  if (absl::IsNotFound(info.status())) return published;
  if (!info.ok()) return info.status();
  for (int32_t partition = 0; partition < info->config.partitions; ++partition) {
    KAPPA_ASSIGN_OR_RETURN(auto reader, log_->open_reader({topic, partition}, Offset{0}));
    for (;;) {
      KAPPA_ASSIGN_OR_RETURN(const RecordBlock block, reader->read(kReadBytes));
      if (block.empty()) break;
      for (const RecordView& record : block.records) {
        PublishedRecord copy;
        if (const auto key = record.key_view()) copy.key = std::string(*key);
        if (const auto value = record.value_view()) copy.value = std::string(*value);
        copy.headers = parse_headers(record);
        published.push_back(std::move(copy));
      }
    }
  }
  return published;
}

}  // namespace kappa::cli::scenario
