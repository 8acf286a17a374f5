#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/bench.h"
#include "bench/nexmark.h"
#include "engine/log/log.h"

namespace kappa::bench {

// Takes four fields of bids in JSON with simdjson on demand, as a plain program would: what
// yardsticks do with a record, which know nothing of the engine's decoder.
class PlainBids {
 public:
  explicit PlainBids(BidTime time);
  ~PlainBids();

  // Bytes with nothing behind them, or followed by at least kRecordPadding readable ones.
  void take(std::string_view payload);
  void take_padded(std::string_view payload);

  int64_t records = 0;
  int64_t bytes = 0;
  int64_t broken = 0;  // that did not give their four fields
  // Of the fields, so that reading them cannot be left out; of a date as text, its length.
  int64_t sum = 0;

 private:
  struct Parser;
  BidTime time_;
  std::unique_ptr<Parser> parser_;
  std::vector<char> padded_;
};

// What a plain program reaches that reads a topic of bids block by block, partition by partition,
// and takes four fields of each. `checked`: these were as many records, and they add up to `sum`.
absl::StatusOr<Result> run_plain_reading(const log::Log& log, const std::string& topic,
                                         int64_t records, int64_t sum);

}  // namespace kappa::bench
