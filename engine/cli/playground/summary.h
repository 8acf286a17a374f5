#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "engine/cli/playground/generator.h"
#include "engine/cli/service.h"

namespace kappa::cli::playground {

// What a look at the running playground shows.
struct Look {
  double seconds = 0;         // since the start
  int64_t events_in_log = 0;  // sales and clicks
  int64_t others_in_log = 0;
  double events_per_second = 0;  // appended since the look before
  double applied_per_second = 0;
  int64_t lag_records = 0;
  EventTime watermark = kNoEventTime;
  double watermark_behind_seconds = 0;  // the clock
  uint64_t late_records = 0;
  uint64_t dead_letters = 0;
  struct Channel {
    std::string name;
    std::string sales;
    std::string revenue;
  };
  std::vector<Channel> channels;
  struct Alert {
    std::string window_start;
    std::string card;
    std::string reason;
    std::string sales;
    std::string amount;
  };
  std::vector<Alert> alerts;  // the latest first
  struct Stock {
    std::string on_hand;
    std::string places;  // of a product in a store
  };
  std::optional<Stock> stock;
  struct Talk {
    std::string window_start;
    std::string posts;
    std::string brand;
  };
  std::optional<Talk> talk;  // the brand that the latest minute talks of most
  struct Visits {
    std::string window_start;
    std::string visitors;
  };
  std::optional<Visits> visits;  // of all stores in the latest minute
};

// Takes looks at a playground that runs. One thread.
class Summary {
 public:
  Summary(Service& service, const Generator& generator);
  Look look();

 private:
  // Of the generation that is live now.
  std::vector<std::vector<std::string>> rows(const std::string& sql);
  void look_at_views(Look* look);

  const DeployedProduct& product_;
  const Generator& generator_;
  const Clock& clock_;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_;
  int64_t last_events_ = 0;
  uint64_t last_applied_ = 0;
};

// As lines for a terminal of `width` columns.
std::vector<std::string> to_lines(const Look& look, int width);
// As one line of JSON.
std::string to_json(const Look& look);

}  // namespace kappa::cli::playground
