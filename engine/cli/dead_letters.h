#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/runtime/dead_letter.h"
#include "engine/serve/client.h"

namespace kappa::cli {

// Whether the engine writes a topic of that name for what it could not use, or for what was late.
bool is_dead_letter_topic(std::string_view topic);
bool is_late_topic(std::string_view topic);

// "sales/0@17"; nullopt: no record caused it.
std::optional<std::string> source_text(const runtime::DeadLetter& letter);

// What is in a dead-letter or late topic, counted record by record.
class DeadLetterSummary {
 public:
  struct Group {
    int64_t records = 0;
    LogTime since;                             // the least timestamp
    LogTime newest;                            // the greatest
    std::optional<std::string> newest_source;  // what caused the newest, as source_text()
  };

  void add(const runtime::DeadLetter& letter, LogTime timestamp);

  const Group& all() const { return all_; }
  // Reasons with their records, the most frequent first. Reasons hold values of records, so there
  // may be as many as records: of more than kReasonsMax the later ones are counted in others().
  std::vector<std::pair<std::string, Group>> reasons() const;
  const Group& others() const { return others_; }

  static constexpr size_t kReasonsMax = 1000;

 private:
  Group all_;
  Group others_;
  std::map<std::string, Group> reasons_;
};

// Reads a topic to its present end. Of other products than `product` nothing is counted, unless it
// is empty.
absl::StatusOr<DeadLetterSummary> summarize_dead_letters(serve::Client& client,
                                                         const std::string& topic,
                                                         const std::string& product);

}  // namespace kappa::cli
