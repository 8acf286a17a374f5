#include "replay/handover.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "engine/types/status_macros.h"
#include "replay/keyed_records.h"

namespace kappa::replay {

using operators::kNoNode;
using operators::NodeId;
using runtime::OutputRecord;

namespace {

absl::Status visit_records_of(const Standing& generation, NodeId output, runtime::Deadline deadline,
                              const std::function<void(std::string, std::string)>& visit) {
  const NodeId view = view_of_output(generation.logic.plan, output);
  KAPPA_ASSIGN_OR_RETURN(const auto rows, generation.pipeline.pin({view}, deadline));
  return visit_records(generation.logic, output, *rows, visit);
}

absl::StatusOr<KeyedRecords> former_records(const ChangedOutput& output, const Standing& before,
                                            const std::string& topic, const TopicAccess& topics,
                                            runtime::Deadline deadline) {
  const bool asked =
      output.before != kNoNode && view_of_output(before.logic.plan, output.before) != kNoNode;
  if (!asked) return read_topic(topics.log, topic, topics.patience);
  KeyedRecords records;
  KAPPA_RETURN_IF_ERROR(visit_records_of(before, output.before, deadline,
                                         [&](std::string key, const std::string& payload) {
                                           records[std::move(key)] = hash_wide(payload);
                                         }));
  return records;
}

absl::StatusOr<std::vector<OutputRecord>> difference_of(const ChangedOutput& output,
                                                        const Standing& before,
                                                        const Standing& after,
                                                        const TopicAccess& topics,
                                                        runtime::Deadline deadline) {
  const std::string& topic = operators::sink_of(after.logic.plan, output.after).topic;
  KAPPA_ASSIGN_OR_RETURN(KeyedRecords former,
                         former_records(output, before, topic, topics, deadline));
  std::vector<OutputRecord> records;
  KAPPA_RETURN_IF_ERROR(
      visit_records_of(after, output.after, deadline, [&](std::string key, std::string payload) {
        const auto found = former.find(key);
        const bool same = found != former.end() && found->second == hash_wide(payload);
        if (found != former.end()) former.erase(found);
        if (!same) records.push_back({output.after, std::move(key), std::move(payload)});
      }));
  for (const auto& [key, hash] : former) records.push_back({output.after, key, std::nullopt});
  std::sort(records.begin(), records.end(),
            [](const OutputRecord& a, const OutputRecord& b) { return a.key < b.key; });
  return records;
}

}  // namespace

absl::StatusOr<std::vector<OutputRecord>> difference(const std::vector<ChangedOutput>& outputs,
                                                     const Standing& before, const Standing& after,
                                                     const TopicAccess& topics,
                                                     runtime::Deadline deadline) {
  std::vector<OutputRecord> all;
  for (const ChangedOutput& output : outputs) {
    KAPPA_ASSIGN_OR_RETURN(std::vector<OutputRecord> records,
                           difference_of(output, before, after, topics, deadline));
    std::move(records.begin(), records.end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace kappa::replay
