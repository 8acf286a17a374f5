#include "engine/runtime/parked_reads.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace kappa::runtime {
namespace {

constexpr size_t kReadsMax = 4096;

}  // namespace

bool ParkedReads::add(Read read) {
  if (reads_.size() >= kReadsMax) return false;
  reads_.push_back(std::move(read));
  return true;
}

void ParkedReads::answer(const std::function<bool(const ViewReader::After&)>& is_applied) {
  const auto now = std::chrono::steady_clock::now();
  std::erase_if(reads_, [&](const Read& read) {
    if (is_applied(read.after)) {
      read.answer(absl::OkStatus());
      return true;
    }
    if (now < read.after.deadline) return false;
    read.answer(absl::DeadlineExceededError("the record was not applied in time"));
    return true;
  });
}

void ParkedReads::drop(const absl::Status& why) {
  for (const Read& read : std::exchange(reads_, {})) read.answer(why);
}

Deadline ParkedReads::next_deadline() const {
  Deadline next = Deadline::max();
  for (const Read& read : reads_) next = std::min(next, read.after.deadline);
  return next;
}

}  // namespace kappa::runtime
