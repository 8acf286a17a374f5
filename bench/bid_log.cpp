#include "bench/bid_log.h"

#include <algorithm>
#include <array>
#include <vector>

#include "engine/types/status_macros.h"
#include "engine/types/time.h"

namespace kappa::bench {

const char* const kBidTable = R"(
CREATE FOREIGN TABLE bid (
  auction bigint, bidder bigint, price bigint, channel text, url text,
  date_time timestamptz OPTIONS (unit 'ms'), extra text
) SERVER log OPTIONS (topic 'bid', format 'json', event_time 'date_time',
                      out_of_orderness '4 seconds');
)";

Bids generated_bids(int64_t records, const BidKeys& keys) {
  return [=](const std::function<void(const Bid&)>& see) {
    for (int64_t begin = 0, end = 0; begin < records; begin = end) {
      std::array<std::vector<Bid>, kBidPartitions> partitions;
      const int64_t known_ms = nexmark_bid(begin, keys).known_us / kMicrosPerMilli;
      for (; end < records; ++end) {
        Bid bid = nexmark_bid(end, keys);
        if (bid.known_us / kMicrosPerMilli != known_ms) break;
        bid.date_time_us -= bid.date_time_us % kMicrosPerMilli;
        partitions[static_cast<size_t>(end % kBidPartitions)].push_back(bid);
      }
      for (const auto& partition : partitions) {
        for (const Bid& bid : partition) see(bid);
      }
    }
  };
}

absl::StatusOr<std::unique_ptr<log::EmbeddedLog>> make_bid_log(const std::string& directory,
                                                               int64_t records,
                                                               const BidKeys& keys) {
  KAPPA_ASSIGN_OR_RETURN(auto log, log::open_embedded_log(directory, {}));
  KAPPA_RETURN_IF_ERROR(log->create_topic(
      "bid", {.partitions = kBidPartitions, .retention_ms = {}, .retention_bytes = {}}));
  constexpr int64_t kBatchRecords = 4'000;
  for (int64_t begin = 0; begin < records; begin += kBatchRecords) {
    const int64_t end = std::min(begin + kBatchRecords, records);
    std::string payloads;
    std::vector<size_t> ends;
    std::vector<log::RecordToAppend> batch(static_cast<size_t>(end - begin));
    for (int64_t n = begin; n < end; ++n) {
      const Bid bid = nexmark_bid(n, keys);
      append_json(bid, &payloads);
      ends.push_back(payloads.size());
      log::RecordToAppend& record = batch[static_cast<size_t>(n - begin)];
      record.timestamp = LogTime{bid.known_us / 1000};
      record.partition = static_cast<int32_t>(n % kBidPartitions);
    }
    for (size_t i = 0; i < batch.size(); ++i) {
      const size_t from = i == 0 ? 0 : ends[i - 1];
      batch[i].value = std::string_view(payloads).substr(from, ends[i] - from);
    }
    KAPPA_RETURN_IF_ERROR(log->append("bid", batch).status());
  }
  KAPPA_RETURN_IF_ERROR(log->sync());
  return log;
}

}  // namespace kappa::bench
