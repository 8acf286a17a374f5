#include "engine/log/kafka/range_asker.h"

#include <algorithm>

#include <librdkafka/rdkafka.h>

#include "absl/strings/str_cat.h"
#include "engine/log/kafka/errors.h"
#include "engine/types/status_macros.h"

namespace kappa::log {
namespace {

constexpr std::chrono::milliseconds kPatience{1000};
constexpr std::chrono::milliseconds kPatienceAgain{50};  // for a question that is open already
constexpr int kQueryMs = 1000;

}  // namespace

RangeAsker::RangeAsker(ConsumerShelf* consumers, TopicCatalog* topics)
    : consumers_(consumers), topics_(topics), thread_([this] { run(); }) {}

RangeAsker::~RangeAsker() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

absl::StatusOr<PartitionRange> RangeAsker::ask(const TopicPartition& partition) {
  std::unique_lock lock(mutex_);
  Question& question = questions_[partition];  // nodes stay where they are
  const bool again = question.given_up;
  const uint64_t number = again ? question.asked : ++question.asked;
  changed_.notify_all();
  const bool answered = changed_.wait_for(lock, again ? kPatienceAgain : kPatience,
                                          [&] { return question.answered >= number; });
  question.given_up = !answered;
  if (!answered) {
    lock.unlock();
    const auto client = consumers_->first();
    const std::string trouble = client.ok() ? (*client)->trouble() : "";
    return absl::UnavailableError(
        absl::StrCat(name_of(partition), ": its leader does not say where the log ends",
                     trouble.empty() ? "" : absl::StrCat(" (", trouble, ")")));
  }
  return question.answer;
}

absl::StatusOr<PartitionRange> RangeAsker::last(const TopicPartition& partition) const {
  const std::lock_guard lock(mutex_);
  const auto found = last_.find(partition);
  if (found != last_.end()) return found->second;
  return absl::NotFoundError(absl::StrCat(name_of(partition), ": not asked for yet"));
}

void RangeAsker::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto open = [](const auto& entry) { return entry.second.answered < entry.second.asked; };
    auto next = questions_.end();
    changed_.wait(lock, [&] {
      next = std::find_if(questions_.begin(), questions_.end(), open);
      return stop_ || next != questions_.end();
    });
    if (stop_) return;
    const TopicPartition partition = next->first;
    const uint64_t number = next->second.asked;
    lock.unlock();
    const absl::StatusOr<PartitionRange> answer = query(partition);
    lock.lock();
    // Out of reach is no answer: whoever asked goes on waiting.
    if (absl::IsUnavailable(answer.status())) {
      changed_.wait_for(lock, kPatienceAgain, [&] { return stop_; });
      continue;
    }
    if (answer.ok()) last_[partition] = *answer;
    Question& question = questions_[partition];
    question.answer = answer;
    question.answered = number;
    changed_.notify_all();
  }
}

absl::StatusOr<PartitionRange> RangeAsker::query(const TopicPartition& partition) {
  KAPPA_RETURN_IF_ERROR(topics_->check(partition));
  KAPPA_ASSIGN_OR_RETURN(Client * client, consumers_->first());
  int64_t start = 0;
  int64_t end = 0;
  const rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(
      client->get(), partition.topic.c_str(), partition.partition, &start, &end, kQueryMs);
  if (error) return kafka_status(error, name_of(partition));
  // With isolation.level=read_committed the end is the last stable offset.
  return PartitionRange{Offset{start}, Offset{end}, Offset{end}};
}

}  // namespace kappa::log
