#include "engine/log/kafka/kafka_reader.h"

#include <algorithm>

#include <librdkafka/rdkafka.h>

#include "absl/strings/str_cat.h"
#include "engine/log/kafka/errors.h"
#include "engine/types/hash.h"
#include "engine/types/status_macros.h"

namespace kappa::log {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How long read_to() waits: longer than a fetch does at the end of the log (fetch.wait.max.ms), and
// no longer, since views are read in between.
constexpr milliseconds kPatience{400};
// The fetcher is woken whenever that much was taken: what a fetch brings at most
// (max.partition.fetch.bytes), so that a queue which was full then has room for another one.
constexpr size_t kWakeBytes = 1u << 20;
// Queues that are set to be smaller than that are empty then.
constexpr size_t kWakeBytesEmpty = 64u << 10;

uint64_t hash_of(const RecordView& record) {
  constexpr uint64_t kStep = 0x9ddfea08eb382d69;
  uint64_t hash = static_cast<uint64_t>(record.timestamp.ms);
  hash = hash * kStep + (record.key ? hash_bytes(record.key, record.key_size) : 1);
  return hash * kStep + (record.value ? hash_bytes(record.value, record.value_size) : 1);
}

milliseconds left_until(steady_clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
  return std::max(left, milliseconds(0));
}

}  // namespace

// The functions that librdkafka calls: on the reader's thread in consume(), on its own for wake().
struct KafkaReader::Callbacks {
  static void message(rd_kafka_message_t* message, void* reader) {
    static_cast<KafkaReader*>(reader)->take(*message);
  }
  static void wake(rd_kafka_t*, void* listeners) {
    static_cast<AppendListeners*>(listeners)->notify();
  }
};

absl::StatusOr<std::unique_ptr<KafkaReader>> KafkaReader::open(KafkaParts* parts,
                                                               const TopicPartition& partition,
                                                               Offset from) {
  KAPPA_RETURN_IF_ERROR(parts->topics.check(partition));
  std::unique_ptr<KafkaReader> reader(new KafkaReader(parts, partition, from));
  KAPPA_ASSIGN_OR_RETURN(reader->lease_, parts->consumers.take(partition));
  KAPPA_RETURN_IF_ERROR(reader->start());
  return reader;
}

KafkaReader::~KafkaReader() {
  stop();
}

absl::Status KafkaReader::start() {
  rd_kafka_t* const client = lease_->client().get();
  topic_ = rd_kafka_topic_new(client, partition_.topic.c_str(), nullptr);
  if (!topic_) return kafka_status(rd_kafka_last_error(), name_of(partition_));
  queue_ = rd_kafka_queue_new(client);
  rd_kafka_queue_cb_event_enable(queue_, &Callbacks::wake, &parts_.listeners);
  if (rd_kafka_consume_start_queue(topic_, partition_.partition, position_.value, queue_) == 0) {
    return absl::OkStatus();
  }
  const absl::Status status = kafka_status(rd_kafka_last_error(), name_of(partition_));
  rd_kafka_queue_destroy(queue_);
  rd_kafka_topic_destroy(topic_);
  queue_ = nullptr;
  topic_ = nullptr;
  return status;
}

void KafkaReader::stop() {
  if (!queue_) return;
  rd_kafka_queue_cb_event_enable(queue_, nullptr, nullptr);
  rd_kafka_consume_stop(topic_, partition_.partition);
  rd_kafka_queue_destroy(queue_);
  rd_kafka_topic_destroy(topic_);
  queue_ = nullptr;
  topic_ = nullptr;
}

void KafkaReader::seek(Offset offset) {
  stop();
  position_ = offset;
  at_end_ = outside_log_ = maybe_another_ = false;
  trouble_.clear();
  failure_ = start();
}

// ---- taking messages ------------------------------------------------------------------------

