#include "engine/cli/dead_letters.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/types/status_macros.h"

namespace kappa::cli {
namespace {

void count(const runtime::DeadLetter& letter, LogTime timestamp, DeadLetterSummary::Group* group) {
  const bool first = group->records++ == 0;
  if (first || timestamp < group->since) group->since = timestamp;
  if (first || !(timestamp < group->newest)) {
    group->newest = timestamp;
    group->newest_source = source_text(letter);
  }
}

}  // namespace

bool is_dead_letter_topic(std::string_view topic) {
  return topic.ends_with(runtime::kDeadLetterSuffix);
}
bool is_late_topic(std::string_view topic) {
  return topic.ends_with(runtime::kLateSuffix);
}

std::optional<std::string> source_text(const runtime::DeadLetter& letter) {
  if (!letter.source) return std::nullopt;
  return absl::StrCat(letter.source->topic, "/", letter.source->partition, "@",
                      letter.source_offset.value);
}

void DeadLetterSummary::add(const runtime::DeadLetter& letter, LogTime timestamp) {
  count(letter, timestamp, &all_);
  const auto known = reasons_.find(letter.reason);
  if (known != reasons_.end()) {
    count(letter, timestamp, &known->second);
  } else if (reasons_.size() < kReasonsMax) {
    count(letter, timestamp, &reasons_[letter.reason]);
  } else {
    count(letter, timestamp, &others_);
  }
}

std::vector<std::pair<std::string, DeadLetterSummary::Group>> DeadLetterSummary::reasons() const {
  std::vector<std::pair<std::string, Group>> reasons(reasons_.begin(), reasons_.end());
  std::stable_sort(reasons.begin(), reasons.end(), [](const auto& a, const auto& b) {
    return a.second.records > b.second.records;
  });
  return reasons;
}

absl::StatusOr<DeadLetterSummary> summarize_dead_letters(serve::Client& client,
                                                         const std::string& topic,
                                                         const std::string& product) {
  DeadLetterSummary summary;
  KAPPA_RETURN_IF_ERROR(client.read_topic(topic, {}, [&](const serve::ReceivedRecord& record) {
    const runtime::DeadLetter letter = runtime::read_dead_letter(record.headers);
    if (product.empty() || letter.product == product) summary.add(letter, record.timestamp);
    return true;
  }));
  return summary;
}

}  // namespace kappa::cli
