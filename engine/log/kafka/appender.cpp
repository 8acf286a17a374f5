#include "engine/log/kafka/appender.h"

#include <chrono>
#include <condition_variable>
#include <random>

#include <librdkafka/rdkafka.h>

#include "absl/strings/str_cat.h"
#include "engine/log/kafka/errors.h"
#include "engine/types/status_macros.h"

namespace kappa::log {
namespace {

constexpr std::chrono::milliseconds kPollWait{100};
constexpr std::chrono::milliseconds kQueueFullWait{5};

using Topic = std::unique_ptr<rd_kafka_topic_t, decltype(&rd_kafka_topic_destroy)>;

int32_t random_partition(int32_t partitions) {
  thread_local std::minstd_rand random{std::random_device{}()};
  return std::uniform_int_distribution<int32_t>(0, partitions - 1)(random);
}

absl::StatusOr<std::vector<int32_t>> deal_out(const TopicInfo& topic,
                                              std::span<const RecordToAppend> records) {
  const int32_t partitions = topic.config.partitions;
  const int32_t keyless = random_partition(partitions);
  std::vector<int32_t> dealt;
  dealt.reserve(records.size());
  for (const RecordToAppend& record : records) {
    int32_t to = keyless;
    if (record.partition) {
      to = *record.partition;
    } else if (record.key) {
      to = partition_for_key(*record.key, partitions);
    }
    if (to < 0 || to >= partitions) {
      return absl::NotFoundError(
          absl::StrCat("topic ", topic.name, " has no partition ", to, "; it has ", partitions));
    }
    // librdkafka takes 0 for "now", and a broker refuses what lies before.
    if (record.timestamp && record.timestamp->ms <= 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("topic ", topic.name, ": a record in Kafka cannot have the timestamp ",
                       record.timestamp->ms, "; it must be after 1970-01-01T00:00:00Z"));
    }
    dealt.push_back(to);
  }
  return dealt;
}

rd_kafka_vu_t argument(rd_kafka_vtype_t type) {
  rd_kafka_vu_t made{};
  made.vtype = type;
  return made;
}

rd_kafka_vu_t bytes_argument(rd_kafka_vtype_t type, const std::optional<std::string_view>& bytes) {
  rd_kafka_vu_t made = argument(type);
  if (bytes) {
    // An empty value is not a null one.
    made.u.mem.ptr = const_cast<char*>(bytes->data() ? bytes->data() : "");
    made.u.mem.size = bytes->size();
  }
  return made;
}

rd_kafka_headers_t* copy_headers(const RecordHeaders* headers) {
  if (!headers || headers->empty()) return nullptr;
  rd_kafka_headers_t* copied = rd_kafka_headers_new(headers->size());
  for (const auto& [name, value] : *headers) {
    rd_kafka_header_add(copied, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
  }
  return copied;
}

rd_kafka_resp_err_t produce(rd_kafka_t* producer, rd_kafka_topic_t* topic, int32_t partition,
                            const RecordToAppend& record, void* opaque) {
  std::vector<rd_kafka_vu_t> arguments;
  rd_kafka_headers_t* const headers = copy_headers(record.headers);
  arguments.push_back(argument(RD_KAFKA_VTYPE_RKT));
  arguments.back().u.rkt = topic;
  arguments.push_back(argument(RD_KAFKA_VTYPE_PARTITION));
  arguments.back().u.i32 = partition;
  arguments.push_back(argument(RD_KAFKA_VTYPE_MSGFLAGS));
  arguments.back().u.i = RD_KAFKA_MSG_F_COPY;
  arguments.push_back(argument(RD_KAFKA_VTYPE_OPAQUE));
  arguments.back().u.ptr = opaque;
  arguments.push_back(bytes_argument(RD_KAFKA_VTYPE_VALUE, record.value));
  arguments.push_back(bytes_argument(RD_KAFKA_VTYPE_KEY, record.key));
  if (record.timestamp) {
    arguments.push_back(argument(RD_KAFKA_VTYPE_TIMESTAMP));
    arguments.back().u.i64 = record.timestamp->ms;
  }
  if (headers) {
    arguments.push_back(argument(RD_KAFKA_VTYPE_HEADERS));
    arguments.back().u.headers = headers;
  }
  rd_kafka_error_t* error = rd_kafka_produceva(producer, arguments.data(), arguments.size());
  if (!error) return RD_KAFKA_RESP_ERR_NO_ERROR;
  const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
  rd_kafka_error_destroy(error);
  if (headers) rd_kafka_headers_destroy(headers);  // it owns them only if it took the record
  return code;
}

// Waits for room in the producer's queue, and for it to learn of a partition that is new.
rd_kafka_resp_err_t produce_patiently(rd_kafka_t* producer, rd_kafka_topic_t* topic,
                                      int32_t partition, const RecordToAppend& record,
                                      void* opaque) {
  constexpr int kMetadataMs = 1000;
  int unknown_left = 100;
  while (true) {
    const rd_kafka_resp_err_t error = produce(producer, topic, partition, record, opaque);
    if (error == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION && --unknown_left > 0) {
      const rd_kafka_metadata_t* metadata = nullptr;
      if (!rd_kafka_metadata(producer, 0, topic, &metadata, kMetadataMs)) {
        rd_kafka_metadata_destroy(metadata);
      }
    } else if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      return error;
    }
    std::this_thread::sleep_for(kQueueFullWait);
  }
}

}  // namespace

