#include "engine/cli/playground/schedule.h"

#include <algorithm>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "engine/types/status_macros.h"
#include "state/durable_file.h"

namespace kappa::cli::playground {
namespace {

constexpr int64_t kSlots = kTopics.size() * kPartitions;
constexpr int64_t kShoppingSlots = (kClicks + 1) * kPartitions;

// Sales and clicks are numbered as they arrive. A partition of any topic gets a record with the
// number `first` and with every `every`-th from there.
struct Deal {
  int64_t first;
  int64_t every;
};
Deal deal_of(Topic topic, int32_t partition) {
  const int64_t slot = topic * kPartitions + partition;
  if (is_shopping(topic)) return {slot, kShoppingSlots};
  return {(slot - kShoppingSlots + 1) * kShoppingPerOther - 1,
          (kSlots - kShoppingSlots) * kShoppingPerOther};
}

}  // namespace

absl::StatusOr<Schedule> Schedule::open(const std::string& path, uint64_t seed) {
  Schedule schedule;
  schedule.path_ = path;
  schedule.seed_ = seed;
  if (!std::filesystem::exists(path)) return schedule;
  KAPPA_ASSIGN_OR_RETURN(const std::string text, state::read_file(path));
  KAPPA_RETURN_IF_ERROR(schedule.read(text));
  if (schedule.seed_ != seed) {
    return absl::FailedPreconditionError(
        absl::StrCat("the events in this data directory come from --seed ", schedule.seed_,
                     ", so they cannot go on with --seed ", seed,
                     "; leave the flag out, or name another directory with --data"));
  }
  return schedule;
}

absl::Status Schedule::read(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  const absl::Status damaged = absl::DataLossError(
      absl::StrCat(path_, " is damaged; it says when the playground's events arrive"));
  if (!json.is_object() || !json.contains("seed") || !json.contains("runs")) return damaged;
  if (!json["seed"].is_number_unsigned() || !json["runs"].is_array()) return damaged;
  seed_ = json["seed"].get<uint64_t>();
  for (const auto& item : json["runs"]) {
    Run run{};
    const auto from = item.find("from");
    if (from == item.end() || !item.contains("start_us") || !item.contains("rate")) return damaged;
    if (!item["start_us"].is_number_integer() || !item["rate"].is_number_integer()) return damaged;
    run.start = EventTime{item["start_us"].get<int64_t>()};
    run.rate = item["rate"].get<int64_t>();
    if (run.rate < 1 || !from->is_array()) return damaged;
    // A run of a playground that knew sales and clicks only left the other topics at their start.
    const auto slots = static_cast<int64_t>(from->size());
    if (slots != kSlots && slots != kShoppingSlots) return damaged;
    for (int64_t slot = 0; slot < slots; ++slot) {
      const auto& offset = (*from)[static_cast<size_t>(slot)];
      if (!offset.is_number_integer()) return damaged;
      run.from[static_cast<size_t>(slot / kPartitions)][static_cast<size_t>(slot % kPartitions)] =
          offset.get<int64_t>();
    }
    runs_.push_back(run);
  }
  return absl::OkStatus();
}

absl::Status Schedule::write() const {
  nlohmann::ordered_json json;
  json["seed"] = seed_;
  json["runs"] = nlohmann::ordered_json::array();
  for (const Run& run : runs_) {
    nlohmann::ordered_json item;
    item["start_us"] = run.start.us;
    item["rate"] = run.rate;
    for (const auto& offsets : run.from) {
      for (const int64_t offset : offsets) item["from"].push_back(offset);
    }
    json["runs"].push_back(item);
  }
  return state::replace_file(path_, json.dump(2) + "\n");
}

absl::Status Schedule::begin_run(EventTime start, int64_t rate, const ByPartition& from) {
  runs_.push_back({start, rate, from});
  return write();
}

EventTime Schedule::arrival(Topic topic, int32_t partition, int64_t offset) const {
  const auto of = [&](const Run& run) {
    return run.from[static_cast<size_t>(topic)][static_cast<size_t>(partition)];
  };
  const auto run = std::find_if(runs_.rbegin(), runs_.rend(),
                                [&](const Run& candidate) { return of(candidate) <= offset; });
  const Run& found = run == runs_.rend() ? runs_.front() : *run;
  const Deal deal = deal_of(topic, partition);
  const int64_t number = deal.first + (offset - of(found)) * deal.every;
  return EventTime{found.start.us + number * kMicrosPerSecond / found.rate};
}

ByPartition Schedule::due(EventTime now, int64_t shopping_max) const {
  const Run& run = runs_.back();
  ByPartition due = run.from;
  const int64_t elapsed_us = now.us - run.start.us;
  if (elapsed_us < 0) return due;
  // In seconds and the rest, so that the product stays in range for years.
  const int64_t arrived = elapsed_us / kMicrosPerSecond * run.rate +
                          elapsed_us % kMicrosPerSecond * run.rate / kMicrosPerSecond + 1;
  const int64_t shopping = std::min(arrived, shopping_max);
  for (const Topic topic : kTopics) {
    for (int32_t partition = 0; partition < kPartitions; ++partition) {
      const Deal deal = deal_of(topic, partition);
      due[static_cast<size_t>(topic)][static_cast<size_t>(partition)] +=
          (shopping - deal.first + deal.every - 1) / deal.every;
    }
  }
  return due;
}

}  // namespace kappa::cli::playground
