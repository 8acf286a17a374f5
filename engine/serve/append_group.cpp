#include "engine/serve/append_group.h"

#include <map>
#include <utility>

namespace kappa::serve {

AppendGroup::AppendGroup(log::Log* log) : log_(log), thread_([this] { run(); }) {}

AppendGroup::~AppendGroup() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void AppendGroup::append(std::string topic, std::string key, std::string value, Done done) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({std::move(topic), std::move(key), std::move(value), std::move(done)});
  }
  wake_.notify_one();
}

void AppendGroup::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const std::vector<Waiting> records = std::exchange(waiting_, {});
    lock.unlock();
    append_all(records);
    lock.lock();
  }
}

void AppendGroup::append_all(const std::vector<Waiting>& records) {
  std::map<std::string_view, std::vector<const Waiting*>> by_topic;
  for (const Waiting& record : records) by_topic[record.topic].push_back(&record);
  for (const auto& [topic, of_topic] : by_topic) {
    std::vector<log::RecordToAppend> batch;
    for (const Waiting* record : of_topic) {
      log::RecordToAppend& added = batch.emplace_back();
      added.key = record->key;
      added.value = record->value;
    }
    const auto appended = log_->append(std::string(topic), batch);
    for (size_t i = 0; i < of_topic.size(); ++i) {
      if (appended.ok()) {
        of_topic[i]->done((*appended)[i]);
      } else {
        of_topic[i]->done(appended.status());
      }
    }
  }
}

}  // namespace kappa::serve
