#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/cli/topic_needs.h"
#include "engine/log/log.h"
#include "engine/serve/client.h"
#include "engine/types/time.h"
#include "state/data_directory.h"

namespace kappa::cli::doctor {

struct ExaminedTopic {
  log::TopicInfo info;
  std::vector<log::PartitionRange> partitions;
  // Of the last records of its partitions the greatest timestamp, and the least. nullopt: it holds
  // none, or nobody looked.
  std::optional<LogTime> newest;
  std::optional<LogTime> quietest;
  // Of topics of dead letters and late rows, counted one by one: on Kafka marks of transactions
  // have offsets too.
  std::optional<int64_t> counted = {};

  int64_t records() const;  // at most, unless they were counted
  int64_t ever_appended() const;
};

// Topics whose records meet by key.
struct KeyedTogether {
  std::string where;  // "view matched of shop"
  std::vector<std::string> topics;
};
// The joins of a plan that bring several topics together.
std::vector<KeyedTogether> keyed_together(const std::string& product, const operators::Plan& plan);

// Something that Kafka's brokers do not let us do.
struct Refusal {
  std::string product;
  std::string what;    // "read topic sales, a source"
  std::string acl;     // what is missing, as kafka-acls takes it: "--operation Read --topic sales"
  bool needed = true;  // else only when something goes wrong: dead letters, late rows
  absl::Status why;
};

struct ExaminedDirectory {
  std::string path;
  bool there = false;
  bool writable = false;
  std::optional<uint64_t> free_bytes;  // of the file system it lies on
  std::optional<state::LockHolder> holder;
};

// What the checks judge: facts that examine() has gathered, or a test has made up.
struct Examined {
  LogTime now;       // of this machine
  absl::Status log;  // why the log cannot be asked; then `topics` are empty
  std::vector<ExaminedTopic> topics;
  std::vector<TopicNeed> needs;  // of the products
  std::vector<KeyedTogether> joins;
  std::vector<Refusal> refusals;
  std::optional<ExaminedDirectory> directory;  // nullopt: a server was named instead
  std::vector<serve::ProductInfo> running;     // empty: nobody runs any
  int64_t checkpoint_interval_ms = 1000;
  std::optional<uint64_t> open_files_max;  // of who runs the products, else of this process

  const ExaminedTopic* find(const std::string& topic) const;
};

}  // namespace kappa::cli::doctor
