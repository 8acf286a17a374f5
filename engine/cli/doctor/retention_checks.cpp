#include <set>

#include "absl/strings/str_cat.h"
#include "engine/cli/doctor/checks.h"
#include "engine/types/datetime.h"

namespace kappa::cli::doctor {
namespace {

std::string span_text(int64_t us) {
  return interval_to_text(us);
}

void check_source(const TopicNeed& need, const ExaminedTopic& topic, Findings* findings) {
  const log::TopicConfig& config = topic.info.config;
  if (config.retention_ms &&
      *config.retention_ms < (need.reach.us + kMicrosPerMilli - 1) / kMicrosPerMilli) {
    findings->push_back(
        {Severity::kError, "retention",
         absl::StrCat("topic ", need.topic, " keeps records for ",
                      span_text(*config.retention_ms * kMicrosPerMilli), ", but product ",
                      need.product, " looks back ", span_text(need.reach.us)),
         absl::StrCat("keep them for ", span_text(need.reach.us), " at least (retention.ms=",
                      (need.reach.us + kMicrosPerMilli - 1) / kMicrosPerMilli,
                      "), or for ever, or shorten the longest frame, window or join bound")});
    return;
  }
  if (need.reach.for_ever.empty() || (!config.retention_ms && !config.retention_bytes)) return;
  const std::string kept = config.retention_ms
                               ? span_text(*config.retention_ms * kMicrosPerMilli)
                               : absl::StrCat(*config.retention_bytes, " bytes a partition");
  findings->push_back(
      {Severity::kNotice, "retention",
       absl::StrCat("topic ", need.topic, " keeps only ", kept, ", and in ", need.reach.for_ever,
                    " of product ", need.product, " records count however old they are"),
       "a recomputation would begin with what is left: keep the topic for ever, or give the view a "
       "retention"});
}

}  // namespace

void check_retention(const Examined& examined, Findings* findings) {
  for (const TopicNeed& need : examined.needs) {
    const ExaminedTopic* topic = examined.find(need.topic);
    if (topic && need.role == TopicNeed::Role::kSource) check_source(need, *topic, findings);
  }
}

void check_old_records(const Examined& examined, Findings* findings) {
  std::set<std::string> told;
  for (const TopicNeed& need : examined.needs) {
    const ExaminedTopic* topic = examined.find(need.topic);
    if (!topic || need.role != TopicNeed::Role::kSource) continue;
    const auto& retention_ms = topic->info.config.retention_ms;
    if (!retention_ms || !told.insert(need.topic).second) continue;
    const std::string kept = span_text(*retention_ms * kMicrosPerMilli);
    const std::string fix =
        "keep such a topic for ever (retention.ms=-1), or let the log stamp records with the time "
        "of the append (message.timestamp.type=LogAppendTime); then import again what is gone";
    if (topic->records() == 0 && topic->ever_appended() > 0) {
      findings->push_back({Severity::kWarning, "retention",
                           absl::StrCat("topic ", need.topic, " is empty: retention (", kept,
                                        ") has removed all of its ", topic->ever_appended(),
                                        " records, which is counted from their timestamps"),
                           fix});
    } else if (topic->quietest && topic->quietest->ms < examined.now.ms - *retention_ms) {
      findings->push_back({Severity::kWarning, "retention",
                           absl::StrCat("the last records of topic ", need.topic, " are of ",
                                        timestamp_to_text(topic->quietest->ms * kMicrosPerMilli),
                                        ", older than its retention (", kept,
                                        ", counted from their timestamps): they will be removed"),
                           fix});
    }
  }
}

namespace {

std::string compaction_fix(const std::string& topic) {
  return absl::StrCat(
      "kafka-configs --bootstrap-server HOST:PORT --alter --add-config cleanup.policy=compact "
      "--entity-type topics --entity-name ",
      topic);
}

std::string limit_text(const log::TopicConfig& config) {
  if (config.retention_ms) {
    return absl::StrCat("after ", span_text(*config.retention_ms * kMicrosPerMilli));
  }
  return absl::StrCat("beyond ", *config.retention_bytes, " bytes a partition");
}

void check_upserts(const TopicNeed& need, const log::TopicConfig& config, Findings* findings) {
  const std::string subject = absl::StrCat("topic ", need.topic, ", ", role_text(need.role),
                                           " of product ", need.product, " by key, ");
  if (config.retention_ms || config.retention_bytes) {
    findings->push_back(
        {Severity::kError, "compaction",
         absl::StrCat(subject, "is deleted from ", limit_text(config),
                      ": who reads it from its start misses the rows of keys that have not changed "
                      "since"),
         compaction_fix(need.topic)});
  } else if (!config.compacted.value_or(true)) {
    findings->push_back(
        {Severity::kWarning, "compaction",
         absl::StrCat(subject,
                      "keeps every change of a key for ever: its cleanup.policy lacks "
                      "compact"),
         compaction_fix(need.topic)});
  }
}

void check_outbox_place(const TopicNeed& need, const log::TopicConfig& config, Findings* findings) {
  const bool limited = config.retention_ms || config.retention_bytes;
  if (config.compacted.value_or(true) && !limited) return;
  findings->push_back({Severity::kError, "compaction",
                       absl::StrCat("topic ", need.topic, " says how far the outputs of product ",
                                    need.product, " are published, and its cleanup.policy ",
                                    limited ? "lets retention delete that" : "lacks compact",
                                    ": once it is gone, the product stops"),
                       compaction_fix(need.topic)});
}

}  // namespace

void check_compaction(const Examined& examined, Findings* findings) {
  std::set<std::string> told;
  for (const TopicNeed& need : examined.needs) {
    const ExaminedTopic* topic = examined.find(need.topic);
    if (!need.compacted || !topic || !told.insert(need.topic).second) continue;
    if (need.role == TopicNeed::Role::kOutboxPlace) {
      check_outbox_place(need, topic->info.config, findings);
    } else {
      check_upserts(need, topic->info.config, findings);
    }
  }
}

}  // namespace kappa::cli::doctor