// One call of append(): what its records wait for.
struct Appender::Call {
  struct Slot {
    Call* call;
    size_t record;
  };
  explicit Call(size_t records) : appended(records), slots(records) {
    for (size_t i = 0; i < records; ++i) slots[i] = {this, i};
  }

  static void delivered(const rd_kafka_message_s& message) {
    const Slot& slot = *static_cast<const Slot*>(message._private);
    Call& call = *slot.call;
    const std::lock_guard lock(call.mutex);
    if (message.err && !call.error) call.error = message.err;
    call.appended[slot.record] = {message.partition, Offset{message.offset}};
    if (--call.open == 0) call.done.notify_one();
  }

  std::vector<AppendedAt> appended;
  std::vector<Slot> slots;
  std::mutex mutex;
  std::condition_variable done;
  size_t open = 0;
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
};

Appender::Appender(Client::Options producer, TopicCatalog* topics)
    : options_([&] {
        producer.role = KafkaRole::kProducer;
        producer.on_delivery = &Call::delivered;
        return std::move(producer);
      }()),
      topics_(topics) {}

Appender::~Appender() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

absl::StatusOr<std::shared_ptr<Client>> Appender::producer() {
  const std::lock_guard lock(mutex_);
  if (!producer_) {
    KAPPA_ASSIGN_OR_RETURN(auto made, Client::make(options_));
    producer_ = std::move(made);
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  }
  return producer_;
}

void Appender::give_up(const std::shared_ptr<Client>& broken) {
  const std::lock_guard lock(mutex_);
  if (producer_ == broken) producer_.reset();
}

// Delivers reports as they come.
void Appender::run() {
  while (!stop_) {
    std::shared_ptr<Client> present;
    {
      const std::lock_guard lock(mutex_);
      present = producer_;
    }
    if (present) {
      present->poll(kPollWait);
    } else {
      std::this_thread::sleep_for(kQueueFullWait);
    }
  }
}

absl::StatusOr<std::vector<AppendedAt>> Appender::append(const std::string& topic,
                                                         std::span<const RecordToAppend> records) {
  if (records.empty()) return std::vector<AppendedAt>();
  KAPPA_ASSIGN_OR_RETURN(const TopicInfo info, topics_->topic(topic));
  KAPPA_ASSIGN_OR_RETURN(const std::vector<int32_t> partitions, deal_out(info, records));
  KAPPA_ASSIGN_OR_RETURN(const std::shared_ptr<Client> client, producer());
  const Topic handle(rd_kafka_topic_new(client->get(), topic.c_str(), nullptr),
                     &rd_kafka_topic_destroy);
  Call call(records.size());
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  for (size_t i = 0; i < records.size() && !error; ++i) {
    {
      const std::lock_guard lock(call.mutex);
      ++call.open;
    }
    error =
        produce_patiently(client->get(), handle.get(), partitions[i], records[i], &call.slots[i]);
    if (error) {
      const std::lock_guard lock(call.mutex);
      --call.open;  // nobody will report it
    }
  }
  // Every record that was taken is reported, by message.timeout.ms at the latest.
  std::unique_lock lock(call.mutex);
  while (!call.done.wait_for(lock, kPollWait, [&] { return call.open == 0; })) {
    // run() does not serve a producer that was given up.
    lock.unlock();
    client->poll(std::chrono::milliseconds(0));
    lock.lock();
  }
  if (!error) error = call.error;
  if (error && rd_kafka_fatal_error(client->get(), nullptr, 0)) give_up(client);
  if (error) {
    const std::string trouble = client->trouble();
    return kafka_status(error,
                        absl::StrCat("topic ", topic, ": the records may not all be in the log",
                                     trouble.empty() ? "" : absl::StrCat(" (", trouble, ")")));
  }
  const std::lock_guard ends_lock(mutex_);
  for (const AppendedAt& at : call.appended) {
    Offset& end = ends_[{topic, at.partition}];
    end = std::max(end, Offset{at.offset.value + 1});
  }
  return std::move(call.appended);
}

Offset Appender::end_of(const TopicPartition& partition) const {
  const std::lock_guard lock(mutex_);
  const auto found = ends_.find(partition);
  return found == ends_.end() ? Offset{0} : found->second;
}

}  // namespace kappa::log
