#include "engine/log/kafka/figures.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace kappa::log {
namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;

// What several readers of one partition have between them.
void merge(const PartitionStatistics& one, PartitionStatistics* all) {
  all->log_start = std::max(all->log_start, one.log_start);
  all->high_watermark = std::max(all->high_watermark, one.high_watermark);
  all->last_stable = std::max(all->last_stable, one.last_stable);
  all->queued_records += one.queued_records;
  all->queued_bytes += one.queued_bytes;
  if (all->out_of_reach.empty()) all->out_of_reach = one.out_of_reach;
}

void add(const TopicPartition& partition, const PartitionStatistics& of,
         std::vector<LogFigure>* figures) {
  const Labels labels = {{"topic", partition.topic},
                         {"partition", absl::StrCat(partition.partition)}};
  const auto gauge = [&](const char* name, const char* help, int64_t value) {
    figures->push_back({name, help, false, labels, static_cast<double>(value)});
  };
  gauge("kappa_kafka_partition_reachable", "1: the partition's leader answers; 0: it is waited for",
        of.out_of_reach.empty() ? 1 : 0);
  if (of.high_watermark >= 0 && of.last_stable >= 0) {
    gauge("kappa_kafka_uncommitted_records",
          "High watermark less last stable offset: what open transactions hold back",
          of.high_watermark - of.last_stable);
  }
  gauge("kappa_kafka_queued_records", "Records fetched and not yet read", of.queued_records);
  gauge("kappa_kafka_queued_bytes", "Their bytes", of.queued_bytes);
}

}  // namespace

std::vector<LogFigure> figures_of(const std::vector<Client*>& clients) {
  ClientStatistics all;
  for (const Client* client : clients) {
    const auto statistics = client->statistics();
    all.requests += statistics->requests;
    all.received_bytes += statistics->received_bytes;
    all.sent_bytes += statistics->sent_bytes;
    all.request_errors += statistics->request_errors;
    for (const auto& [partition, of] : statistics->partitions) {
      merge(of, &all.partitions[partition]);
    }
  }
  std::vector<LogFigure> figures;
  const auto counter = [&](const char* name, const char* help, int64_t value) {
    figures.push_back({name, help, true, {}, static_cast<double>(value)});
  };
  counter("kappa_kafka_requests_total", "Requests sent to brokers by readers", all.requests);
  counter("kappa_kafka_request_errors_total", "Those that failed or were not answered in time",
          all.request_errors);
  counter("kappa_kafka_received_bytes_total", "Bytes readers received", all.received_bytes);
  counter("kappa_kafka_sent_bytes_total", "Bytes readers sent", all.sent_bytes);
  for (const auto& [partition, of] : all.partitions) add(partition, of, &figures);
  return figures;
}

}  // namespace kappa::log
