#include "bench/plain_bids.h"

#include <cstring>

#include <simdjson.h>

#include "engine/types/record.h"
#include "engine/types/status_macros.h"

namespace kappa::bench {

static_assert(kRecordPadding >= simdjson::SIMDJSON_PADDING);

struct PlainBids::Parser {
  simdjson::ondemand::parser parser;
};

PlainBids::PlainBids(BidTime time) : time_(time), parser_(std::make_unique<Parser>()) {}
PlainBids::~PlainBids() = default;

void PlainBids::take(std::string_view payload) {
  if (padded_.size() < payload.size() + kRecordPadding) {
    padded_.resize(2 * (payload.size() + kRecordPadding));
  }
  std::memcpy(padded_.data(), payload.data(), payload.size());
  take_padded({padded_.data(), payload.size()});
}

void PlainBids::take_padded(std::string_view payload) {
  ++records;
  bytes += static_cast<int64_t>(payload.size());
  simdjson::ondemand::document bid;
  const simdjson::padded_string_view text(payload.data(), payload.size(),
                                          payload.size() + kRecordPadding);
  int64_t auction = 0;
  int64_t bidder = 0;
  int64_t price = 0;
  int64_t date_time = 0;
  bool whole = parser_->parser.iterate(text).get(bid) == simdjson::SUCCESS &&
               bid["auction"].get(auction) == simdjson::SUCCESS &&
               bid["bidder"].get(bidder) == simdjson::SUCCESS &&
               bid["price"].get(price) == simdjson::SUCCESS;
  if (whole && time_ == BidTime::kMillis) {
    whole = bid["date_time"].get(date_time) == simdjson::SUCCESS;
  } else if (whole) {
    std::string_view date;
    whole = bid["dateTime"].get(date) == simdjson::SUCCESS;
    date_time = static_cast<int64_t>(date.size());
  }
  if (!whole) ++broken;
  sum += auction + bidder + price + date_time;
}

absl::StatusOr<Result> run_plain_reading(const log::Log& log, const std::string& topic,
                                         int64_t records, int64_t sum) {
  constexpr size_t kBlockBytes = 1u << 20;
  KAPPA_ASSIGN_OR_RETURN(const log::TopicInfo info, log.topic(topic));
  PlainBids bids(BidTime::kMillis);
  Result result;
  const Stopwatch stopwatch;
  for (int32_t p = 0; p < info.config.partitions; ++p) {
    KAPPA_ASSIGN_OR_RETURN(const auto reader, log.open_reader({topic, p}, Offset{0}));
    while (true) {
      KAPPA_ASSIGN_OR_RETURN(const RecordBlock block, reader->read(kBlockBytes));
      if (block.empty()) break;
      for (const RecordView& record : block.records) {
        bids.take_padded({record.value, record.value_size});
      }
    }
  }
  stopwatch.stop(&result);
  result.records = bids.records;
  result.bytes_per_record = static_cast<double>(bids.bytes) / static_cast<double>(records);
  result.checked = bids.broken == 0 && bids.records == records && bids.sum == sum;
  return result;
}

}  // namespace kappa::bench
