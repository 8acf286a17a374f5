#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/log/log.h"
#include "engine/types/clock.h"
#include "test/runtime/model/model.h"
#include "test/runtime/model/record_generator.h"

namespace kappa::runtime {

// Where each partition is applied up to, of those of which something is.
using AppliedTo = std::map<TopicPartition, int64_t>;
// All records of a log, by partition and offset.
using AppendedRecords = std::map<TopicPartition, std::vector<model::Record>>;

// Appends the generator's next records, and moves the clock along.
absl::Status append_next(int64_t count, model::RecordGenerator* records, ManualClock* clock,
                         log::Log* log, AppendedRecords* appended);

// Leads the model through all that an order journal holds. Calls `at`, if given, before the first
// entry, after each record and after each entry. Returns the number of entries.
absl::StatusOr<int64_t> apply_journal(const std::string& journal_path,
                                      const AppendedRecords& appended, model::Model* model,
                                      const std::function<void(const AppliedTo&)>& at = {});

}  // namespace kappa::runtime
