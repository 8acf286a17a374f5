#include "bench/kafka_bids.h"

#include <algorithm>
#include <utility>

#include <simdjson.h>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/log/kafka/kafka_log.h"
#include "engine/types/status_macros.h"
#include "engine/types/time.h"

namespace kappa::bench {
namespace {

constexpr size_t kBlockBytes = 1u << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<log::Log>> open_kafka(const Options& options) {
  if (options.brokers.empty() || options.topic.empty()) {
    return absl::InvalidArgumentError("needs --brokers HOST:PORT and --topic NAME");
  }
  return log::open_kafka_log({options.brokers, {}, {}});
}

std::string kafka_bid_table(const std::string& topic) {
  return absl::StrCat(R"(
CREATE FOREIGN TABLE bid (
  auction bigint, bidder bigint, price bigint, channel text, url text,
  date_time timestamptz OPTIONS (field 'dateTime'), extra text
) SERVER log OPTIONS (topic ')",
                      topic, R"(', format 'json', event_time 'date_time',
                      out_of_orderness '4 seconds');
)");
}

absl::Status load_kafka_bids(log::Log& log, const std::string& topic, int64_t count,
                             const BidKeys& keys) {
  const absl::Status created = log.create_topic(
      topic, {.partitions = kBidPartitions, .retention_ms = {}, .retention_bytes = {}});
  if (!created.ok() && !absl::IsAlreadyExists(created)) return created;
  KAPPA_ASSIGN_OR_RETURN(const log::TopicInfo info, log.topic(topic));
  constexpr int64_t kBatchRecords = 20'000;
  for (int64_t begin = 0; begin < count; begin += kBatchRecords) {
    const int64_t end = std::min(begin + kBatchRecords, count);
    std::vector<std::string> payloads(static_cast<size_t>(end - begin));
    std::vector<log::RecordToAppend> batch(payloads.size());
    for (int64_t n = begin; n < end; ++n) {
      const auto i = static_cast<size_t>(n - begin);
      const Bid bid = nexmark_bid(n, keys);
      append_json(bid, &payloads[i], BidTime::kText);
      batch[i].value = payloads[i];
      batch[i].timestamp = LogTime{bid.known_us / 1000};
      batch[i].partition = static_cast<int32_t>(n % info.config.partitions);
    }
    KAPPA_RETURN_IF_ERROR(log.append(topic, batch).status());
  }
  return log.sync();
}

absl::StatusOr<KafkaTopic> look_at_topic(log::Log& log, const std::string& name) {
  KAPPA_ASSIGN_OR_RETURN(const log::TopicInfo info, log.topic(name));
  KafkaTopic topic{&log, name, {}, {}};
  for (int32_t p = 0; p < info.config.partitions; ++p) {
    KAPPA_ASSIGN_OR_RETURN(const log::PartitionRange range, log.range({name, p}));
    topic.starts.push_back(range.start);
    topic.ends.push_back(range.end);
  }
  return topic;
}

absl::Status read_topic(const KafkaTopic& topic,
                        const std::function<void(int32_t partition, const RecordBlock&)>& see) {
  std::vector<std::unique_ptr<log::LogReader>> readers;
  for (size_t p = 0; p < topic.ends.size(); ++p) {
    KAPPA_ASSIGN_OR_RETURN(
        readers.emplace_back(),
        topic.log->open_reader({topic.name, static_cast<int32_t>(p)}, topic.starts[p]));
  }
  for (bool open = true; open;) {
    open = false;
    for (size_t p = 0; p < readers.size(); ++p) {
      if (readers[p]->position() >= topic.ends[p]) continue;
      open = true;
      auto block = readers[p]->read_to(topic.ends[p], kBlockBytes);
      if (absl::IsUnavailable(block.status())) continue;
      KAPPA_RETURN_IF_ERROR(block.status());
      see(static_cast<int32_t>(p), *block);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Bid>> bids_of(const KafkaTopic& topic) {
  struct Known {
    int64_t log_time_ms;
    int32_t partition;
    Bid bid;
  };
  std::vector<Known> known;
  std::vector<int64_t> log_times(topic.ends.size(), 0);
  simdjson::ondemand::parser parser;
  std::string fault;
  KAPPA_RETURN_IF_ERROR(read_topic(topic, [&](int32_t partition, const RecordBlock& block) {
    int64_t& log_time_ms = log_times[static_cast<size_t>(partition)];
    for (const RecordView& record : block.records) {
      log_time_ms = std::max(log_time_ms, record.timestamp.ms);
      const simdjson::padded_string text(record.value, record.value_size);
      simdjson::ondemand::document json;
      Bid bid;
      std::string_view date_time;
      absl::Time time;
      std::string why;
      if (parser.iterate(text).get(json) != simdjson::SUCCESS ||
          json["auction"].get(bid.auction) != simdjson::SUCCESS ||
          json["bidder"].get(bid.bidder) != simdjson::SUCCESS ||
          json["price"].get(bid.price) != simdjson::SUCCESS ||
          json["dateTime"].get(date_time) != simdjson::SUCCESS ||
          !absl::ParseTime("%Y-%m-%d %H:%M:%E*S", std::string(date_time), &time, &why)) {
        fault = absl::StrCat("partition ", partition, " offset ", record.offset.value,
                             " is no bid: ", std::string(record.value, record.value_size));
        return;
      }
      bid.date_time_us = absl::ToUnixMicros(time);
      known.push_back({log_time_ms, partition, bid});
    }
  }));
  if (!fault.empty()) return absl::InvalidArgumentError(fault);
  if (known.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("topic ", topic.name, " is empty: --load N fills it"));
  }
  std::stable_sort(known.begin(), known.end(), [](const Known& a, const Known& b) {
    return std::pair(a.log_time_ms, a.partition) < std::pair(b.log_time_ms, b.partition);
  });
  std::vector<Bid> bids;
  bids.reserve(known.size());
  for (const Known& each : known) bids.push_back(each.bid);
  return bids;
}

Bids these_bids(const std::vector<Bid>& bids) {
  return [&bids](const std::function<void(const Bid&)>& see) {
    for (const Bid& bid : bids) see(bid);
  };
}

}  // namespace kappa::bench