absl::Status KafkaReader::consume(size_t bytes_max, milliseconds wait) {
  KAPPA_RETURN_IF_ERROR(failure_);
  if (outside_log_) KAPPA_RETURN_IF_ERROR(explain_gap());
  if (maybe_another_) {
    KAPPA_RETURN_IF_ERROR(check_leader());
    KAPPA_RETURN_IF_ERROR(check_same_log());
  }
  block_.begin(bytes_max);
  rd_kafka_consume_callback_queue(queue_, static_cast<int>(wait.count()), &Callbacks::message,
                                  this);
  if (!block_.empty()) return absl::OkStatus();  // what is wrong behind them is told next time
  KAPPA_RETURN_IF_ERROR(failure_);
  return outside_log_ ? explain_gap() : absl::OkStatus();
}

void KafkaReader::take(const rd_kafka_message_s& message) {
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) return take_event(message);
  if (message.offset < position_.value) return;  // from the middle of a batch on
  block_.add(message);
  position_ = Offset{message.offset + 1};
  at_end_ = false;
  if (block_.full()) rd_kafka_yield(nullptr);
}

void KafkaReader::take_event(const rd_kafka_message_s& message) {
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    // Behind the last record there may be marks of transactions, which are not shown.
    position_ = std::max(position_, Offset{message.offset});
    at_end_ = true;
    trouble_.clear();
    return;
  }
  const char* const said = rd_kafka_message_errstr(&message);
  if (message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
    outside_log_ = true;
  } else if (is_unknown_topic(message.err)) {
    maybe_another_ = true;
    trouble_ = said;
  } else if (is_passing(message.err)) {
    trouble_ = said;
  } else if (message.err == RD_KAFKA_RESP_ERR__BAD_MSG ||
             message.err == RD_KAFKA_RESP_ERR__BAD_COMPRESSION) {
    // librdkafka would go on behind what it could not read.
    failure_ = absl::DataLossError(absl::StrCat(
        name_of(partition_), ": damaged records behind offset ", position_.value, ": ", said));
  } else {
    failure_ = kafka_status(message.err, absl::StrCat(name_of(partition_), " at offset ",
                                                      position_.value, " (", said, ")"));
  }
  rd_kafka_yield(nullptr);  // what follows is looked at once this is dealt with
}

// Marks of transactions are taken from the queue without being shown. The client's position tells
// of them; the end of the log does too, but only after a fetch that has waited for more.
void KafkaReader::pass_marks() {
  rd_kafka_topic_partition_list_t* asked = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(asked, partition_.topic.c_str(), partition_.partition);
  rd_kafka_position(lease_->client().get(), asked);
  position_ = std::max(position_, Offset{asked->elems[0].offset});
  rd_kafka_topic_partition_list_destroy(asked);
}

// If that much was taken since it was woken last.
void KafkaReader::wake_fetcher(size_t taken_bytes_min) {
  if (taken_bytes_ < taken_bytes_min) return;
  taken_bytes_ = 0;
  parts_.waker.wake(lease_->client(), partition_);
}

RecordBlock KafkaReader::take_block() {
  taken_bytes_ += block_.size_bytes();
  wake_fetcher(kWakeBytes);
  RecordBlock block = block_.take(position_);
  if (!block.empty()) {
    last_ = {block.records.back().offset, hash_of(block.records.back())};
    trouble_.clear();
  }
  return block;
}

// ---- reading --------------------------------------------------------------------------------

absl::StatusOr<RecordBlock> KafkaReader::read(size_t bytes_max) {
  KAPPA_RETURN_IF_ERROR(consume(bytes_max, milliseconds(0)));
  if (block_.empty()) KAPPA_RETURN_IF_ERROR(check_reach());
  return take_block();
}

absl::StatusOr<RecordBlock> KafkaReader::read_to(Offset end, size_t bytes_max) {
  const auto deadline = steady_clock::now() + kPatience;
  milliseconds wait{0};
  do {
    KAPPA_RETURN_IF_ERROR(consume(bytes_max, wait));
    if (block_.empty()) pass_marks();
    if (!block_.empty()) return take_block();
    if (position_ >= end) {
      KAPPA_RETURN_IF_ERROR(check_reach());
      return take_block();
    }
    wake_fetcher(kWakeBytesEmpty);
    wait = left_until(deadline);
  } while (wait > milliseconds(0));
  KAPPA_RETURN_IF_ERROR(check_end(end));
  return take_block();
}

