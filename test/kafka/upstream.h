#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

struct rd_kafka_s;

namespace kappa::test {

// What others do to topics that kappa reads; through librdkafka, not through the adapter.

// Removes the records before `offset`, as kafka-delete-records does.
void delete_records(const std::string& bootstrap, const std::string& topic, int partition,
                    int64_t offset);
// Gives the topic more partitions: `partitions` in all.
void add_partitions(const std::string& bootstrap, const std::string& topic, int partitions);

using NullableHeaders = std::vector<std::pair<std::string, std::optional<std::string>>>;
// Appends a record to partition 0, and returns once the broker has it.
void append_with_headers(const std::string& bootstrap, const std::string& topic,
                         const NullableHeaders& headers);

// What a consumer group has committed; -1: nothing.
int64_t committed_offset(const std::string& bootstrap, const std::string& group,
                         const std::string& topic, int partition);

// A producer with transactions, one at a time.
class TransactionalProducer {
 public:
  TransactionalProducer(const std::string& bootstrap, const std::string& transactional_id);
  ~TransactionalProducer();
  TransactionalProducer(const TransactionalProducer&) = delete;
  TransactionalProducer& operator=(const TransactionalProducer&) = delete;

  void begin();
  // Returns once the broker has the records.
  void produce(const std::string& topic, int partition, const std::vector<std::string>& values,
               int64_t timestamp_ms = 0);
  void commit();
  void abort();

 private:
  rd_kafka_s* handle_;
};

}  // namespace kappa::test
