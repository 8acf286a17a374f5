#pragma once

#include <memory>

#include "engine/log/append_listeners.h"
#include "engine/log/kafka/consumer_shelf.h"
#include "engine/log/kafka/fetch_waker.h"
#include "engine/log/kafka/range_asker.h"
#include "engine/log/kafka/topic_catalog.h"

namespace kappa::log {

// What readers share. Thread-safe; the log owns it and outlives its readers.
struct KafkaParts {
  explicit KafkaParts(Client::Options consumer)
      : consumers(std::move(consumer)), topics(&consumers), ranges(&consumers, &topics) {}

  AppendListeners listeners;
  ConsumerShelf consumers;
  TopicCatalog topics;
  RangeAsker ranges;
  FetchWaker waker;
};

}  // namespace kappa::log