// Nothing has come, though the log is said to go on to `end`. OK: it does not.
absl::Status KafkaReader::check_end(Offset end) {
  KAPPA_RETURN_IF_ERROR(check_reach());
  if (!trouble_.empty()) return unavailable(trouble_);
  if (at_end_) {
    KAPPA_ASSIGN_OR_RETURN(const PartitionRange range, parts_.ranges.ask(partition_));
    if (range.end <= position_) return absl::OkStatus();
  }
  return unavailable(absl::StrCat("the records before offset ", end.value, " have not come yet"));
}

absl::Status KafkaReader::unavailable(const std::string& why) const {
  const std::string trouble = lease_->client().trouble();
  return absl::UnavailableError(
      absl::StrCat("waiting for ", name_of(partition_), " at offset ", position_.value, ": ", why,
                   trouble.empty() ? "" : absl::StrCat(" (", trouble, ")")));
}

// An empty queue says nothing of a partition whose leader does not answer.
absl::Status KafkaReader::check_leader() {
  const auto statistics = lease_->client().statistics();
  const auto found = statistics->partitions.find(partition_);
  if (found != statistics->partitions.end() && !found->second.out_of_reach.empty()) {
    maybe_another_ = true;
    return unavailable(found->second.out_of_reach);
  }
  return absl::OkStatus();
}

absl::Status KafkaReader::check_reach() {
  KAPPA_RETURN_IF_ERROR(check_leader());
  // The topic is not there at present. It is waited for: brokers forget and remember.
  return maybe_another_ && !trouble_.empty() ? unavailable(trouble_) : absl::OkStatus();
}

// The topic was away. What comes now must be what comes after the last record that was handed out.
absl::Status KafkaReader::check_same_log() {
  const auto range = parts_.ranges.ask(partition_);
  if (absl::IsNotFound(range.status())) return unavailable("the topic is not there");
  KAPPA_RETURN_IF_ERROR(range.status());
  if (range->end < position_) return explain_gap();
  if (!last_ || range->start > last_->offset) {
    maybe_another_ = false;
    return absl::OkStatus();
  }
  KAPPA_ASSIGN_OR_RETURN(const auto other, open(&parts_, partition_, last_->offset));
  const absl::StatusOr<RecordBlock> block = other->read_to(range->end, 1);
  if (absl::IsUnavailable(block.status())) return block.status();
  KAPPA_RETURN_IF_ERROR(block.status());
  // Compaction may have removed it; then there is nothing to compare.
  const bool there = !block->empty() && block->records.front().offset == last_->offset;
  if (there && hash_of(block->records.front()) != last_->hash) {
    failure_ = absl::DataLossError(absl::StrCat(
        name_of(partition_), ": the record at offset ", last_->offset.value,
        " is not the one that was read there (the log is now ", range->start.value, " to ",
        range->end.value, "): the topic was made anew; its old records are gone"));
    return failure_;
  }
  maybe_another_ = false;
  trouble_.clear();
  return absl::OkStatus();
}

// The broker does not have the position. Says why, or starts again if it has it after all.
absl::Status KafkaReader::explain_gap() {
  KAPPA_ASSIGN_OR_RETURN(const PartitionRange range, parts_.ranges.ask(partition_));
  const std::string where = absl::StrCat(name_of(partition_), ": offset ", position_.value,
                                         " is to be read, but the log ");
  if (position_ < range.start) {
    failure_ = absl::DataLossError(absl::StrCat(where, "starts at ", range.start.value,
                                                ": the records in between have been removed "
                                                "(retention, or kafka-delete-records)"));
  } else if (position_ > range.end) {
    failure_ = absl::DataLossError(absl::StrCat(where, "ends at ", range.end.value,
                                                ": the topic was made anew, or its log was cut"));
  } else {
    stop();
    outside_log_ = false;
    failure_ = start();
  }
  return failure_;
}

}  // namespace kappa::log
