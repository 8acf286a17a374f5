#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/cli/doctor/checks.h"
#include "engine/types/text.h"

namespace kappa::cli::doctor {

void check_log(const Examined& examined, Findings* findings) {
  // Without a data directory there is none: check_directory says so.
  if (examined.log.ok() || (examined.directory && !examined.directory->there)) return;
  findings->push_back({Severity::kError, "log",
                       absl::StrCat("the log does not answer: ", examined.log.message()),
                       "see that it runs, and that --server or --data name it; nothing about its "
                       "topics is checked until then"});
}

void check_topics(const Examined& examined, Findings* findings) {
  if (!examined.log.ok()) return;
  std::set<std::string> missing;
  for (const TopicNeed& need : examined.needs) {
    // Topics for dead letters and late rows are made with the first of them.
    if (need.role != TopicNeed::Role::kSource && need.role != TopicNeed::Role::kOutput) continue;
    if (examined.find(need.topic) || !missing.insert(need.topic).second) continue;
    findings->push_back({Severity::kWarning, "topics",
                         absl::StrCat("topic ", need.topic, ", ", role_text(need.role),
                                      " of product ", need.product, ", is not there"),
                         "make it: kappa topics create --product DIR"});
  }
}

void check_access(const Examined& examined, Findings* findings) {
  for (const Refusal& refusal : examined.refusals) {
    findings->push_back(
        {refusal.needed ? Severity::kError : Severity::kWarning, "access",
         absl::StrCat("product ", refusal.product, " may not ", refusal.what, ": ",
                      refusal.why.message()),
         absl::StrCat("as somebody who may: kafka-acls --bootstrap-server HOST:PORT --add "
                      "--allow-principal User:NAME ",
                      refusal.acl)});
  }
}

void check_partitions(const Examined& examined, Findings* findings) {
  std::set<std::vector<std::string>> told;
  for (const KeyedTogether& join : examined.joins) {
    std::set<int32_t> counts;
    std::vector<std::string> texts;
    for (const std::string& name : join.topics) {
      const ExaminedTopic* topic = examined.find(name);
      if (!topic) continue;
      counts.insert(topic->info.config.partitions);
      texts.push_back(absl::StrCat(name, " has ", topic->info.config.partitions));
    }
    if (counts.size() < 2 || !told.insert(join.topics).second) continue;
    findings->push_back(
        {Severity::kNotice, "partitions",
         absl::StrCat(join.where,
                      " meets topics by key that have different numbers of partitions: ",
                      absl::StrJoin(texts, ", ")),
         absl::StrCat("one process joins them all the same; give each ", *counts.rbegin(),
                      " partitions before the product is dealt out to several")});
  }
}

}  // namespace kappa::cli::doctor
