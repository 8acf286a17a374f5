#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "engine/runtime/reads.h"

namespace kappa::runtime {

// Reads that wait until a record has been applied. The pipeline's thread.
class ParkedReads {
 public:
  struct Read {
    ViewReader::After after;
    std::function<void(const absl::Status&)> answer;  // called once, or never if it is not taken
  };

  // False: too many wait already, and it was not taken.
  bool add(Read read);
  bool empty() const { return reads_.empty(); }
  // Answers with OK those whose record `is_applied`, and with DeadlineExceeded those that have no
  // time left.
  void answer(const std::function<bool(const ViewReader::After&)>& is_applied);
  // Answers all with `why`.
  void drop(const absl::Status& why);
  // When the next one runs out of time. Not empty.
  Deadline next_deadline() const;

 private:
  std::vector<Read> reads_;
};

}  // namespace kappa::runtime
