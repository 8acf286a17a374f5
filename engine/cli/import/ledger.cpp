#include "engine/cli/import/ledger.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/types/hash.h"
#include "engine/types/status_macros.h"

namespace kappa::cli {
namespace {

using Json = nlohmann::ordered_json;

const std::string kTopic = "kappa-imports";
const std::string kHeader = "kappa-import";

std::string hash_of(const std::string& text) {
  return absl::StrFormat("%016x", hash_bytes(text.data(), text.size()));
}

bool has_topic(const std::vector<serve::TopicStatus>& topics, const std::string& name) {
  for (const serve::TopicStatus& topic : topics) {
    if (topic.info.name == name) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<ImportLedger> ImportLedger::open(serve::Client* client, std::string id,
                                                const serve::TopicStatus& topic,
                                                const std::string& mapping) {
  ImportLedger ledger;
  ledger.client_ = client;
  ledger.id_ = std::move(id);
  ledger.topic_ = topic.info.name;
  ledger.mapping_ = hash_of(mapping);
  ledger.ranges_ = topic.partitions;
  for (const log::PartitionRange& range : topic.partitions) {
    ledger.positions_.push_back({0, range.end});
  }
  if (ledger.id_.empty()) return ledger;
  KAPPA_RETURN_IF_ERROR(ledger.read_entries());
  if (ledger.begun_ && !ledger.finished_) KAPPA_RETURN_IF_ERROR(ledger.read_back());
  return ledger;
}

absl::Status ImportLedger::read_entries() {
  KAPPA_ASSIGN_OR_RETURN(const auto topics, client_->topics());
  if (!has_topic(topics, kTopic)) return client_->create_topic(kTopic, {});
  Json last;
  KAPPA_RETURN_IF_ERROR(client_->read_topic(kTopic, {}, [&](const serve::ReceivedRecord& record) {
    if (record.key != id_ || !record.value) return true;
    Json entry = Json::parse(*record.value, nullptr, /*allow_exceptions=*/false);
    if (entry.is_object() && entry.value("topic", "") == topic_) last = std::move(entry);
    return true;
  }));
  if (last.is_null()) return absl::OkStatus();
  begun_ = true;
  last_entry_ = last.dump();
  finished_ = last.value("state", "") == "finished";
  records_ = last.value("records", int64_t{0});
  const Json partitions = last.value("partitions", Json::array());
  if (partitions.size() != positions_.size()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "import ", id_, " of topic ", topic_, " was begun when the topic had ", partitions.size(),
        " partitions, now it has ", positions_.size(), "; import under a new name with --id"));
  }
  for (size_t p = 0; p < positions_.size(); ++p) {
    positions_[p] = {partitions[p].value("line", int64_t{0}),
                     Offset{partitions[p].value("from", int64_t{0})}};
  }
  if (!finished_ && last.value("mapping", "") != mapping_) {
    return absl::FailedPreconditionError(
        absl::StrCat("import ", id_, " of this file into ", topic_,
                     " was begun with other options; go on with those, or import all of it under "
                     "a new name with --id"));
  }
  return absl::OkStatus();
}

// Finds what was appended after the last entry was written.
absl::Status ImportLedger::read_back() {
  const std::string prefix = id_ + ":";
  for (size_t p = 0; p < positions_.size(); ++p) {
    serve::TopicReadOptions read;
    read.partition = static_cast<int32_t>(p);
    read.from = serve::TopicReadOptions::From::kOffset;
    read.offset = std::max(positions_[p].from, ranges_[p].start);
    KAPPA_RETURN_IF_ERROR(client_->read_topic(topic_, read, [&](serve::ReceivedRecord record) {
      for (const auto& [name, value] : record.headers) {
        int64_t line = 0;
        if (name != kHeader || !value.starts_with(prefix)) continue;
        if (!absl::SimpleAtoi(value.substr(prefix.size()), &line)) continue;
        positions_[p] = {line, Offset{record.offset.value + 1}};
        ++records_;
      }
      return true;
    }));
  }
  return absl::OkStatus();
}

RecordHeaders ImportLedger::headers(int64_t line) const {
  if (id_.empty()) return {};
  return {{kHeader, absl::StrCat(id_, ":", line)}};
}

void ImportLedger::appended(const std::vector<log::AppendedAt>& at,
                            const std::vector<int64_t>& lines) {
  for (size_t i = 0; i < at.size(); ++i) {
    positions_[static_cast<size_t>(at[i].partition)] = {lines[i], Offset{at[i].offset.value + 1}};
  }
  records_ += static_cast<int64_t>(at.size());
}

absl::Status ImportLedger::begin() {
  return begun_ ? absl::OkStatus() : write("begun");
}

absl::Status ImportLedger::write(const char* state) {
  if (id_.empty()) return absl::OkStatus();
  Json entry;
  entry["import"] = id_;
  entry["topic"] = topic_;
  entry["state"] = state;
  entry["mapping"] = mapping_;
  entry["records"] = records_;
  entry["partitions"] = Json::array();
  for (const Position& position : positions_) {
    entry["partitions"].push_back({{"line", position.line}, {"from", position.from.value}});
  }
  // An append that waits for stable storage makes stable all that was appended before. It has to be
  // one that is true even if it alone is left, so the last entry is written again.
  if (!last_entry_.empty()) KAPPA_RETURN_IF_ERROR(append(last_entry_));
  last_entry_ = entry.dump();
  return append(last_entry_);
}

absl::Status ImportLedger::append(const std::string& entry) {
  serve::RecordToSend record;
  record.key = id_;
  record.value = entry;
  return client_->append(kTopic, {record}).status();
}

absl::StatusOr<std::string> import_id_of(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return std::string();
  const auto size = std::filesystem::file_size(path, error);
  const auto whole_path = std::filesystem::canonical(path, error);
  if (error) return absl::UnavailableError(absl::StrCat("cannot look at ", path));
  std::ifstream file(path, std::ios::binary);
  std::string block(64 << 10, '\0');
  file.read(block.data(), static_cast<std::streamsize>(block.size()));
  block.resize(static_cast<size_t>(file.gcount()));
  return hash_of(absl::StrCat(whole_path.string(), "\n", size, "\n", block));
}

}  // namespace kappa::cli
