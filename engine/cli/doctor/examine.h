#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/cli/connection.h"
#include "engine/cli/doctor/examined.h"

namespace kappa::cli::doctor {

struct ExamineOptions {
  ConnectOptions connect;
  std::vector<std::string> products;  // directories; empty: what the data directory's catalogue has
  int64_t checkpoint_interval_ms = 1000;
};

// Gathers what the checks judge. What cannot be found out is a fact, too: Examined::log.
// NotFound, InvalidArgument: a product's directory is none, or its files are faulty.
absl::StatusOr<Examined> examine(const ExamineOptions& options);

// The topics' facts, with the newest timestamps of those that `needs` read. Reads the last records
// of their partitions.
absl::StatusOr<std::vector<ExaminedTopic>> examine_topics(serve::Client& client,
                                                          const std::vector<TopicNeed>& needs);

}  // namespace kappa::cli::doctor
